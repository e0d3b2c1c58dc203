"""`assess` on new files with a small untrained network: statuses, warnings and overlays."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
from pydicom import dcmread

from boneage_kedro.cohort.sex import Sex
from boneage_kedro.cohort.tables import read_case_table
from boneage_kedro.evaluation.ages.intervals import IntervalCalibration
from boneage_kedro.evaluation.ages.mondrian import Group
from boneage_kedro.handover.package import ModelPackage, Network
from boneage_kedro.imaging.geometry import Pose, canvas_transform, map_points
from boneage_kedro.imaging.ingest import read_content
from boneage_kedro.imaging.preparation.prepare import Prepared, prepare
from boneage_kedro.imaging.reading import read_radiograph
from boneage_kedro.imaging.sources import RadiographFolder
from boneage_kedro.masks.hand.region import hand_box
from boneage_kedro.models.feature_distance import FeatureDistance
from boneage_kedro.models.regressor import AgeMaps, AgeRegressor, RegressorConfig
from boneage_kedro.phantom import fabricate_hand
from boneage_kedro.pipelines.assess.nodes import assess_new_cases, read_new_cases
from boneage_kedro.reading.assessment import Assessor
from boneage_kedro.reading.mask_readers import MaskReading
from boneage_kedro.reading.reliability import Reliability, fingerprint_network
from tests.imaging.files import dicom

MEAN_AGE = 100.0
RADIUS = 15.0
Kept = tuple[dict[str, Any], dict[str, torch.Tensor], dict[str, Any]]


@pytest.fixture
def radiographs(tmp_path: Path) -> RadiographFolder:
    for i in range(3):
        cv2.imwrite(str(tmp_path / f"h{i}.png"), fabricate_hand(60 + 50 * i, Sex.MALE, i, 160).image)
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and then nothing")
    return RadiographFolder(tmp_path)


@pytest.fixture
def model(parameters: dict[str, Any]) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    torch.manual_seed(0)
    network = AgeRegressor(RegressorConfig("test_efficientnet", 64, MEAN_AGE, 40.0, 0.0))
    torch.nn.init.normal_(network.head.weight)  # a fresh head hardly tells one picture from another
    settings = {
        "regressor": network.config.as_dict(),
        "cohort": "all",
        "preparation": parameters["data_prep"]["preparation"],
        "age_range_months": [6.0, 216.0],
    }
    return network.state_dict(), settings


def kept_with(
    model: tuple[dict[str, torch.Tensor], dict[str, Any]], threshold: float = np.inf, radius: float = RADIUS
) -> Kept:
    """Intervals and familiarity of this network; without a threshold it knows every picture."""
    network = {"network": fingerprint_network(*model)}
    detector = FeatureDistance(model[0]["head.weight"].shape[1], rank=2)
    detector.threshold.fill_(threshold)
    calibration = IntervalCalibration(0.9, 100, None, (Group("all", 0.0, 100, radius),))
    return calibration.as_dict() | network, detector.state_dict(), network


def assess(
    table: pd.DataFrame,
    radiographs: RadiographFolder,
    model: tuple[dict[str, torch.Tensor], dict[str, Any]],
    params: dict[str, Any],
    kept: Kept | None = None,
) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    overlays: dict[str, np.ndarray] = {}
    intervals, *familiarity = kept or kept_with(model)
    package = ModelPackage(Network(*model), Network(*familiarity), intervals)
    steps = assess_new_cases(read_case_table(table), radiographs, package, params)
    for rows, drawn, *masks, pages, results in steps:
        assert masks == [{}, {}, {}]  # no network for them was given
        assert set(pages) <= set(rows["id"])
        assert results == {}  # no file here is DICOM
        overlays |= {
            key: cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR) for key, png in drawn.items()
        }
    return rows.set_index("id"), overlays


def table(*rows: tuple[str, str, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["id", "sex", "chronological_age_months"], dtype=str)


def test_every_case_has_its_row_and_bad_ones_their_reason(
    radiographs: RadiographFolder, model: Any, parameters: dict[str, Any]
) -> None:
    cases = table(
        ("h0", "M", ""),
        ("nowhere", "F", ""),
        ("broken", "F", ""),
        ("h1", "", ""),
        ("h2", "female", ""),
        ("H0", "M", ""),
    )
    rows, overlays = assess(cases, radiographs, model, parameters["assess"] | {"batch_size": 2})
    assert rows.index.tolist() == ["h0", "nowhere", "broken", "h1", "h2", "H0"]
    assert rows["status"].tolist() == ["ok", "failed", "failed", "failed", "ok", "failed"]
    assert rows["bone_age_months"].notna().tolist() == [True, False, False, False, True, False]
    assert rows.loc["nowhere", "warnings"].startswith("no radiograph named nowhere in ")
    assert rows.loc["H0", "warnings"].endswith("; is h0 meant?")
    assert "meant" not in rows.loc["nowhere", "warnings"]
    assert "broken.png" in rows.loc["broken", "warnings"]
    assert "unknown_sex" in rows.loc["h1", "warnings"]
    assert set(overlays) == {"h0", "h2"}
    side = parameters["assess"]["overlay_px"]
    assert overlays["h0"].shape == (side, 2 * side, 3)


def test_a_page_for_every_case_and_results_as_dicom_for_dicom_files(
    radiographs: RadiographFolder, model: Any, parameters: dict[str, Any], tmp_path: Path
) -> None:
    pixels = cv2.imread(str(tmp_path / "h1.png"), cv2.IMREAD_GRAYSCALE)
    size = {"Rows": pixels.shape[0], "Columns": pixels.shape[1]}
    study = {"StudyInstanceUID": "1.2.3.4", "SeriesInstanceUID": "1.2.3.4.5", "Modality": "DX"}
    (tmp_path / "d1.dcm").write_bytes(dicom(pixels, **size, **study))
    (tmp_path / "d2.dcm").write_bytes(dicom(pixels, **size))  # says not of which study it is
    intervals, *familiarity = kept_with(model)
    package = ModelPackage(Network(*model), Network(*familiarity), intervals)
    cases = read_case_table(
        table(
            ("h0", "M", "60"),
            ("broken", "F", ""),
            ("d1", "M", ""),
            ("d2", "M", ""),
            ("", "M", ""),
            (300 * "x", "M", ""),
        )
    )
    batches = assess_new_cases(cases, RadiographFolder(tmp_path), package, parameters["assess"])
    rows, drawn, *_, pages, results = next(batches)
    assert "no valid StudyInstanceUID" in rows.set_index("id").loc["d2", "warnings"]
    assert "StudyInstanceUID" not in rows.set_index("id").loc["d1", "warnings"]
    assert set(drawn) == {"h0", "d1", "d2"}
    assert set(pages) == {"h0", "broken", "d1", "d2"}
    assert "broken.png" in pages["broken"]
    assert set(results) == {"d1_report", "d1_picture"}
    report = dcmread(BytesIO(results["d1_report"]))
    assert (report.Modality, report.StudyInstanceUID) == ("SR", "1.2.3.4")
    assert next(batches, None) is None
    assert not drawn and not pages and not results  # nothing of a batch is held longer than it is needed


def test_the_map_lies_where_its_cells_look(
    radiographs: RadiographFolder, model: Any, parameters: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first of two cells of this network looks at the corner of the picture, not at the middle of a quarter."""
    weights, settings = model
    one_cell = torch.zeros(1, 2, 2)
    one_cell[0, 0, 0] = 40
    seen = AgeMaps(one_cell, torch.tensor([MEAN_AGE]), torch.zeros(1, model[0]["head.weight"].shape[1]))
    monkeypatch.setattr(AgeRegressor, "activation_map", lambda *_: seen)
    rows, overlays = assess(table(("h0", "M", "")), radiographs, (weights, settings), parameters["assess"])
    assert rows.loc["h0", "bone_age_months"] == MEAN_AGE + 10
    side = parameters["assess"]["overlay_px"]
    plain, mapped = overlays["h0"][:, :side].astype(int), overlays["h0"][:, side:].astype(int)
    coloured = np.abs(mapped - plain).sum(-1)
    assert coloured[0, 0]
    assert not coloured[
        side * 9 // 16 :
    ].any()  # cells lie at pixels 0 and 32 of 64; stretched, it would reach 48


