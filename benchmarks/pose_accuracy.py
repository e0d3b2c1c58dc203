"""How often real radiographs that were turned, mirrored or inverted on purpose are put right.

    python -m benchmarks.pose_accuracy --radiographs DATA/half
    python -m benchmarks.pose_accuracy --radiographs DATA/small100.zip \\
        --sizes DATA/original_sizes.csv --key-points DATA/keypoints3.csv

All are taken for upright left hands with bright bone, so those that are not count as errors; key points (`p1_x` to
`p3_y`: the tips of middle finger and thumb, and the middle of the wrist, in pixels) leave those that are. What is
decided of phantoms, and whether they are cut off, tells `preparation_accuracy.py`.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from benchmarks.fit_recognition import thumbnails
from benchmarks.shipped import preparation

from boneage_kedro.imaging.geometry import UPRIGHT, Pose
from boneage_kedro.imaging.preparation.prepare import prepare
from boneage_kedro.imaging.preparation.recognition import APPEARANCES, Appearance
from boneage_kedro.imaging.radiograph import Radiograph
from boneage_kedro.imaging.sources import RadiographFolder

SETTINGS = preparation(canvas_px=64)
_PLACES = np.arange(9).reshape(3, 3)
_STEEP = 1.5  # how much higher than aside of the wrist the tip of the middle finger lies


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--radiographs", type=Path, required=True, help="folder or archive")
    parser.add_argument("--sizes", type=Path, help="table of id and true width and height, if squashed")
    parser.add_argument("--key-points", type=Path, help="table of id and three points")
    arguments = parser.parse_args()
    radiographs = RadiographFolder(arguments.radiographs)
    upright = upright_left_hands(arguments.key_points) if arguments.key_points else radiographs
    chosen = {key: radiographs[key] for key in radiographs if key in upright}
    rows = [
        dict(inverted=change.inverted, pose=change.pose, **verdict(small, change))
        for _, small in thumbnails(chosen, arguments.sizes)
        for change in APPEARANCES
    ]
    tell(pd.DataFrame(rows))


def upright_left_hands(table: Path) -> set[str]:
    """Those whose fingers point up and whose thumb is to the right."""
    points = pd.read_csv(table, dtype={"id": str}, index_col="id")
    up = points["p3_y"] - points["p1_y"] > _STEEP * (points["p3_x"] - points["p1_x"]).abs()
    thumb_right = points["p2_x"] > points[["p1_x", "p3_x"]].max(axis=1)
    return set(points.index[up & thumb_right])


def verdict(thumbnail: np.ndarray, change: Appearance) -> dict[str, bool]:
    """What is made of a thumbnail after a change: polarity, fingers and all as they were or not."""
    changed = np.ascontiguousarray(change.pose.apply(thumbnail))
    if change.inverted:
        changed = changed.max() + changed.min() - changed
    found = prepare(Radiograph(changed, None, None, None, False), SETTINGS)
    places = Pose(found.mirrored, found.quarter_turns).apply(change.pose.apply(_PLACES))
    return {
        "polarity_right": found.inverted == change.inverted,
        "fingers_up": bool(places[0, 1] == _PLACES[0, 1]),
        "pose_right": np.array_equal(places, _PLACES),
    }


def tell(rows: pd.DataFrame) -> None:
    posed = rows[~rows["inverted"]]
    as_they_are, changed = posed[posed["pose"] == UPRIGHT], posed[posed["pose"] != UPRIGHT]
    turned = changed[[pose.quarter_turns != 0 for pose in changed["pose"]]]
    print(f"{len(as_they_are)} radiographs, share that is right afterwards:")
    for name, part, column in (
        ("as they are: polarity", as_they_are, "polarity_right"),
        ("as they are: pose", as_they_are, "pose_right"),
        ("turned: fingers up", turned, "fingers_up"),
        ("turned and mirrored in seven ways: pose", changed, "pose_right"),
        ("negatives in eight poses: polarity", rows[rows["inverted"]], "polarity_right"),
    ):
        print(f"{name:42} {part[column].mean():7.2%}")


if __name__ == "__main__":
    main()
