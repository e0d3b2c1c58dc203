"""Labelme's JSON files: read as masks, and written with outlines to correct.

The format is that of Labelme 5 and 6; what older versions leave out of it is not asked for.
"""

import base64
import json
import struct
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import cv2
import numpy as np

from boneage_kedro.cohort.columns import case_id
from boneage_kedro.imaging.formats import png
from boneage_kedro.imaging.formats.decoding import decode
from boneage_kedro.masks.drawn.polygons import labelled_polygons, polygons_to_mask
from boneage_kedro.masks.drawn.shapes import check_picture_size, codes_of, parse_json, pick, read_points
from boneage_kedro.masks.label_maps import UnusableMask

_VERSION = "5.5.0"  # some versions of Labelme warn of another major version than their own, all read it
_FEWEST_POINTS = {"linestrip": 2, "line": 2, "point": 1}


def read_labelme(
    content: bytes, name: str, labels: Mapping[str, int], source_shape: tuple[int, int], key: str
) -> np.ndarray:
    """Read the shapes of a Labelme file as one mask.

    Polygons, rectangles, circles and masks count. Shapes of one label are united, where those of different labels
    overlap the later one is on top; groups are ignored.

    Args:
        content: of the file.
        name: what error messages call the file.
        labels: codes of the labels, 0 to erase.
        source_shape: (rows, columns) of the radiograph.
        key: the radiograph's id.

    Returns:
        (rows, columns) uint8 of codes.

    Raises:
        UnusableMask: it is not JSON or not of Labelme; of another picture or another size; without shapes; with
            unknown labels or kinds of shapes; or with points that make no area in the picture.
    """
    try:
        return _read(parse_json(content), labels, source_shape, key)
    except UnusableMask as error:
        raise UnusableMask(f"{name}: {error}") from error


def read_labelme_lines(
    content: bytes, name: str, source_shape: tuple[int, int], key: str
) -> list[tuple[str, np.ndarray]]:
    """Read the lines and points of a Labelme file, the kinds ``linestrip``, ``line`` and ``point``.

    Args:
        content: of the file.
        name: what error messages call the file.
        source_shape: (rows, columns) of the radiograph.
        key: the radiograph's id.

    Returns:
        label and (N, 2) points (x, y) each, in the order in which they were drawn; a point has N of 1.

    Raises:
        UnusableMask: it is not JSON or not of Labelme; of another picture or another size; or has other shapes.
    """
    try:
        file = parse_json(content)
        shapes = pick(file, "shapes", list)
        _check_picture(file, source_shape, key)
        return [(pick(shape, "label", str), _line(shape, source_shape)) for shape in shapes]
    except UnusableMask as error:
        raise UnusableMask(f"{name}: {error}") from error


def write_labelme(mask: np.ndarray, labels: Mapping[str, int], picture: str, tolerance_px: float) -> str:
    """A Labelme file with the outlines of a mask.

    Args:
        mask: (H, W) uint8 of codes.
        labels: codes of the labels.
        picture: name of the picture's file, in the same folder.
        tolerance_px: see `boneage_kedro.masks.drawn.polygons.mask_to_polygons`.
    """
    return write_polygons(labelled_polygons(mask, labels, tolerance_px), mask.shape, picture)


def write_polygons(polygons: Iterable[tuple[str, np.ndarray]], shape: tuple[int, ...], picture: str) -> str:
    """A Labelme file of polygons without the picture's pixels.

    Args:
        polygons: label and (N, 2) points (x, y) each, in pixels from the outer corner of the first pixel.
        shape: (rows, columns) of the picture.
        picture: name of the picture's file, in the same folder.
    """
    file: dict[str, Any] = {
        "version": _VERSION,
        "flags": {},
        "shapes": [_polygon_shape(label, points) for label, points in polygons],
        "imagePath": picture,
        "imageData": None,
        "imageHeight": shape[0],
        "imageWidth": shape[1],
    }
    return json.dumps(file, ensure_ascii=False, indent=2) + "\n"


def _polygon_shape(label: str, points: np.ndarray) -> dict[str, Any]:
    return {
        "label": label,
        "points": points.tolist(),
        "group_id": None,
        "description": "",
        "shape_type": "polygon",
        "flags": {},
    }