def test_which_of_two_files_is_meant_is_not_guessed(
    radiographs: RadiographFolder, model: Any, parameters: dict[str, Any]
) -> None:
    again = radiographs.path / "other"
    again.mkdir()
    (again / "h0.png").write_bytes((radiographs.path / "h1.png").read_bytes())
    rows, overlays = assess(
        table(("h0", "M", "")), RadiographFolder(radiographs.path), model, parameters["assess"]
    )
    assert rows.loc["h0", "status"] == "failed"
    assert "h0.png, other/h0.png" in rows.loc["h0", "warnings"]
    assert not overlays


def test_a_bad_chronological_age_does_not_cost_the_reading(
    radiographs: RadiographFolder, model: Any, parameters: dict[str, Any]
) -> None:
    rows, _ = assess(table(("h0", "M", "n/a")), radiographs, model, parameters["assess"])
    assert rows.loc["h0", "status"] == "ok"
    assert "invalid_chronological_age" in rows.loc["h0", "warnings"]


def test_a_column_that_is_not_used_is_told(caplog: pytest.LogCaptureFixture) -> None:
    cases = read_new_cases(pd.DataFrame([["h0", "M", "60"]], columns=["id", "sex", "chronological_age"]))
    assert cases["chronological_age_months"].isna().all()
    (told,) = caplog.messages
    assert told.startswith(
        "Of the table these columns are not used: chronological_age. A chronological age is"
    )


