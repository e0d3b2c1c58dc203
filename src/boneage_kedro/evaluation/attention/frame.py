"""A common frame for hands: every picture or map is bent so that its joints lie on those of a template.

The bending is a thin-plate spline (Bookstein, IEEE Trans Pattern Anal Mach Intell 1989;11:567-585): exact at the
points, smooth between them, and affine far away. Points are (x, y) in pixels, with the centre of the first pixel at
(0, 0). The 21 joints of a hand serve, or, where there are none, the corners of the box around its mask.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import cv2
import numpy as np
import pandas as pd

_ROUNDS = 5  # of fitting all shapes to their mean; it stands still after two or three


def mean_shape(shapes: np.ndarray, side_px: int, margin: float, below: float) -> np.ndarray:
    """The mean of shapes without their place, size and turn, laid into a square (Procrustes; Gower 1975).

    Args:
        shapes: (n, k, 2) points.
        side_px: side of the square.
        margin: kept free on each side, as a share of the square.
        below: kept free under the shape, where no point marks the forearm, as a share of the square.

    Returns:
        (k, 2) points. The turn is that of the shapes on average.

    Raises:
        ValueError: there is no shape, or all points of one coincide.
    """
    if not len(shapes):
        raise ValueError("there are no shapes to take the mean of")
    centred = shapes - shapes.mean(1, keepdims=True)
    sizes = np.linalg.norm(centred, axis=(1, 2), keepdims=True)
    if not sizes.all():
        raise ValueError(f"all points of shape {int(np.argmin(sizes[:, 0, 0]))} coincide, so it has no size")
    unit = centred / sizes
    mean = unit.mean(0)
    for _ in range(_ROUNDS):
        left, _, right = np.linalg.svd(unit.transpose(0, 2, 1) @ mean)
        turned = unit @ (left @ right)  # the rotation, or reflection, that brings each nearest to the mean
        mean = turned.mean(0) / np.linalg.norm(turned.mean(0))
    low, high = mean.min(0), mean.max(0)
    room = side_px * np.array([1 - 2 * margin, 1 - margin - below])
    scale = (room / np.maximum(high - low, 1e-12)).min()
    middle = np.array([side_px / 2, side_px * (1 + margin - below) / 2]) - 0.5
    return np.asarray(scale * (mean - (low + high) / 2) + middle)


def box_corners(mask: np.ndarray) -> np.ndarray:
    """Corners (4, 2) of the box around a (H, W) bool mask, which serve as points where joints are not known.

    Raises:
        ValueError: the mask is empty.
    """
    if not mask.any():
        raise ValueError("the mask is empty, so there is no hand to bring into the common frame")
    left, top, width, height = cv2.boundingRect(mask.astype(np.uint8))
    right, bottom = left + width - 1, top + height - 1
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float64)


class CommonFrame:
    """A square in which the points of every hand lie on those of a template.

    Args:
        template: (k, 2) points in the square, such as `mean_shape` gives them.
        side_px: side of the square.

    Raises:
        ValueError: the points do not span a plane.
    """

    def __init__(self, template: np.ndarray, side_px: int) -> None:
        self.template, self.side_px = template, side_px
        rows, columns = np.mgrid[:side_px, :side_px]
        pixels = np.stack([columns.ravel(), rows.ravel()], 1).astype(np.float64)
        self._basis = _spline_basis(template / side_px, pixels / side_px)  # (side_px ** 2, k)

    def grid(self, points: np.ndarray) -> np.ndarray:
        """Where each pixel comes from: (side_px, side_px, 2) float64, in the frame of ``points`` (k, 2)."""
        return np.asarray(self._basis @ points).reshape(self.side_px, self.side_px, 2)

    def bring(self, picture: np.ndarray, points: np.ndarray, picture_px: int) -> np.ndarray:
        """A picture or map in the common frame, (side_px, side_px) float32; nan where it does not reach.

        Args:
            picture: (h, w), of any size: one value a cell of the square picture that ``points`` refer to.
            points: (k, 2), in pixels of that square picture.
            picture_px: its side.
        """
        height, width = picture.shape
        edges = (self.grid(points) + 0.5) / picture_px  # 0 to 1 within the picture
        places = (edges * [width, height] - 0.5).astype(np.float32)
        source = picture.astype(np.float32)
        brought = np.asarray(
            cv2.remap(
                source, places[..., 0], places[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
            )
        )
        brought[((edges < 0) | (edges > 1)).any(-1)] = np.nan
        return brought

    def mean(
        self, pictures: Iterable[np.ndarray], points: Sequence[np.ndarray] | np.ndarray, picture_px: int
    ) -> np.ndarray:
        """Mean of pictures or maps in the common frame, each place over those that reach it.

        It is nan where less than half of them do: a place that one picture has alone would pass for that of all.
        """
        total, count = np.zeros((2, self.side_px, self.side_px))
        for picture, own in zip(pictures, points, strict=True):
            brought = self.bring(picture, own, picture_px)
            reached = ~np.isnan(brought)
            total[reached] += brought[reached]
            count += reached
        return np.divide(
            total, count, out=np.full_like(total, np.nan), where=count >= max(1, len(points) / 2)
        )


class MeanHand(NamedTuple):
    """Mean picture and mean attention map of a cohort in the common frame.

    Attributes:
        sex: F or M.
        ages: the band of read bone ages in years, such as ``5-10 y``.
        cases: how many there are.
        hand: (side, side) float64 gray, 0 to 255; nan where less than half of the pictures reach.
        months: (side, side) float64; nan where less than half of the maps reach.
    """

    sex: str
    ages: str
    cases: int
    hand: np.ndarray
    months: np.ndarray


def mean_hands(
    frame: CommonFrame,
    cases: pd.DataFrame,
    images: Mapping[str, np.ndarray],
    maps: Mapping[str, np.ndarray],
    points: Mapping[str, np.ndarray],
    edges_years: Sequence[float],
) -> list[MeanHand]:
    """Mean picture and map of each sex and band of ages, girls first, from the youngest; empty ones left out.

    Args:
        cases: ``id, sex, bone_age_months``.
        images: (P, P) uint8 by id, such as an image store; they are asked for one by one.
        maps: (h, w) months by id, laid on the picture (`attention_placing.PlacedMaps`); asked for one by one, too.
        points: (k, 2) by id, in pixels of the pictures, as the template of the frame has them.
        edges_years: of the bands, rising; the upper edge belongs to the next band.
    """
    years = cases["bone_age_months"] / 12
    means = []
    for sex in ("F", "M"):
        for low, high in pairwise(edges_years):
            chosen = np.flatnonzero((cases["sex"] == sex) & (years >= low) & (years < high))
            if len(chosen):
                ids = cases["id"].iloc[chosen].tolist()
                own = [points[key] for key in ids]
                side = images[ids[0]].shape[0]
                hand = frame.mean((images[key] for key in ids), own, side)
                months = frame.mean((maps[key] for key in ids), own, side)
                means.append(MeanHand(sex, f"{low:g}-{high:g} y", len(chosen), hand, months))
    return means


def _spline_basis(template: np.ndarray, places: np.ndarray) -> np.ndarray:
    """What each point of the template weighs at each place, (m, k); a spline is linear in the values at them."""
    count = len(template)
    flat = np.column_stack([np.ones(count), template])  # (k, 3)
    if np.linalg.matrix_rank(flat) < 3:
        raise ValueError("the points of the template lie on one line; a plane needs three that do not")
    system = np.block([[_bending(template, template), flat], [flat.T, np.zeros((3, 3))]])
    coefficients = np.linalg.inv(system)[:, :count]  # of the unit value at each point
    terms = np.column_stack([_bending(places, template), np.ones(len(places)), places])
    return np.asarray(terms @ coefficients)


def _bending(places: np.ndarray, template: np.ndarray) -> np.ndarray:
    """The radial function r**2 log r**2 of the spline, (m, k)."""
    squared = ((places[:, None] - template) ** 2).sum(-1)
    return squared * np.log(np.where(squared > 0, squared, 1))
