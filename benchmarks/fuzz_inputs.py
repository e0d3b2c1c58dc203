"""Damaged files and malformed tables through reading, preparation and assessment: nothing may crash, hang or be lost.

    python -m benchmarks.fuzz_inputs --files 2000 --tables 200 --seed 0

Each file is read, prepared and, if it is DICOM and was read, answered with DICOM results; then all of them are
assessed as one folder and as one damaged zip archive, with a tiny untrained network. Each table goes through the
reader of tables of cases and is assessed on three whole files. Printed are counts and the peak of memory, and what
went wrong with the name or number that gives it again. Whatever takes longer than 120 s stops the run with the stack.
"""

import argparse
import faulthandler
import math
import resource
import sys
import tempfile
import time
import traceback
import zipfile
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from benchmarks.fuzz_files import mutated_files, whole_files
from benchmarks.fuzz_tables import malformed_tables, stated_ids, stated_sexes
from benchmarks.shipped import parameters, preparation
from pydicom import dcmread

from boneage_kedro.cohort.tables import read_case_table
from boneage_kedro.dicom_output.results import dicom_results
from boneage_kedro.dicom_output.source import NothingToReferTo
from boneage_kedro.evaluation.ages.intervals import IntervalCalibration
from boneage_kedro.evaluation.ages.mondrian import Group
from boneage_kedro.evaluation.clinical.case_result import CaseResult
from boneage_kedro.imaging.formats.dicom import held_back_warnings
from boneage_kedro.imaging.ingest import read_content
from boneage_kedro.imaging.preparation.prepare import prepare
from boneage_kedro.imaging.radiograph import Radiograph, UnreadableRadiograph
from boneage_kedro.imaging.reading import read_radiograph
from boneage_kedro.imaging.sources import FileSource, RadiographFolder
from boneage_kedro.models.feature_distance import FeatureDistance
from boneage_kedro.models.regressor import AgeRegressor, RegressorConfig
from boneage_kedro.reading.assessment import Assessor
from boneage_kedro.reading.case_opening import Reading
from boneage_kedro.reading.reliability import Reliability

LONGEST_S = 120
CANVAS_PX = 64
PREPARATION = preparation(CANVAS_PX)
SETTINGS = parameters("assess") | {"overlay_px": CANVAS_PX, "accelerator": "cpu"}


class Watch:
    """Stops the process with the stack when one thing takes too long, even inside a decoder."""

    def __enter__(self) -> None:
        faulthandler.dump_traceback_later(LONGEST_S, exit=True)

    def __exit__(self, *_: object) -> None:
        faulthandler.cancel_dump_traceback_later()


def read_one(path: Path) -> Radiograph | str:
    """A radiograph, or the reason against it; anything else is an error."""
    try:
        radiograph = read_radiograph(read_content(FileSource(path, path.name)), path.name)
    except UnreadableRadiograph as refusal:
        assert str(refusal).startswith(f"{path.name}: "), refusal
        assert str(refusal).isprintable(), refusal
        return str(refusal)
    pixels = radiograph.pixels
    assert pixels.ndim == 2, path.name
    assert pixels.dtype in (np.uint8, np.uint16, np.float32), (path.name, pixels.dtype)
    assert np.isfinite(pixels).all(), path.name
    assert radiograph.sex in {None, *_header_sex(path)}, (path.name, radiograph.sex)
    age = radiograph.age_months
    assert age is None or (math.isfinite(age) and age >= 0), (path.name, age)
    prepared = prepare(radiograph, PREPARATION)
    assert prepared.image.shape == (CANVAS_PX, CANVAS_PX), path.name
    return radiograph


def _header_sex(path: Path) -> set[str]:
    """What a sex may be read as: the one letter in the header, if it is one."""
    if path.suffix != ".dcm":
        return set()
    with held_back_warnings():
        letter = (
            str(dcmread(path, force=True, stop_before_pixels=True).get("PatientSex") or "").strip().upper()
        )
    return {letter} & {"F", "M"}


def answer_one(path: Path) -> str:
    """Whether DICOM results could be made for a file, and if so that they can be read."""
    result = CaseResult("h", "F", 97.5, 88.0, 107.0, 0.9, 120.0, "ok", (), 0.9, "run")
    picture = np.zeros((32, 64, 3), np.uint8)
    try:
        made = dicom_results(path.read_bytes(), result, picture, datetime(2026, 1, 1))
    except NothingToReferTo:
        return "not answered"
    assert dcmread(BytesIO(made["report"])).Modality == "SR", path.name
    assert read_radiograph(made["picture"]).pixels.ndim == 2, path.name
    return "answered"


@cache
def network() -> tuple[Mapping[str, torch.Tensor], Mapping[str, Any], Reliability]:
    """A tiny network that has learnt nothing, with its settings and what is known of it."""
    torch.manual_seed(0)
    model = AgeRegressor(RegressorConfig("test_efficientnet", CANVAS_PX, 100.0, 40.0, 0.0))
    ages = [6.0, 216.0]
    settings = {"regressor": model.config.as_dict(), "cohort": "all", "age_range_months": ages}
    detector = FeatureDistance(model.state_dict()["head.weight"].shape[1], rank=2)
    detector.threshold.fill_(math.inf)
    calibration = IntervalCalibration(0.9, 100, None, (Group("all", 0.0, 100, 15.0),))
    return (
        model.state_dict(),
        settings | {"preparation": PREPARATION},
        Reliability(calibration, detector, ages),
    )


