"""Labelme files: what is written can be opened and read again, what people draw is read or refused with a reason."""

import base64
import json
from typing import Any

import cv2
import numpy as np
import pytest

from boneage_kedro.masks.drawn.labelme import read_labelme, read_labelme_lines, write_labelme, write_polygons
from boneage_kedro.masks.label_maps import UnusableMask

SHAPE = (40, 60)
LABELS = {"radius": 1, "ulna": 2}
SQUARE = [[10, 10], [20, 10], [20, 20], [10, 20]]


def drawn() -> np.ndarray:
    mask = np.zeros(SHAPE, np.uint8)
    mask[5:15, 5:20], mask[12:30, 30:55], mask[18:22, 40:44] = 1, 2, 0
    return mask


def shape(points: Any = SQUARE, label: Any = "radius", kind: Any = "polygon", **more: Any) -> dict[str, Any]:
    return {"label": label, "points": points, "group_id": None, "shape_type": kind, "flags": {}, **more}


def file(*shapes: Any, **more: Any) -> bytes:
    values = {
        "version": "5.5.0",
        "flags": {},
        "shapes": list(shapes),
        "imagePath": "7.png",
        "imageData": None,
        "imageHeight": SHAPE[0],
        "imageWidth": SHAPE[1],
    }
    return json.dumps({**values, **more}).encode()


def png(pixels: np.ndarray) -> str:
    return base64.b64encode(cv2.imencode(".png", pixels)[1].tobytes()).decode()


def read(content: bytes) -> np.ndarray:
    return read_labelme(content, "a/7.json", LABELS, SHAPE, "7")


def test_what_is_written_is_read_again() -> None:
    again = read(write_labelme(drawn(), LABELS, "7.png", 0).encode())
    assert again.dtype == np.uint8
    assert np.array_equal(again, drawn())


def test_a_written_file_has_what_labelme_asks_for() -> None:
    written = json.loads(write_labelme(drawn(), LABELS, "7.png", 1))
    assert written.keys() == {
        "version", "flags", "shapes", "imagePath", "imageData", "imageHeight", "imageWidth",
    }  # fmt: skip
    assert (written["imagePath"], written["imageData"]) == ("7.png", None)
    assert (written["imageHeight"], written["imageWidth"]) == SHAPE
    assert written["version"][0].isdigit()
    assert [one["label"] for one in written["shapes"]] == ["radius", "ulna"]
    for one in written["shapes"]:
        assert one.keys() >= {"label", "points", "group_id", "shape_type", "flags"}
        assert one["shape_type"] == "polygon"
        assert isinstance(one["flags"], dict)
        assert all(len(point) == 2 and all(type(x) is float for x in point) for point in one["points"])


def test_shapes_of_one_label_are_united_and_later_labels_lie_on_top() -> None:
    other = [[15, 15], [30, 15], [30, 25], [15, 25]]
    both = read(file(shape(), shape(other, group_id=3)))
    expected = np.zeros(SHAPE, np.uint8)
    expected[10:20, 10:20] = expected[15:25, 15:30] = 1
    assert np.array_equal(both, expected)
    expected[15:25, 15:30] = 2
    assert np.array_equal(read(file(shape(), shape(other, "ulna"))), expected)


def test_kinds_of_shapes() -> None:
    expected = np.zeros(SHAPE, np.uint8)
    expected[10:20, 10:20] = 1
    assert np.array_equal(read(file(shape([[20, 20], [10, 10]], kind="rectangle"))), expected)
    for kind in ("rectangle", "oriented_rectangle"):
        assert np.array_equal(read(file(shape(kind=kind))), expected)
    inclusive = shape([[10, 10], [19, 19]], kind="mask", mask=png(np.ones((10, 10), np.uint8)))
    assert np.array_equal(read(file(inclusive)), expected)
    del (kindless := shape())["shape_type"]  # as Labelme 3 writes
    assert np.array_equal(read(file(kindless)), expected)
    circle = read(file(shape([[30, 20], [30, 30]], kind="circle")))
    assert circle.sum() == pytest.approx(np.pi * 100, rel=0.02)
    np.testing.assert_allclose(np.argwhere(circle).mean(0) + 0.5, (20, 30))


def test_a_mask_over_the_edge_is_cut_off() -> None:
    pixels = np.zeros((6, 6), np.uint8)
    pixels[2:, 2:] = 1
    corner = shape([[-2, -1], [3, 4]], kind="mask", mask=png(pixels))
    assert np.argwhere(read(file(corner))).tolist() == [[y, x] for y in range(1, 5) for x in range(4)]
    beyond = shape([[61, 3], [62, 4]], kind="mask", mask=png(np.ones((2, 2), np.uint8)))
    with pytest.raises(UnusableMask, match="cover no pixel"):
        read(file(beyond))