def _read(file: Any, labels: Mapping[str, int], source_shape: tuple[int, int], key: str) -> np.ndarray:
    shapes = pick(file, "shapes", list)
    _check_picture(file, source_shape, key)
    if not shapes:
        raise UnusableMask(f"has no shapes; draw one of {', '.join(labels)}, or remove the file")
    codes = codes_of([pick(shape, "label", str) for shape in shapes], labels)
    mask = np.zeros(source_shape, np.uint8)
    for shape, code in zip(shapes, codes, strict=True):
        mask[_region(shape, source_shape)] = code
    if not mask.any():
        raise UnusableMask("has shapes that cover no pixel; draw them again")
    return mask


def _check_picture(file: dict[str, Any], source_shape: tuple[int, int], key: str) -> None:
    path, columns, rows = (file.get(name) for name in ("imagePath", "imageWidth", "imageHeight"))
    if path is not None and case_id(str(path)) != key:
        raise UnusableMask(f"is of picture {path}, not of {key}; name the file after its picture")
    if (columns, rows) != (None, None):  # old versions write neither
        check_picture_size(columns, rows, source_shape)


def _region(shape: dict[str, Any], source_shape: tuple[int, int]) -> np.ndarray:
    """The pixels of one shape, bool."""
    kind = shape.get("shape_type") or "polygon"
    fill = _FILLS.get(kind) if isinstance(kind, str) else None
    if fill is None:
        raise UnusableMask(f"has a shape of kind '{kind}', which is no area; draw one of {', '.join(_FILLS)}")
    return fill(shape, source_shape)


def _line(shape: dict[str, Any], source_shape: tuple[int, int]) -> np.ndarray:
    kind = shape.get("shape_type")
    if kind not in _FEWEST_POINTS:
        raise UnusableMask(f"has a shape of kind '{kind}'; draw one of {', '.join(_FEWEST_POINTS)}")
    return read_points(shape.get("points"), _FEWEST_POINTS[kind], source_shape)


def _polygon(shape: dict[str, Any], source_shape: tuple[int, int]) -> np.ndarray:
    return polygons_to_mask([read_points(shape.get("points"), 3, source_shape)], source_shape)


def _rectangle(shape: dict[str, Any], source_shape: tuple[int, int]) -> np.ndarray:
    points = read_points(shape.get("points"), 2, source_shape)  # opposite corners, or all four
    (left, top), (right, bottom) = points.min(0), points.max(0)
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
    return polygons_to_mask([corners], source_shape)


def _circle(shape: dict[str, Any], source_shape: tuple[int, int]) -> np.ndarray:
    centre, on_edge = read_points(shape.get("points"), 2, source_shape)[:2]
    rows, columns = np.ogrid[: source_shape[0], : source_shape[1]]
    x, y = columns + 0.5 - centre[0], rows + 0.5 - centre[1]
    return x**2 + y**2 <= ((on_edge - centre) ** 2).sum()


def _mask(shape: dict[str, Any], source_shape: tuple[int, int]) -> np.ndarray:
    """Labelme's points name the first and the last pixel of the box, both inside."""
    first, last = read_points(shape.get("points"), 2, source_shape)[:2].astype(int)
    drawn = _decode_mask(pick(shape, "mask", str), last + 1 - first)
    (left, top), (right, bottom) = (np.clip(end, 0, source_shape[::-1]) for end in (first, last + 1))
    x, y = first
    whole = np.zeros(source_shape, bool)
    whole[top:bottom, left:right] = drawn[top - y : bottom - y, left - x : right - x]
    return whole


def _decode_mask(text: str, size: np.ndarray) -> np.ndarray:
    """A mask of ``size`` (columns, rows) from the base64 text of a PNG file, bool."""
    header = png.MAGIC + struct.pack(">I4sii", 13, b"IHDR", *size)
    try:
        content = base64.b64decode(text, validate=True)
        if not content.startswith(header):
            raise UnusableMask(f"it is no PNG file of {size[0]} x {size[1]} pixels, as its box is")
        return decode(content, cv2.IMREAD_GRAYSCALE) > 0
    except ValueError as error:
        raise UnusableMask(f"has a mask that cannot be read ({error}); draw it again") from error


_FILLS: dict[str, Callable[[dict[str, Any], tuple[int, int]], np.ndarray]] = {
    "polygon": _polygon,
    "rectangle": _rectangle,
    "oriented_rectangle": _polygon,
    "circle": _circle,
    "mask": _mask,
}
