"""Roughly drawn lines pulled onto the edge of a bone, so that an outline takes a few points instead of hundreds."""

import cv2
import numpy as np
from typing_extensions import TypedDict

from boneage_kedro.limits import NotNegative, Positive

_STEP_PX = 0.5  # between the places tried across a line
_TURNS = (-2, -1, 0, 1, 2)  # places by which neighbouring points of the edge may differ
_FAINTEST = 0.05  # of the strongest edge met: weaker ones are noise and not scaled up further
_REACH_PX = 15  # how far along the line edges are compared with each other


class EdgeTracking(TypedDict):
    """How a line is pulled onto an edge; see `track_edge`."""

    band_px: Positive  # how far from the line the edge is looked for
    blur_px: Positive  # standard deviation of the Gaussian before the edge is looked for
    stiffness: NotNegative  # what a turn costs, in shares of the strongest edge near by
    pull: NotNegative  # what lying at the border of the band costs, likewise


def track_edge(picture: np.ndarray, line: np.ndarray, settings: EdgeTracking) -> np.ndarray:
    """Pull an open line onto the edge of something bright.

    Of all paths in a band round the line, the one is taken that lies on the steepest rises of brightness from its
    left to its right, with few turns (dynamic programming across the line, as in Amini, Weymouth and Jain, Using
    dynamic programming for solving variational problems in vision, PAMI 1990). Rises are compared with those near
    by, so that a faint part of an edge counts as much as a strong one.

    Args:
        picture: (H, W), bones bright.
        line: (N, 2) points (x, y), N at least 2, from the outer corner of the first pixel. What is bright lies on the
            right of who walks along it: up the left side of a bone, over its top, and down its right side.

    Returns:
        (M, 2) float64 points, about one a pixel; its ends may have moved sideways, too.

    Raises:
        ValueError: the line has no length.
    """
    path = _resample(np.asarray(line, np.float64))
    offsets = np.arange(-settings["band_px"], settings["band_px"] + _STEP_PX / 2, _STEP_PX)
    left = _left_of(path)
    places = path[:, None] + offsets[:, None] * left[:, None]
    rise = -np.gradient(_brightness(picture, places, settings["blur_px"]), _STEP_PX, axis=1)
    cost = settings["pull"] * (offsets / settings["band_px"]) ** 2 - _compared(rise)
    return places[np.arange(len(path)), cheapest_path(cost, settings["stiffness"])]


def cheapest_path(cost: np.ndarray, stiffness: float) -> np.ndarray:
    """The column of each row on the path from the first row to the last whose sum of costs is least.

    Args:
        cost: (rows, columns), finite.
        stiffness: added for each turn, times the square of the columns it crosses, two at most.

    Returns:
        (rows,) int64.
    """
    total = cost[0]
    came_from = np.zeros(cost.shape, np.int64)
    columns = np.arange(cost.shape[1])
    for row in range(1, len(cost)):
        ways = np.stack([_shifted(total, turn) + stiffness * turn**2 for turn in _TURNS])
        best = ways.argmin(0)
        came_from[row] = columns + np.array(_TURNS)[best]
        total = ways[best, columns] + cost[row]
    path = [int(total.argmin())]
    for row in range(len(cost) - 1, 0, -1):
        path.append(int(came_from[row, path[-1]]))
    return np.array(path[::-1])


def _shifted(values: np.ndarray, by: int) -> np.ndarray:
    """What lies ``by`` places further, infinite beyond the ends."""
    padded = np.pad(values, abs(by), constant_values=np.inf)
    return padded[abs(by) + by :][: len(values)]


def _resample(line: np.ndarray) -> np.ndarray:
    """Points about one pixel apart along a line, its ends included."""
    way = np.concatenate([[0], np.hypot(*np.diff(line, axis=0).T).cumsum()])
    if way[-1] == 0:
        raise ValueError("a line to track has no length; give it two different points")
    at = np.linspace(0, way[-1], int(np.ceil(way[-1])) + 1)
    return np.stack([np.interp(at, way, line[:, axis]) for axis in (0, 1)], axis=1)


def _left_of(path: np.ndarray) -> np.ndarray:
    """Unit vectors to the left of the way, turning smoothly at corners so that they do not cross, (N, 2)."""
    forward = cv2.GaussianBlur(
        np.gradient(path, axis=0), (1, 0), sigmaX=1, sigmaY=3, borderType=cv2.BORDER_REPLICATE
    )
    left = np.stack([forward[:, 1], -forward[:, 0]], axis=1)  # y points down
    return left / np.maximum(np.linalg.norm(left, axis=1, keepdims=True), 1e-9)


def _brightness(picture: np.ndarray, places: np.ndarray, blur_px: float) -> np.ndarray:
    blurred = cv2.GaussianBlur(picture.astype(np.float32), (0, 0), blur_px)
    x, y = np.moveaxis(
        places.astype(np.float32) - 0.5, -1, 0
    )  # OpenCV counts from the centre of the first pixel
    return cv2.remap(blurred, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(np.float64)


def _compared(rise: np.ndarray) -> np.ndarray:
    """Rises as shares of the steepest near by, 0 where brightness falls."""
    steepest = rise.clip(0).max(1, keepdims=True)
    near_by = cv2.dilate(steepest, np.ones((2 * _REACH_PX + 1, 1), np.uint8))
    return rise.clip(0) / np.maximum(near_by, max(_FAINTEST * steepest.max(), 1e-9))
