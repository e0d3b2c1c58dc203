"""How well two readings of the same outlines agree, bone by bone.

    python tools/compare_outlines.py FIRST SECOND

Both folders have Labelme files called after the picture, with one polygon a label. Prints a table with a row for each
picture of both folders and label, and a summary by label: IoU, the mean distance of the boundaries from each other in
pixels of the file, and that distance as a share of the root of the bone's area.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd

from boneage_kedro.evaluation.segmentation.scores import boundary_distance_px, iou
from boneage_kedro.masks.drawn.polygons import polygons_to_mask


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("first", type=Path)
    parser.add_argument("second", type=Path)
    options = parser.parse_args()
    files = [file for file in sorted(options.second.glob("*.json")) if (options.first / file.name).exists()]
    rows = pd.DataFrame([row for file in files for row in compare(options.first / file.name, file)])
    print(rows.round(4).to_string(index=False))
    print(
        rows.groupby("label")[["iou", "distance_px", "distance_share"]]
        .agg(["mean", "median", "min", "max"])
        .round(4)
        .T
    )


def compare(first: Path, second: Path) -> list[dict[str, object]]:
    """A row for each label."""
    ours, others = masks(first), masks(second)
    rows: list[dict[str, object]] = []
    for label in sorted(ours.keys() & others.keys()):
        mask = ours[label]
        distance = boundary_distance_px(others[label], mask).mean
        share = distance / np.sqrt(mask.sum())
        row = {"iou": iou(others[label], mask), "distance_px": distance, "distance_share": share}
        rows.append({"id": first.stem, "label": label} | row)
    return rows


def masks(file: Path) -> dict[str, np.ndarray]:
    """One mask a label, overlaps in both."""
    content = json.loads(file.read_text(encoding="utf-8"))
    shape = (content["imageHeight"], content["imageWidth"])
    return {item["label"]: polygons_to_mask([np.array(item["points"])], shape) for item in content["shapes"]}


if __name__ == "__main__":
    main()
