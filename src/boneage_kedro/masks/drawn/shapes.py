"""Shapes as annotation tools store them: what all formats need checked.

Functions here raise `UnusableMask` with the reason alone; the readers put the name of the file before it.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from boneage_kedro.masks.label_maps import UnusableMask

# Of the long side: people draw past the edge where the hand goes on beyond it, and it is cut off there.
_OVERSHOOT = 0.05

T = TypeVar("T")


def parse_json(content: bytes) -> Any:
    """What a JSON file holds.

    Raises:
        UnusableMask: it is not JSON.
    """
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise UnusableMask(f"is not JSON, or was cut short ({error}); save it again") from error


def pick(item: Any, key: str, kind: type[T]) -> T:
    """A value that a JSON object must have.

    Raises:
        UnusableMask: it is missing or of another kind.
    """
    value = item.get(key) if isinstance(item, dict) else None
    if not isinstance(value, kind):
        raise UnusableMask(f"has no '{key}' where one is needed, or one of a wrong kind; save it again")
    return value


def codes_of(names: Sequence[str], labels: Mapping[str, int]) -> list[int]:
    """The codes of labels as a person typed them; capitals and blanks at the ends do not matter.

    Raises:
        UnusableMask: there are unknown ones; it names them and those known.
    """
    known = {label.casefold(): code for label, code in labels.items()}
    unknown = sorted({name for name in names if name.strip().casefold() not in known})
    if unknown:
        raise UnusableMask(
            f"has the labels {_quoted(unknown)}, but those known are {_quoted(labels)}; rename or delete the shapes"
        )
    return [known[name.strip().casefold()] for name in names]


def check_picture_size(columns: Any, rows: Any, source_shape: tuple[int, int]) -> None:
    """Refuse shapes that were drawn on a picture of another size.

    Raises:
        UnusableMask: the sizes differ.
    """
    if (rows, columns) != source_shape:
        raise UnusableMask(
            f"is drawn on a picture of {columns} x {rows} pixels, but its radiograph is {source_shape[1]} x "
            f"{source_shape[0]}; draw it on the radiograph's own pixels"
        )


def read_points(
    values: Any, fewest: int, source_shape: tuple[int, int], unit_px: tuple[float, float] = (1, 1)
) -> np.ndarray:
    """Points of one shape.

    Args:
        values: [x, y] each, from the outer corner of the first pixel.
        fewest: how many the shape needs.
        source_shape: (rows, columns) of the picture; points may lie a little outside it.
        unit_px: what 1 in x and 1 in y is.

    Returns:
        (N, 2) float64 in pixels.

    Raises:
        UnusableMask: they are no points, too few, not finite, or far outside the picture.
    """
    try:
        points = np.array(values, np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise UnusableMask(f"has a shape whose points are not numbers ({error}); draw it again") from error
    if len(points.shape) != 2 or points.shape[1] != 2 or len(points) < fewest:
        raise UnusableMask(
            f"has a shape of fewer than {fewest} points, or of points that are not [x, y]; draw it again"
        )
    with np.errstate(over="ignore"):
        points = points * unit_px
    if not np.isfinite(points).all():
        raise UnusableMask("has a shape with points that are not finite; draw it again")
    outside = float(np.maximum(-points, points - source_shape[::-1]).max())
    if outside > _OVERSHOOT * max(source_shape):
        raise UnusableMask(
            f"has a shape that reaches {outside:.0f} pixels beyond the picture of {source_shape[1]} x "
            f"{source_shape[0]}; see that it was drawn on this picture"
        )
    return points


def _quoted(names: Sequence[str] | Mapping[str, int]) -> str:
    return ", ".join(f"'{name}'" for name in names)
