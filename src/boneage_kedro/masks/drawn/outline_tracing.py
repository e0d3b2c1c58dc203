"""Outlines of bones, traced on a radiograph along rough lines that a person drew on it."""

from collections.abc import Iterable

import cv2
import numpy as np
from typing_extensions import TypedDict

from boneage_kedro.limits import NotNegative
from boneage_kedro.masks.drawn.edge_tracking import EdgeTracking, track_edge
from boneage_kedro.masks.drawn.polygons import crosses_itself
from boneage_kedro.masks.label_maps import UnusableMask


class OutlineTracing(TypedDict):
    """How rough lines become outlines."""

    tracking: EdgeTracking
    tolerance_px: NotNegative  # how far an outline may stray from the traced edge, to do with fewer points


def trace_outlines(
    lines: Iterable[tuple[str, np.ndarray]], picture: np.ndarray, settings: OutlineTracing
) -> dict[str, np.ndarray]:
    """Make one closed outline a label of lines drawn clockwise round what it outlines.

    Lines follow an edge that can be seen and are pulled onto it (`track_edge`); points stay where they are. Those
    of a label are joined by straight lines in the order in which they were drawn, and the last one with the first.

    Args:
        lines: label and (N, 2) points (x, y) each, from the outer corner of the first pixel, as
            `boneage_kedro.masks.drawn.labelme.read_labelme_lines` gives them; N of 1 is a point.
        picture: (H, W), bones bright.

    Returns:
        (N, 2) float64 points by label, none outside the picture.

    Raises:
        UnusableMask: a line has no length, an outline no area, or one crosses itself; the message names the label.
    """
    parts: dict[str, list[np.ndarray]] = {}
    for label, line in lines:
        parts.setdefault(label, []).append(_trace(label, line, picture, settings))
    return {label: _close(label, found, picture.shape, settings) for label, found in parts.items()}


def _trace(label: str, line: np.ndarray, picture: np.ndarray, settings: OutlineTracing) -> np.ndarray:
    if len(line) == 1:
        return line
    try:
        return track_edge(picture, line, settings["tracking"])
    except ValueError as error:
        raise UnusableMask(f"the label '{label}' has a line that cannot be followed: {error}") from error


def _close(
    label: str, parts: list[np.ndarray], shape: tuple[int, ...], settings: OutlineTracing
) -> np.ndarray:
    inside = np.concatenate(parts).clip(0, (shape[1], shape[0]))
    outline = cv2.approxPolyDP(inside.astype(np.float32), settings["tolerance_px"], closed=True)[:, 0]
    if len(outline) < 3:
        raise UnusableMask(f"the lines of '{label}' enclose nothing; draw them round it, clockwise")
    if crosses_itself(outline):
        raise UnusableMask(
            f"the outline of '{label}' crosses itself; draw its lines in order, clockwise, and apart"
        )
    return outline.astype(np.float64)