def test_an_empty_table_is_refused() -> None:
    with pytest.raises(ValueError, match="no rows"):
        read_new_cases(table())


def test_batches_and_threads_do_not_change_an_age(
    radiographs: RadiographFolder, model: Any, parameters: dict[str, Any]
) -> None:
    cases = table(*((f"h{i}", "M", "") for i in range(3)))
    one, _ = assess(cases, radiographs, model, parameters["assess"] | {"batch_size": 1, "workers": 1})
    all_, _ = assess(cases, radiographs, model, parameters["assess"] | {"batch_size": 16, "workers": 3})
    pd.testing.assert_frame_equal(one, all_, atol=0.11)
    assert one["bone_age_months"].nunique() > 1


def test_sex_goes_into_the_age(radiographs: RadiographFolder, model: Any, parameters: dict[str, Any]) -> None:
    girl, _ = assess(table(("h0", "F", "")), radiographs, model, parameters["assess"])
    boy, _ = assess(table(("h0", "M", "")), radiographs, model, parameters["assess"])
    assert girl.loc["h0", "bone_age_months"] != boy.loc["h0", "bone_age_months"]


def test_an_age_outside_what_was_learnt_is_indeterminate(
    radiographs: RadiographFolder, model: Any, parameters: dict[str, Any]
) -> None:
    weights, settings = model
    narrow = weights, settings | {"age_range_months": [1.0, 2.0]}
    rows, _ = assess(table(("h0", "M", "")), radiographs, narrow, parameters["assess"])
    assert rows.loc["h0", "status"] == "indeterminate"
    assert "outside 1 to 2 months" in rows.loc["h0", "warnings"]


def test_every_age_has_its_interval(
    radiographs: RadiographFolder, model: Any, parameters: dict[str, Any]
) -> None:
    cases = table(("h0", "M", ""), ("nowhere", "F", ""))
    rows, _ = assess(cases, radiographs, model, parameters["assess"])
    read = rows.loc["h0"]
    assert read["lower_months"] == pytest.approx(read["bone_age_months"] - RADIUS, abs=0.11)
    assert read["upper_months"] == pytest.approx(read["bone_age_months"] + RADIUS, abs=0.11)
    assert rows.loc["nowhere", ["lower_months", "upper_months"]].isna().all()


def test_an_interval_beyond_what_was_learnt_is_a_warning_and_not_a_refusal(
    radiographs: RadiographFolder, model: Any, parameters: dict[str, Any]
) -> None:
    wide = kept_with(model, radius=300)
    rows, _ = assess(table(("h0", "M", "")), radiographs, model, parameters["assess"], wide)
    assert rows.loc["h0", "status"] == "ok"
    assert "reaches beyond 216 months" in rows.loc["h0", "warnings"]


def test_a_picture_of_another_kind_is_indeterminate(
    radiographs: RadiographFolder, model: Any, parameters: dict[str, Any]
) -> None:
    strict = kept_with(model, threshold=1e-6)
    rows, _ = assess(table(("h0", "M", "")), radiographs, model, parameters["assess"], strict)
    assert rows.loc["h0", "status"] == "indeterminate"
    assert "unlike those the network learnt from" in rows.loc["h0", "warnings"]
    assert np.isfinite(rows.loc["h0", "bone_age_months"])


def test_two_hands_are_indeterminate(
    tmp_path: Path, radiographs: RadiographFolder, model: Any, parameters: dict[str, Any]
) -> None:
    film = np.pad(fabricate_hand(100, Sex.MALE, 1, 160).image, 20)
    cv2.imwrite(str(tmp_path / "two.png"), np.hstack([film, film[:, ::-1]]))
    rows, _ = assess(
        table(("h1", "M", ""), ("two", "M", "")), RadiographFolder(tmp_path), model, parameters["assess"]
    )
    assert rows["status"].tolist() == ["ok", "indeterminate"]
    assert "is there a second hand?" in rows.loc["two", "warnings"]


