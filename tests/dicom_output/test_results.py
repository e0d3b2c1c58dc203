"""Reports and pictures as DICOM are read back, and nothing about the patient leaves by another way."""

import dataclasses
import logging
import math
import shutil
import subprocess
import warnings
from collections.abc import Iterator
from datetime import datetime
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("highdicom", reason="highdicom, which writes the DICOM results, is not installed")
from highdicom.sr import Comprehensive3DSR
from pydicom import Dataset, dcmread
from pydicom.uid import ImplicitVRLittleEndian

from boneage_kedro.cohort.sex import Sex
from boneage_kedro.dicom_output.results import dicom_results
from boneage_kedro.dicom_output.source import NothingToReferTo
from boneage_kedro.evaluation.clinical.case_result import CaseResult
from boneage_kedro.imaging.reading import read_radiograph
from boneage_kedro.phantom import fabricate_hand
from tests.case_results import GIRL
from tests.imaging.files import dicom, encoded, picture

MADE_AT = datetime(2026, 3, 4, 12, 30)
STUDY, SERIES = "1.2.3.4", "1.2.3.4.5"
PATIENT = {
    "SpecificCharacterSet": "ISO_IR 100",
    "PatientName": "Müller^Jörg",
    "PatientID": "4711",
    "PatientBirthDate": "20100101",
    "PatientSex": "F",
    "PatientAge": "010Y",
    "IssuerOfPatientID": "Clinic",
    "StudyDate": "20200101",
    "StudyTime": "101010",
    "StudyID": "S1",
    "StudyDescription": "Hand links",
    "AccessionNumber": "A1",
    "ReferringPhysicianName": "Who^Dr",
}
HEADER = {
    **PATIENT,
    "StudyInstanceUID": STUDY,
    "SeriesInstanceUID": SERIES,
    "Modality": "DX",
    "ImageLaterality": "L",
}
SOURCE = dicom(picture(), **HEADER)


@pytest.fixture(scope="module")
def overlay() -> np.ndarray:
    hand = fabricate_hand(100, Sex.FEMALE, 3, 256).image
    return np.repeat(np.hstack([hand, hand])[..., None], 3, axis=2)


def made(source: bytes, result: CaseResult, overlay: np.ndarray) -> tuple[Dataset, Dataset]:
    files = dicom_results(source, result, overlay, MADE_AT)
    return dcmread(BytesIO(files["report"])), dcmread(BytesIO(files["picture"]))


def items(parent: Dataset) -> Iterator[Dataset]:
    for item in parent.get("ContentSequence", []):
        yield item
        yield from items(item)


def numbers(report: Dataset) -> dict[str, tuple[float, str]]:
    """Each measurement by the code of its name, with its unit."""
    found = {}
    for item in items(report):
        if item.ValueType == "NUM":
            value = item.MeasuredValueSequence[0]
            unit = value.MeasurementUnitsCodeSequence[0].CodeValue
            found[item.ConceptNameCodeSequence[0].CodeValue] = float(value.NumericValue), unit
    return found


def codes(report: Dataset) -> dict[str, str]:
    found = [item for item in items(report) if item.ValueType == "CODE"]
    return {i.ConceptNameCodeSequence[0].CodeValue: i.ConceptCodeSequence[0].CodeValue for i in found}


def texts(report: Dataset) -> list[str]:
    return [item.TextValue for item in items(report) if item.ValueType == "TEXT"]


def test_the_report_says_what_was_read(overlay: np.ndarray) -> None:
    report, _ = made(SOURCE, GIRL, overlay)
    assert numbers(report) == {
        "37362-1": (97.51, "mo"),
        "lower_end": (88.0, "mo"),
        "upper_end": (107.0, "mo"),
        "121033": (120.0, "mo"),
        "121416": (-1.92, "{SD}"),  # -22.488 months of 11.73
        "373098007": (125.66, "mo"),
        "121414": (11.73, "mo"),
    }
    said = codes(report)
    assert said["determination"] == "normal"
    assert said["121032"] == "F"
    assert said["363698007"] == "85562004"  # finding site: hand
    assert said["272741003"] == "7771000"  # left
    assert "the hand is rotated" in texts(report)
    assert any("research use only" in text for text in texts(report))
    assert any("borderline" in text for text in texts(report))
    assert "model run run7" in texts(report)
    assert (report.CompletionFlag, report.VerificationFlag) == ("COMPLETE", "UNVERIFIED")


def test_highdicom_reads_the_report_back(overlay: np.ndarray) -> None:
    report, _ = made(SOURCE, GIRL, overlay)
    content = Comprehensive3DSR.from_dataset(report).content
    (group,) = content.get_image_measurement_groups()
    assert [m.value for m in group.get_measurements()] == [97.51, 88.0, 107.0, 120.0]


def test_the_picture_is_the_overlay_with_words_under_it(overlay: np.ndarray) -> None:
    _, shown = made(SOURCE, GIRL, overlay)
    pixels = shown.pixel_array
    np.testing.assert_array_equal(pixels[: len(overlay)], overlay)
    strip = pixels[len(overlay) :]
    assert strip.max() > 200
    assert not strip[:, :4].any()
    assert not strip[:, -4:].any()  # no word is cut off
    assert list(shown.ImageType[:2]) == ["DERIVED", "SECONDARY"]
    assert read_radiograph(dicom_results(SOURCE, GIRL, overlay, MADE_AT)["picture"]).pixels.ndim == 2


@pytest.mark.parametrize("stated", ["YES", "NO", None])
def test_the_picture_says_of_burned_in_names_what_its_source_does(
    stated: str | None, overlay: np.ndarray
) -> None:
    source = dicom(picture(), **HEADER, **({"BurnedInAnnotation": stated} if stated else {}))
    _, shown = made(source, GIRL, overlay)
    assert shown.get("BurnedInAnnotation") == stated


