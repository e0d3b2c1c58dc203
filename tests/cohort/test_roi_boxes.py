import pandas as pd
import pytest

from boneage_kedro.cohort.roi_boxes import first_reader, read_block_boxes

COLUMNS = ["id", "annotator_set", "label", "xmin", "ymin", "xmax", "ymax", "img_width", "img_height"]


def table(*rows: str) -> pd.DataFrame:
    return pd.DataFrame([row.split() for row in rows], columns=COLUMNS, dtype=str)


GOOD = (
    "7 a Radius 50 80 70 95 100 120",
    "7 a Ulna 30 85 45 100 100 120",
    "7 a Wrist 0 0 100 90 100 120",
)


def test_the_block_is_the_box_around_both_bones() -> None:
    blocks, findings = read_block_boxes(table(*GOOD))
    assert blocks.to_dict("records") == [
        {
            "id": "7",
            "reader": "a",
            "left": 30,
            "top": 80,
            "right": 70,
            "bottom": 100,
            "width": 100,
            "height": 120,
        }
    ]
    assert findings.empty


def test_the_same_row_again_changes_nothing() -> None:
    pd.testing.assert_frame_equal(read_block_boxes(table(*GOOD, *GOOD))[0], read_block_boxes(table(*GOOD))[0])


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("8 a Ulna 30 8x 45 100 100 120", "row 6, ulna: ymin is no number"),
        ("8 a Ulna 30 85 30 100 100 120", "row 6, ulna: the box 30, 85 to 30, 100 is empty"),
        ("8 a Ulna 30 85 45 121 100 120", "row 6, ulna: the box leaves the picture of 100 x 120"),
        ("8 a Ulna -1 85 45 100 100 120", "row 6, ulna: the box leaves the picture"),
        ("8 a Ulna 30 85 45 100 100 inf", "row 6, ulna: img_height is no number"),
    ],
)
def test_a_bad_row_is_named_and_the_good_ones_go_in(row: str, why: str) -> None:
    blocks, findings = read_block_boxes(table(*GOOD, "8 a Radius 50 80 70 95 100 120", row))
    assert blocks["id"].tolist() == ["7"]
    assert findings["kind"].tolist() == ["invalid_box", "incomplete_block"]
    assert findings["detail"][0].startswith(why)
    assert findings["detail"][1] == "reader 'a': no usable boxes of the ulna, where there must be one"


def test_a_row_without_an_id_is_named() -> None:
    raw = table(*GOOD, "8 a Ulna 30 85 45 100 100 120")
    raw.loc[3, "id"] = " "
    blocks, findings = read_block_boxes(raw)
    assert len(blocks) == 1
    assert findings["detail"].tolist() == ["row 5, ulna: no id"]


def test_two_boxes_of_one_bone_are_no_block() -> None:
    blocks, findings = read_block_boxes(table(*GOOD, "7 a Ulna 31 85 45 100 100 120"))
    assert blocks.empty
    assert findings["detail"].tolist() == ["reader 'a': 2 usable boxes of the ulna, where there must be one"]


def test_two_sizes_of_one_picture_are_no_block() -> None:
    _, findings = read_block_boxes(table(GOOD[0], "7 a Ulna 30 85 45 100 90 120"))
    assert findings["detail"][0].endswith("the two boxes give the radiograph different sizes")


def test_of_two_readers_the_first_named_counts() -> None:
    second = [row.replace("7 a", "7 b").replace(" 80 ", " 81 ") for row in GOOD]
    other = [row.replace("7 a", "9 c") for row in GOOD]
    blocks, _ = read_block_boxes(table(*GOOD, *second, *other))
    assert blocks["reader"].tolist() == ["a", "b", "c"]
    assert first_reader(blocks, ["b", "a"])[["id", "top"]].to_numpy().tolist() == [["7", 81.0]]
    assert first_reader(blocks, ["c", "a"])["id"].tolist() == ["7", "9"]


def test_a_table_without_its_columns_is_refused() -> None:
    with pytest.raises(ValueError, match="no column ymax, img_width; its columns are"):
        read_block_boxes(table(*GOOD).drop(columns=["ymax", "img_width"]))


def test_an_empty_table_gives_no_blocks() -> None:
    blocks, findings = read_block_boxes(table())
    assert blocks.empty and findings.empty and "left" in blocks
