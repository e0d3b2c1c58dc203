"""Labelme files of radius and ulna as masks of radiographs of any size; bad files are named, good ones kept."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from boneage_kedro.masks.drawn.outline_folder import OutlineFolder, read_outlines, read_parts
from boneage_kedro.masks.label_maps import UnusableMask

DRU = Path(__file__).parents[3] / "data" / "annotations" / "dru"
LABELS = {"radius": 1, "ulna": 2}
SHAPE = (80, 120)
RADIUS = [[20, 20], [60, 20], [60, 60], [20, 60]]
ULNA = [[80, 20], [100, 20], [100, 60], [80, 60]]


def bones(radius: Any = RADIUS, ulna: Any = ULNA) -> list[dict[str, Any]]:
    return [{"label": label, "points": points} for label, points in (("ulna", ulna), ("radius", radius))]


def file(shapes: list[dict[str, Any]], **more: Any) -> bytes:
    values = {"shapes": shapes, "imagePath": "7.png", "imageHeight": SHAPE[0], "imageWidth": SHAPE[1]}
    return json.dumps({**values, **more}).encode()


def read(content: bytes, shape: tuple[int, int] = SHAPE) -> np.ndarray:
    return read_outlines(content, "7.json", LABELS, shape, "7")


def drawn(shape: tuple[int, int], rows: int, columns: int) -> np.ndarray:
    mask = np.zeros(shape, np.uint8)
    mask[rows : 3 * rows, columns : 3 * columns] = 1
    mask[rows : 3 * rows, 4 * columns : 5 * columns] = 2
    return mask


@pytest.mark.parametrize("factors", [(1, 1), (2, 2), (4, 2), (20, 20)])
def test_outlines_follow_the_size_of_the_picture_by_rows_and_by_columns(factors: tuple[int, int]) -> None:
    rows, columns = factors
    shape = (SHAPE[0] // rows, SHAPE[1] // columns)
    assert np.array_equal(read(file(bones()), shape), drawn(shape, 20 // rows, 20 // columns))


def test_a_file_that_states_no_size_was_drawn_on_this_picture() -> None:
    content = file(bones(), imageHeight=None, imageWidth=None)
    assert np.array_equal(read(content), drawn(SHAPE, 20, 20))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"{", "is not JSON"),
        (b"[]", "has no 'shapes'"),
        (file([]), "has no shapes; draw one of radius, ulna"),
        (file(bones()[:1]), "radius is not outlined"),
        (file([*bones(ulna=[[30, 30], [40, 30], [40, 40]])]), "ulna is not outlined, or lies below others"),
        (file([*bones(), {"label": "hamate", "points": ULNA}]), "has the labels 'hamate'"),
        (file(bones(radius=RADIUS[:2])), "fewer than 3 points"),
        (file(bones(radius=[[500, 500], [600, 500], [600, 600]])), "beyond the picture of 120 x 80"),
        (file(bones(), imagePath="8.png"), "is of picture 8.png, not of 7"),
        (file(bones(), imageHeight="80"), "says that its picture has 120 x 80 pixels; save it"),
        (file(bones(), imageHeight=-80), "says that its picture has 120 x -80 pixels; save it"),
        (file(bones(), imageHeight=10**9), "more than the limit of 100,000,000"),
        (
            file(bones(ulna=[[62, 20], [75, 20], [75, 60]]), imageHeight=120, imageWidth=80),
            "lies on its side",
        ),
    ],
)
def test_what_cannot_be_right_is_refused_with_the_files_name(content: bytes, reason: str) -> None:
    with pytest.raises(UnusableMask, match=f"^7.json: .*{reason}"):
        read(content)


def test_a_bone_that_is_lost_in_a_small_picture_is_named() -> None:
    thin = [[80, 20], [82, 20], [82, 60], [80, 60]]
    with pytest.raises(UnusableMask, match=r"7\.json: ulna is too small at 12 x 8 pixels"):
        read(file(bones(ulna=thin)), (8, 12))


def index(**shapes: tuple[int, int]) -> pd.DataFrame:
    return pd.DataFrame({"id": list(shapes), "source_shape": [list(shape) for shape in shapes.values()]})


def test_a_bad_file_in_a_folder_does_not_spoil_the_others(tmp_path: Path) -> None:
    for key in ("a", "b", "stranger"):
        (tmp_path / f"{key}.json").write_bytes(file(bones(), imagePath=f"{key}.png"))
    (tmp_path / "b.json").write_bytes(b"cut")
    (tmp_path / "README.md").write_text("how they were drawn")
    masks = OutlineFolder(tmp_path, index(a=(40, 60), b=SHAPE, c=SHAPE), LABELS)
    assert list(masks) == ["a", "b"]
    assert masks.without_radiograph == {"stranger": "stranger.json"}
    assert np.array_equal(masks["a"], drawn((40, 60), 10, 10))
    with pytest.raises(UnusableMask, match=r"b\.json: is not JSON"):
        masks["b"]
    with pytest.raises(FileNotFoundError, match="there is no such folder; put the Labelme files there"):
        OutlineFolder(tmp_path / "elsewhere", index(), LABELS)


def test_outlines_that_come_with_the_project_fit_a_picture_of_half_the_size() -> None:
    content = json.loads((DRU / "5303.json").read_text())
    whole = (content["imageHeight"], content["imageWidth"])  # 1296 x 993
    half = (whole[0] // 2, whole[1] // 2)
    masks = OutlineFolder(DRU, index(**{"5303": half}), LABELS)["5303"]
    native = OutlineFolder(DRU, index(**{"5303": whole}), LABELS)["5303"]
    for code in LABELS.values():
        share = np.count_nonzero(masks == code) / np.count_nonzero(native == code)
        assert share == pytest.approx(0.25 * half[1] * 2 / whole[1], rel=0.002)


def test_parts_that_come_with_the_project_have_the_projects_names() -> None:
    table = pd.read_csv(DRU / "splits.csv", dtype=str)
    parts = read_parts(table, [file.stem for file in DRU.glob("*.json")])
    assert parts["split"].value_counts().to_dict() == {"train": 40, "test": 21, "validation": 10}
    assert parts["id"].tolist() == table["id"].tolist()


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        (
            {"id": ["1", "2"], "part": ["training", "dev"]},
            "unknown parts, none of training, validation, test: dev",
        ),
        ({"id": ["1", "2", "2"], "part": ["test"] * 3}, "ids in it more than once: 2"),
        ({"id": ["1", "2", "3"], "part": ["test"] * 3}, "ids without outlines: 3"),
        ({"id": ["1"], "part": ["test"]}, "outlines without a part: 2"),
        ({"id": ["1", "2"]}, "has no column part"),
    ],
)
def test_a_table_of_parts_that_does_not_fit_is_refused(rows: dict[str, list[str]], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        read_parts(pd.DataFrame(rows), ["1", "2"])