def test_both_belong_to_the_study_of_the_radiograph_and_name_it(overlay: np.ndarray) -> None:
    source = dcmread(BytesIO(SOURCE))
    report, shown = made(SOURCE, GIRL, overlay)
    for instance in (report, shown):
        assert instance.StudyInstanceUID == STUDY
        for keyword, value in PATIENT.items():
            if keyword != "SpecificCharacterSet":
                assert instance[keyword].value == value, keyword
    identifiers = [SERIES, report.SeriesInstanceUID, shown.SeriesInstanceUID]
    identifiers += [source.SOPInstanceUID, report.SOPInstanceUID, shown.SOPInstanceUID]
    assert len(set(identifiers)) == 6
    (evidence,) = report.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence
    assert evidence.SeriesInstanceUID == SERIES
    assert evidence.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == source.SOPInstanceUID
    assert shown.SourceImageSequence[0].ReferencedSOPInstanceUID == source.SOPInstanceUID


def test_the_same_reading_gives_the_same_file_and_another_one_another(overlay: np.ndarray) -> None:
    first, again = (dicom_results(SOURCE, GIRL, overlay, MADE_AT) for _ in range(2))
    uids = [dcmread(BytesIO(files["report"])).SOPInstanceUID for files in (first, again)]
    assert uids[0] == uids[1]
    other, _ = made(SOURCE, dataclasses.replace(GIRL, model_run_id="run8"), overlay)
    assert other.SOPInstanceUID != uids[0]


def test_without_interval_chronological_age_or_side_the_rest_is_reported(overlay: np.ndarray) -> None:
    source = dicom(picture(), ImplicitVRLittleEndian, **{**HEADER, "ImageLaterality": "B"})
    bare = dataclasses.replace(
        GIRL,
        lower_months=-math.inf,
        upper_months=math.inf,
        chronological_age_months=math.nan,
        status="indeterminate",
    )
    report, _ = made(source, bare, overlay)
    assert numbers(report) == {"37362-1": (97.51, "mo")}
    assert codes(report)["determination"] == "unknown"
    assert codes(report)["status"] == "not_relied_on"
    assert "272741003" not in codes(report)


def test_the_sex_that_was_used_is_told_and_that_of_the_record_kept(overlay: np.ndarray) -> None:
    report, _ = made(SOURCE, dataclasses.replace(GIRL, sex="M"), overlay)
    assert codes(report)["121032"] == "M"
    assert report.PatientSex == "F"


@pytest.mark.parametrize(
    ("charset", "name"),
    [("ISO_IR 192", "김^희중"), (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎")],
)
def test_names_in_other_scripts_survive(charset: str | list[str], name: str, overlay: np.ndarray) -> None:
    source = dicom(picture(), **{**HEADER, "SpecificCharacterSet": charset, "PatientName": name})
    for instance in made(source, GIRL, overlay):
        assert instance.PatientName == name


@pytest.mark.parametrize("birth_date", [b"unknown!", b"20100231"])
def test_a_header_that_is_not_as_dicom_asks_gives_results_that_are(
    birth_date: bytes, overlay: np.ndarray, caplog: pytest.LogCaptureFixture, recwarn: pytest.WarningsRecorder
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        source = dicom(picture(), **{**HEADER, "PatientName": "A=B=C=D=E^secret", "PatientSex": "W"})
    source = source.replace(b"20100101", birth_date).replace(b"101010", b"996010")
    with caplog.at_level(logging.DEBUG):
        for instance in made(source, GIRL, overlay):
            assert instance.PatientSex == ""
            assert instance.PatientBirthDate == ""
            assert instance.StudyTime == ""
            assert instance.PatientID == "4711"
    assert "secret" not in caplog.text
    assert "4711" not in caplog.text
    assert not recwarn.list


def test_several_names_are_none(overlay: np.ndarray) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        source = dicom(picture(), **{**HEADER, "PatientName": "One^Ann\\Two^Bea"})
    for instance in made(source, GIRL, overlay):
        assert instance.PatientName == ""


def test_a_file_with_no_study_or_no_dicom_is_refused_without_a_name(overlay: np.ndarray) -> None:
    with pytest.raises(NothingToReferTo, match="no DICOM file"):
        dicom_results(encoded(picture(), ".png"), GIRL, overlay, MADE_AT)
    for missing in ("StudyInstanceUID", "SeriesInstanceUID"):
        source = dicom(picture(), **{key: value for key, value in HEADER.items() if key != missing})
        with pytest.raises(NothingToReferTo, match=f"has no valid {missing}") as caught:
            dicom_results(source, GIRL, overlay, MADE_AT)
        assert "ller" not in str(caught.value)


def test_a_case_without_an_age_has_no_report(overlay: np.ndarray) -> None:
    with pytest.raises(ValueError, match="case h1 has no bone age"):
        dicom_results(SOURCE, dataclasses.replace(GIRL, bone_age_months=math.nan), overlay, MADE_AT)


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="no dciodvfy of dicom3tools on the path")
def test_an_independent_checker_finds_no_error(overlay: np.ndarray, tmp_path: Path) -> None:
    source = dicom(picture(), **{**HEADER, "PatientName": "Miller^Joe"})  # it compares names byte by byte
    files = {"source": source, **dicom_results(source, GIRL, overlay, MADE_AT)}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    for name in ("report", "picture"):
        assert "Error" not in said_by("dciodvfy", "-new", tmp_path / name)
    assert "Error" not in said_by("dcentvfy", *(tmp_path / name for name in files))


def said_by(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr
