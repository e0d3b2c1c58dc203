"""The outlines of radius and ulna that come with the project can be read, and are what their README says."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from boneage_kedro.masks.drawn.labelme import read_labelme
from boneage_kedro.masks.drawn.polygons import crosses_itself, polygons_to_mask

FOLDER = Path(__file__).parents[3] / "data" / "annotations" / "dru"
FILES = sorted(FOLDER.glob("*.json"), key=lambda file: int(file.stem))
THUMB_ON_THE_LEFT = {"2058", "15375"}
LABELS = {"radius": 1, "ulna": 2}

each_file = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


@cache
def content(file: Path) -> dict[str, Any]:
    return json.loads(file.read_text(encoding="utf-8"))


def shape(file: Path) -> tuple[int, int]:
    return content(file)["imageHeight"], content(file)["imageWidth"]


def polygons(file: Path) -> dict[str, np.ndarray]:
    return {item["label"]: np.array(item["points"]) for item in content(file)["shapes"]}


@each_file
def test_the_importer_reads_both_bones(file: Path) -> None:
    mask = read_labelme(file.read_bytes(), file.name, LABELS, shape(file), file.stem)
    assert set(np.unique(mask)) == {0, 1, 2}


@each_file
def test_there_is_one_polygon_a_bone_and_no_picture(file: Path) -> None:
    assert [item["label"] for item in content(file)["shapes"]] == [
        "ulna",
        "radius",
    ]  # the later one is on top
    assert {item["shape_type"] for item in content(file)["shapes"]} == {"polygon"}
    assert content(file)["imageData"] is None
    assert content(file)["imagePath"] == f"{file.stem}.png"


@each_file
def test_outlines_are_simple_and_within_the_picture(file: Path) -> None:
    for points in polygons(file).values():
        assert not crosses_itself(points)
        assert points.min() >= 0
        assert (points <= shape(file)[::-1]).all()


def coarse_mask(points: np.ndarray, file: Path) -> np.ndarray:
    """A quarter of the size, to be quick."""
    rows, columns = shape(file)
    return polygons_to_mask([points / 4], (rows // 4 + 1, columns // 4 + 1))


@each_file
def test_the_radius_is_the_larger_one_on_the_side_of_the_thumb(file: Path) -> None:
    radius, ulna = (coarse_mask(polygons(file)[bone], file) for bone in LABELS)
    assert radius.sum() > ulna.sum()
    to_the_right = np.argwhere(radius)[:, 1].mean() > np.argwhere(ulna)[:, 1].mean()
    assert to_the_right == (file.stem not in THUMB_ON_THE_LEFT)
    assert np.count_nonzero(radius & ulna) < 0.01 * np.count_nonzero(ulna)


def test_every_picture_is_in_one_part() -> None:
    splits = pd.read_csv(FOLDER / "splits.csv", dtype=str)
    assert splits["id"].tolist() == [file.stem for file in FILES]
    assert set(splits["part"]) == {"training", "validation", "test"}
    assert (splits["part"] == "test").sum() >= 15


def test_what_was_drawn_twice_agrees() -> None:
    repeated = sorted((FOLDER.parent / "dru_repeat").glob("*.json"))
    assert len(repeated) >= 8
    for again in repeated:
        for label, points in polygons(FOLDER / again.name).items():
            one, other = (coarse_mask(found, again) for found in (points, polygons(again)[label]))
            assert np.count_nonzero(one & other) > 0.94 * np.count_nonzero(one | other)