def test_an_adult_by_the_table_is_indeterminate(
    radiographs: RadiographFolder, model: Any, parameters: dict[str, Any]
) -> None:
    rows, _ = assess(table(("h0", "M", "240")), radiographs, model, parameters["assess"])
    assert rows.loc["h0", "status"] == "indeterminate"
    assert "the chronological age is 20.0 years" in rows.loc["h0", "warnings"]


@pytest.mark.parametrize(("part", "name"), [(0, "ptl_intervals"), (2, "ptl_familiarity_settings")])
def test_what_is_known_of_another_network_is_refused(
    radiographs: RadiographFolder, model: Any, parameters: dict[str, Any], part: int, name: str
) -> None:
    kept = list(kept_with(model))
    kept[part] = kept[part] | {"network": "another"}
    with pytest.raises(ValueError, match=f"{name} belongs to another network than ptl_weights"):
        assess(table(("h0", "M", "")), radiographs, model, parameters["assess"], tuple(kept))


class PalmAlone:
    """A `MaskReader` that finds half a disc above the lower edge: a palm that the edge cuts in the middle."""

    kind = "hand"

    def __init__(self, preparation: Any, trusted: bool) -> None:
        self.preparation, self._trusted = preparation, trusted

    def read(
        self, ids: Sequence[str], prepared: Sequence[Prepared], pixels: Sequence[np.ndarray]
    ) -> list[MaskReading]:
        return [MaskReading(self._mask(made), [], self._trusted) for made in prepared]

    @staticmethod
    def _mask(made: Prepared) -> np.ndarray:
        mask = np.zeros(made.source_shape, np.uint8)
        row, column = np.ogrid[: made.crop.height, : made.crop.width]
        off = np.hypot(made.crop.height - 1 - row, made.crop.width / 2 - column)
        made.crop.view(mask)[off < made.crop.width / 3] = 1
        return mask


class NoHand(PalmAlone):
    """Finds nothing."""

    @staticmethod
    def _mask(made: Prepared) -> np.ndarray:
        return np.zeros(made.source_shape, np.uint8)


def test_an_age_without_a_hand_is_indeterminate(
    radiographs: RadiographFolder, model: Any, parameters: dict[str, Any]
) -> None:
    weights, settings = model
    known = Reliability.of(weights, settings, *kept_with(model))
    reader = NoHand(settings["preparation"], trusted=False)
    assessor = Assessor(weights, settings, known, parameters["assess"], [reader])
    ((reading,),) = assessor.read(read_case_table(table(("h0", "M", ""))), radiographs)
    assert reading.status == "indeterminate"
    assert reading.warnings[0] == "no hand was found in the picture"


def test_a_file_of_another_sex_is_indeterminate_and_read_by_the_table(
    radiographs: RadiographFolder, model: Any, parameters: dict[str, Any], tmp_path: Path
) -> None:
    pixels = cv2.imread(str(tmp_path / "h0.png"), cv2.IMREAD_GRAYSCALE)
    size = {"Rows": pixels.shape[0], "Columns": pixels.shape[1]}
    (tmp_path / "boy.dcm").write_bytes(dicom(pixels, **size, PatientSex="M"))
    rows, _ = assess(
        table(("h0", "F", ""), ("boy", "F", "")), RadiographFolder(tmp_path), model, parameters["assess"]
    )
    assert rows["status"].tolist() == ["ok", "indeterminate"]
    assert rows.loc["boy", "warnings"].startswith("the file's header says sex M, but F was given and used")
    assert rows.loc["boy", "bone_age_months"] == pytest.approx(rows.loc["h0", "bone_age_months"], abs=0.01)