def assess(cases: pd.DataFrame, images: Path) -> list[Reading]:
    """All readings of a table."""
    batches = Assessor(*network(), SETTINGS, []).read(cases, RadiographFolder(images))
    return [reading for batch in batches for reading in batch]


def check_readings(cases: pd.DataFrame, readings: list[Reading]) -> Counter[str]:
    """One reading a row, in order, with the sex of the row, and an age or a reason."""
    assert [reading.id for reading in readings] == cases["id"].tolist()
    assert [reading.sex for reading in readings] == cases["sex"].tolist()
    for reading in readings:
        failed = str(reading.status) == "failed"
        assert failed == math.isnan(reading.bone_age_months), reading
        assert not failed or reading.warnings, reading
        assert failed or reading.sex in {"F", "M"}, reading
    return Counter(str(reading.status) for reading in readings)


def check_table(table: pd.DataFrame) -> pd.DataFrame | None:
    """The cases of a table, none where it lacks a column: every row kept or said before, every sex a stated one."""
    try:
        cases = read_case_table(table)
    except ValueError as refusal:
        assert "column" in str(refusal), refusal
        return None
    stated = stated_sexes(table)
    allowed = set().union(*stated) if stated else set()
    assert set(cases["sex"]) <= allowed | {""}
    unclear = sum(not sexes for sexes in stated)
    kept = len(cases)
    repeated = cases[cases["problem"] == ""]
    assert not repeated["id"].duplicated().any()
    assert (cases.loc[cases["sex"] == "", "problem"] != "").all()
    if kept == len(table):
        for sex, sexes in zip(cases["sex"], stated, strict=True):
            assert sex in sexes or (sex == "" and not sexes), (sex, sexes)
    assert (cases["sex"] == "").sum() <= unclear
    assert kept <= len(table)
    assert stated_ids(table) == set(cases["id"])
    return cases


def fuzz_files(count: int, seed: int, folder: Path) -> Mapping[str, int]:
    """Counts of what became of damaged files."""
    counts: Counter[str] = Counter()
    for name, data in mutated_files(count, seed):
        path = folder / name
        path.write_bytes(data)
        with Watch():
            counts.update(file_outcomes(path))
    return counts


def file_outcomes(path: Path) -> list[str]:
    """What became of one damaged file; an error that it should not cause is among it, with its name."""
    try:
        if isinstance(read_one(path), str):
            return ["files refused"]
        answers = [f"files {answer_one(path)}"] if path.suffix == ".dcm" else []
        return ["files read", *answers]
    except Exception as error:
        traceback.print_exc()
        return [f"FAILED {path.name}: {type(error).__name__}"]


def fuzz_assessment(folder: Path, seed: int) -> Mapping[str, int]:
    """Counts of what became of the same files when they were assessed, from a folder and from a damaged archive."""
    names = sorted(path.name for path in folder.iterdir())
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({"id": names, "sex": rng.choice(["F", "M"], len(names))}, dtype=str)
    cases = read_case_table(table)
    assert cases["sex"].tolist() == table["sex"].tolist()
    readings = assess(cases, folder)
    counts = {f"assessed {status}": n for status, n in check_readings(cases, readings).items()}
    archive = folder.parent / "damaged.zip"
    write_damaged_archive(archive, folder, rng)
    by_archive = check_readings(cases, assess(cases, archive))
    return counts | {f"from a damaged archive {status}": n for status, n in by_archive.items()}


def write_damaged_archive(archive: Path, folder: Path, rng: np.random.Generator) -> None:
    """A zip archive of a folder whose directory is whole and whose members are not."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        for path in sorted(folder.iterdir()):
            zipped.write(path, path.name)
    data = bytearray(archive.read_bytes())
    with zipfile.ZipFile(archive) as zipped:
        directory_at = zipped.start_dir
        members = [(info.header_offset, info.compress_size) for info in zipped.infolist()]
    for offset, size in members:
        for _ in range(rng.integers(3)):
            data[min(offset + int(rng.integers(60 + size)), directory_at - 1)] = rng.integers(256)
    archive.write_bytes(bytes(data))


def fuzz_tables(count: int, seed: int, folder: Path) -> Mapping[str, int]:
    """Counts of what became of malformed tables."""
    for number in range(3):
        (folder / f"h{number}.png").write_bytes(whole_files()["8bit.png"])
    counts: Counter[str] = Counter()
    for number, table in enumerate(malformed_tables(count, seed)):
        with Watch():
            try:
                cases = None if table is None else check_table(table)
                if cases is None or table is None:
                    counts["tables refused"] += 1
                    continue
                statuses = check_readings(cases, assess(cases, folder))
            except Exception as error:
                traceback.print_exc()
                counts[f"FAILED table {number}: {type(error).__name__}"] += 1
                continue
        counts["tables read"] += 1
        counts["rows of tables"] += len(table)
        counts.update({f"rows {status}": n for status, n in statuses.items()})
    return counts


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, required=True)
    parser.add_argument("--tables", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    options = parser.parse_args()
    faulthandler.enable()
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as place:
        for part in ("files", "tables"):
            (Path(place) / part).mkdir()
        counts = {
            **fuzz_files(options.files, options.seed, Path(place) / "files"),
            **fuzz_assessment(Path(place) / "files", options.seed),
            **fuzz_tables(options.tables, options.seed, Path(place) / "tables"),
        }
    for what, number in counts.items():
        print(f"{number:7,} {what}")
    failed = [what for what in counts if what.startswith("FAILED")]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{peak:7,.0f} MiB at most, {time.perf_counter() - start:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