def test_what_people_do_that_means_no_harm() -> None:
    assert read(file(shape(label=" Radius "))).any()
    assert read(file(shape(), imagePath="..\\queue\\7.png")).any()
    assert read(file(shape(), imagePath=None, imageHeight=None, imageWidth=None)).any()
    assert read(b"\xef\xbb\xbf" + file(shape())).any()
    past_the_edge = read(file(shape([[50, 20], [62, 20], [62, 42], [50, 42]])))
    assert past_the_edge.sum() == 10 * 20


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is not JSON, or was cut short"),
        (file(shape())[:-9], "is not JSON, or was cut short"),
        (b"\xff\xfe\x00", "is not JSON, or was cut short"),
        (b"[" * 100_000, "is not JSON, or was cut short"),
        (b"[]", "has no 'shapes' where one is needed"),
        (b"7", "has no 'shapes' where one is needed"),
        (file(), "has no shapes; draw one of radius, ulna"),
        (file(7), "has no 'label' where one is needed"),
        (file(shape(label=None)), "has no 'label' where one is needed"),
        (
            file(shape(label="hand"), shape(label="bone"), shape()),
            "has the labels 'bone', 'hand', but those known are 'radius', 'ulna'; rename or delete the shapes",
        ),
        (file(shape(), imagePath="other/8.png"), "is of picture other/8.png, not of 7"),
        (file(shape(), imagePath=["7.png"]), "is of picture"),
        (
            file(shape(), imageHeight=80, imageWidth=120),
            "is drawn on a picture of 120 x 80 pixels, but its radiograph is 60 x 40",
        ),
        (file(shape(), imageWidth="60"), "is drawn on a picture of"),
        (file(shape(kind="line")), "has a shape of kind 'line', which is no area; draw one of polygon, "),
        (file(shape(kind=["polygon"])), "has a shape of kind"),
        (file(shape(SQUARE[:2])), "has a shape of fewer than 3 points"),
        (file(shape([])), "has a shape of fewer than 3 points"),
        (file(shape([[1, 2, 3]] * 4)), "has a shape of fewer than 3 points"),
        (file(shape(SQUARE[:1], kind="circle")), "has a shape of fewer than 2 points"),
        (file(shape("abc")), "has a shape whose points are not numbers"),
        (file(shape([[1, 2], [3]])), "has a shape whose points are not numbers"),
        (file(shape([[10**400, 2]] * 3)), "has a shape whose points are not numbers"),
        (file(shape(None)), "has a shape of fewer than 3 points"),
        (file(shape([[float("nan"), 2], [3, 4], [5, 6]])), "points that are not finite"),
        (file(shape([[float("inf"), 2], [3, 4], [5, 6]])), "points that are not finite"),
        (file(shape([[5, 5], [64, 5], [5, 9]])), "reaches 4 pixels beyond the picture of 60 x 40"),
        (file(shape([[5, 5], [9, 5], [5, -99]])), "reaches 99 pixels beyond the picture of 60 x 40"),
        (file(shape([[5, 5], [9, 9], [7, 7]])), "has shapes that cover no pixel"),
        (file(shape([[0, 0], [9, 9]], kind="mask")), "has no 'mask' where one is needed"),
        (file(shape([[0, 0], [9, 9]], kind="mask", mask="no!")), "has a mask that cannot be read"),
        (
            file(shape([[0, 0], [9, 8]], kind="mask", mask=png(np.ones((10, 10), np.uint8)))),
            r"it is no PNG file of 10 x 9 pixels, as its box is",
        ),
        (
            file(shape([[9, 9], [0, 0]], kind="mask", mask=png(np.ones((10, 10), np.uint8)))),
            "PNG file of -8 x -8",
        ),
    ],
)
def test_what_cannot_be_used_is_told_with_its_file(content: bytes, reason: str) -> None:
    with pytest.raises(UnusableMask, match=rf"^a/7\.json: .*{reason}"):
        read(content)


def test_polygons_are_written_as_they_are() -> None:
    square = np.array(SQUARE) + 0.1
    written = json.loads(write_polygons([("ulna", square)], SHAPE, "7.png"))
    assert written["shapes"][0]["points"] == square.tolist()
    assert (written["imageHeight"], written["imageWidth"], written["imageData"]) == (*SHAPE, None)


def test_lines_and_points_are_read_in_their_order() -> None:
    drawn = file(shape([[1, 2], [3, 4], [5, 6]], "ulna", "linestrip"), shape([[7, 8]], "radius", "point"))
    (first, strip), (second, point) = read_labelme_lines(drawn, "a/7.json", SHAPE, "7")
    assert (first, second) == ("ulna", "radius")
    assert strip.tolist() == [[1, 2], [3, 4], [5, 6]]
    assert point.tolist() == [[7, 8]]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (file(shape()), "kind 'polygon'; draw one of linestrip, line, point"),
        (file(shape([[1, 2]], kind="linestrip")), "fewer than 2 points"),
        (file(shape([[1, 2]], kind="point"), imageWidth=99), "99 x 40 pixels"),
        (b"{", "is not JSON"),
    ],
)
def test_other_shapes_than_lines_are_refused(content: bytes, reason: str) -> None:
    with pytest.raises(UnusableMask, match=f"^a/7.json: .*{reason}"):
        read_labelme_lines(content, "a/7.json", SHAPE, "7")