def test_how_the_batch_went_is_told(
    radiographs: RadiographFolder, model: Any, parameters: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        assess(table(("h0", "M", ""), ("nowhere", "F", "")), radiographs, model, parameters["assess"])
    told = "2 cases: 1 ok, 1 failed; the reasons stand in predictions.csv"
    assert told in caplog.messages
    others = sorted(set(radiographs) - {"h0"})
    named = ", ".join(others[:5]) + (", ..." if len(others) > 5 else "")
    assert (
        f"{len(others)} radiographs are in no row of the table and were not read: {named}" in caplog.messages
    )
    assert caplog.records[[*caplog.messages].index(told)].levelname == "INFO"
    caplog.clear()
    assess(table(("nowhere", "F", "")), radiographs, model, parameters["assess"])
    assert ("WARNING", "1 cases: 1 failed; the reasons stand in predictions.csv") in [
        (record.levelname, record.getMessage()) for record in caplog.records
    ]


@pytest.mark.parametrize(("trusted", "status"), [(True, "indeterminate"), (False, "ok")])
def test_a_hand_without_its_wrist_is_indeterminate_if_its_mask_is_trusted(
    radiographs: RadiographFolder, model: Any, parameters: dict[str, Any], trusted: bool, status: str
) -> None:
    weights, settings = model
    reader = PalmAlone(settings["preparation"], trusted)
    cases = read_case_table(table(("h0", "M", "")))
    known = Reliability.of(weights, settings, *kept_with(model))
    assessor = Assessor(weights, settings, known, parameters["assess"], [reader])
    ((reading,),) = assessor.read(cases, radiographs)
    assert reading.status == status
    assert any("the wrist is cut off" in warning for warning in reading.warnings) == trusted


def test_the_map_of_a_cut_hand_lies_on_the_hand_of_the_whole_picture(
    radiographs: RadiographFolder, model: Any, parameters: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    weights, settings = model
    crop = {"canvas_px": 80, "margin": 0, "remove_background": False}
    cut = settings | {"images": "hand", "preparation": settings["preparation"] | crop}
    everywhere = torch.full((1, 2, 2), 400.0)
    seen = AgeMaps(everywhere, torch.tensor([0.0]), torch.zeros(1, weights["head.weight"].shape[1]))
    monkeypatch.setattr(AgeRegressor, "activation_map", lambda *_: seen)
    reader, params = PalmAlone(settings["preparation"], trusted=True), parameters["assess"]
    assessor = Assessor(
        weights, cut, Reliability.of(weights, cut, *kept_with((weights, cut))), params, [reader]
    )
    ((reading,),) = assessor.read(read_case_table(table(("h0", "M", ""))), radiographs)
    side, file = params["overlay_px"], radiographs["h0"]
    made = prepare(read_radiograph(read_content(file), file.name), settings["preparation"])
    box = hand_box(reader._mask(made) > 0, 0)
    edges = np.array([[box.left, box.top], [box.right, box.bottom]]) - 0.5
    eye = canvas_transform(made.crop, Pose(made.mirrored, made.quarter_turns), side)
    (left, top), (right, bottom) = np.sort(map_points(edges, eye) + 0.5, axis=0).round().astype(int)
    assert 0 < left < right < side
    coloured = (reading.overlay[:, side:] != reading.overlay[:, :side]).any(-1)
    assert coloured[top + 2 : bottom - 2, left + 2 : right - 2].all()
    coloured[top:bottom, left:right] = False
    assert not coloured.any()


def test_a_chronological_age_far_off_is_told(
    radiographs: RadiographFolder, model: Any, parameters: dict[str, Any]
) -> None:
    params = parameters["assess"]
    bare, _ = assess(table(("h0", "M", "")), radiographs, model, params)
    age = bare.loc["h0", "bone_age_months"]
    near, far = str(max(age - 5, 0)), str(age + 40)
    rows, _ = assess(table(("h0", "M", near)), radiographs, model, params)
    assert "from the chronological age" not in str(rows.loc["h0", "warnings"])
    rows, _ = assess(table(("h0", "M", far)), radiographs, model, params)
    assert "-40 months from the chronological age" in rows.loc["h0", "warnings"]
    assert rows.loc["h0", "status"] == "ok"
    rows, _ = assess(table(("h0", "M", str(age + 100))), radiographs, model, params)
    assert rows.loc["h0", "warnings"].startswith("-100 months from the chronological age")
    assert rows.loc["h0", "status"] == "indeterminate"


def test_a_network_for_one_sex_refuses_the_other(
    radiographs: RadiographFolder, model: Any, parameters: dict[str, Any]
) -> None:
    weights, settings = model
    rows, _ = assess(
        table(("h0", "F", ""), ("h1", "M", "")),
        radiographs,
        (weights, settings | {"cohort": "F"}),
        parameters["assess"],
    )
    assert rows["status"].tolist() == ["ok", "failed"]
    assert "trained on sex F alone" in rows.loc["h1", "warnings"]
