"""What packages read of radiographs of the calibration part as other archives might have kept them.

    BONEAGE_DATA=DIR python -m benchmarks.changed_assessed --env rsna PACKAGE [PACKAGE ...]

Every radiograph is written as a file, changed, and goes through `assess`. A line a change and package: mean absolute
error and bias in months, the share of intervals that hold the reading, and the share called indeterminate; from the
second package on also how much more it errs than the first, with a 95% interval over children. The test part is not
read: a recipe may be chosen by these figures.
"""

import argparse
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from benchmarks.shipped import open_catalog, parameters

from boneage_kedro.evaluation.ages.metrics import mean_interval
from boneage_kedro.handover.package import load_package
from boneage_kedro.imaging.changes import alterations
from boneage_kedro.imaging.changes.alterations import EIGHT_BITS, GrayScale
from boneage_kedro.imaging.reading import read_radiograph
from boneage_kedro.imaging.sources import RadiographFolder, RadiographSource
from boneage_kedro.reading.assessment import Assessor
from boneage_kedro.reading.case_opening import Status

Change = Callable[[np.ndarray], np.ndarray]


def square(levels: np.ndarray, side: int) -> np.ndarray:
    """Squashed into a square, as sets for image networks are."""
    return cv2.resize(np.ascontiguousarray(levels), (side, side), interpolation=cv2.INTER_AREA)


def letterboxed(levels: np.ndarray, side: int) -> np.ndarray:
    """In its own shape on a black square."""
    height, width = levels.shape
    spare = [max(levels.shape) - own for own in (height, width)]
    return square(np.pad(levels, [(one // 2, one - one // 2) for one in spare]), side)


def flattened(levels: np.ndarray) -> np.ndarray:
    """With a histogram that is flat over the whole picture."""
    return EIGHT_BITS.levels(cv2.equalizeHist(EIGHT_BITS.pixels(levels)))


def exported(levels: np.ndarray) -> np.ndarray:
    """Cut closely, squashed into a square and equalised locally."""
    closer = alterations.cut(alterations.cut(levels, 0.08, ["left", "right", "bottom"]), 0.03, ["top"])
    return alterations.equalise(square(closer, 512), 4)


CHANGES: dict[str, Change] = {
    "as they are": lambda levels: levels,
    "square of 512 px": partial(square, side=512),
    "square of 256 px": partial(square, side=256),
    "square of 512 px, JPEG of quality 60": lambda levels: alterations.compress(square(levels, 512), 60),
    "on a black square of 512 px": partial(letterboxed, side=512),
    "0.85 as wide": partial(alterations.squash, factor=0.85),
    "1.18 as wide": partial(alterations.squash, factor=1.18),
    "gamma 0.6": partial(alterations.gamma, exponent=0.6),
    "gamma 1.8": partial(alterations.gamma, exponent=1.8),
    "equalised locally": partial(alterations.equalise, clip_limit=4),
    "equalised as a whole": flattened,
    "cut, square, equalised locally": exported,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("packages", type=Path, nargs="+", metavar="PACKAGE")
    parser.add_argument("--env", default="rsna")
    arguments = parser.parse_args()
    catalog = open_catalog(arguments.env)
    cases = catalog.load("cases").merge(catalog.load("splits")[["id", "split"]], on="id")
    cases = cases[cases["split"] == "calibration"].reset_index(drop=True)
    radiographs = catalog.load("raw_radiographs@files")
    settings = parameters("assess")
    assessors = {package: load_package(package).assessor(settings) for package in arguments.packages}
    for name, change in CHANGES.items():
        with tempfile.TemporaryDirectory() as folder:
            for key in cases["id"]:
                write(Path(folder) / f"{key}.png", radiographs[key], change)
            first = None
            for package, assessor in assessors.items():
                read = assess(assessor, cases, RadiographFolder(Path(folder)))
                errors = read["age"] - read["truth"]
                print(f"{name:38} {package!s:34} {line(read, errors)}{against(first, errors)}", flush=True)
                first = errors if first is None else first


def write(path: Path, source: RadiographSource, change: Change) -> None:
    pixels = read_radiograph(source.read_bytes(), path.stem).pixels
    levels = GrayScale.of(pixels).levels(pixels)
    cv2.imwrite(str(path), EIGHT_BITS.pixels(change(levels)))


def assess(assessor: Assessor, cases: pd.DataFrame, radiographs: RadiographFolder) -> pd.DataFrame:
    """``truth, age, lower, upper, indeterminate`` of each case; nan where nothing was read."""
    known = cases[["id", "sex"]].assign(chronological_age_months=np.nan, problem="", note="")
    readings = [reading for batch in assessor.read(known, radiographs) for reading in batch]
    return pd.DataFrame(
        {
            "truth": cases["bone_age_months"],
            "age": [reading.bone_age_months for reading in readings],
            "lower": [reading.lower_months for reading in readings],
            "upper": [reading.upper_months for reading in readings],
            "indeterminate": [reading.status != Status.OK for reading in readings],
        }
    ).astype({"age": float, "lower": float, "upper": float})


def line(read: pd.DataFrame, errors: pd.Series) -> str:
    held = read["truth"].between(read["lower"], read["upper"])
    return (
        f"{errors.abs().mean():5.2f} {errors.mean():+6.2f}  held {held.mean():4.0%}  "
        f"indeterminate {read['indeterminate'].mean():4.0%}"
    )


def against(first: pd.Series | None, errors: pd.Series) -> str:
    if first is None:
        return ""
    more = (errors.abs() - first.abs()).to_numpy()
    low, high = mean_interval(more, seed=0)
    return f"  more {more.mean():+.2f} ({low:+.2f} to {high:+.2f})"


if __name__ == "__main__":
    main()
