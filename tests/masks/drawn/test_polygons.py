"""Outlines lie on the outer edges of pixels, and come back as the mask they were made from."""

import numpy as np
import pytest

from boneage_kedro.cohort.sex import Sex
from boneage_kedro.evaluation.segmentation.scores import dice
from boneage_kedro.masks.drawn.polygons import (
    crosses_itself,
    labelled_polygons,
    mask_to_polygons,
    polygons_to_mask,
)
from boneage_kedro.phantom import fabricate_hand, phalanx_mask


def disc(centre: tuple[float, float], radius: float, shape: tuple[int, int]) -> np.ndarray:
    """Pixels whose centres lie in the disc; the centre is (x, y) from the outer corner of the first pixel."""
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    return (columns + 0.5 - centre[0]) ** 2 + (rows + 0.5 - centre[1]) ** 2 <= radius**2


def area(polygon: np.ndarray) -> float:
    x, y = polygon.T
    return abs(float((x * np.roll(y, -1) - y * np.roll(x, -1)).sum())) / 2


def centroid(mask: np.ndarray) -> np.ndarray:
    return np.argwhere(mask).mean(0)[::-1] + 0.5


def test_the_outline_of_a_rectangle_is_its_outer_edge() -> None:
    mask = np.zeros((9, 12), bool)
    mask[2:5, 3:10] = True
    (outline,) = mask_to_polygons(mask, 1)
    assert {tuple(point) for point in outline} == {(3, 2), (10, 2), (10, 5), (3, 5)}
    assert area(outline) == mask.sum()


def test_a_mask_may_fill_the_picture_or_be_empty() -> None:
    assert area(mask_to_polygons(np.ones((20, 30), bool), 1)[0]) == 600
    assert mask_to_polygons(np.zeros((20, 30), bool), 1) == []
    assert not polygons_to_mask([], (20, 30)).any()


def test_pixels_count_by_their_centres() -> None:
    def columns(left: float, right: float) -> list[int]:
        box = np.array([[left, -5], [right, -5], [right, 5], [left, 5]])
        return np.flatnonzero(polygons_to_mask([box], (1, 8))[0]).tolist()

    assert columns(2, 4) == [2, 3]
    assert columns(2.4, 4.6) == [2, 3, 4]
    assert columns(2.6, 4.4) == [3]
    assert columns(-9, 1.2) == [0]
    assert columns(6.9, 99) == [7]
    assert columns(-9, -1) == columns(9, 12) == []


@pytest.mark.parametrize("tolerance_px", [0, 0.5, 1])
def test_a_disc_comes_back_without_a_shift(tolerance_px: float) -> None:
    mask = disc((61.3, 48.8), 30, (100, 120))
    outlines = mask_to_polygons(mask, tolerance_px)
    again = polygons_to_mask(outlines, mask.shape)
    np.testing.assert_allclose(centroid(again), (61.3, 48.8), atol=0.15)
    assert again.sum() == pytest.approx(np.pi * 30**2, rel=0.015)
    assert area(outlines[0]) == pytest.approx(again.sum(), rel=0.01)


@pytest.mark.parametrize("seed", range(60))
def test_any_mask_comes_back_exactly_when_nothing_may_be_left_out(seed: int) -> None:
    rng = np.random.default_rng(
        seed
    )  # specks, holes, holes of one pixel, islands in holes, corners that touch
    mask = rng.random(rng.integers(1, 24, 2)) < rng.random()
    assert np.array_equal(polygons_to_mask(mask_to_polygons(mask, 0), mask.shape), mask)


@pytest.mark.parametrize(("age_months", "size_px"), [(20, 512), (90, 640), (200, 900)])
def test_hands_survive(age_months: float, size_px: int) -> None:
    hand = fabricate_hand(age_months, Sex.FEMALE, 3, size_px)
    outlines = mask_to_polygons(hand.hand_mask, 1)
    again = polygons_to_mask(outlines, hand.hand_mask.shape)
    assert dice(again, hand.hand_mask) > 0.99
    assert again.sum() == pytest.approx(hand.hand_mask.sum(), rel=0.005)
    assert sum(map(len, outlines)) < 200  # few enough to take hold of


def test_outlines_are_not_shifted_whichever_way_the_hand_lies() -> None:
    hand = fabricate_hand(90, Sex.FEMALE, 3, 640).hand_mask
    shifts = []
    for mask in (hand, hand[::-1], hand[:, ::-1], hand[::-1, ::-1]):
        shifts.append(centroid(polygons_to_mask(mask_to_polygons(mask, 1), mask.shape)) - centroid(mask))
    np.testing.assert_allclose(np.mean(shifts, 0), 0, atol=0.03)


def test_holes_and_what_lies_in_them_survive() -> None:
    mask = disc((40, 40), 35, (80, 80)) & ~disc((30, 30), 10, (80, 80)) & ~disc((52, 50), 9, (80, 80))
    mask |= disc((30, 30), 4, (80, 80))
    outlines = mask_to_polygons(mask, 1)
    assert len(outlines) == 2  # the disc with two holes, and the island
    assert dice(polygons_to_mask(outlines, mask.shape), mask) > 0.98


def test_specks_below_the_tolerance_are_kept() -> None:
    mask = np.zeros((10, 10), bool)
    mask[4, 4] = mask[7:9, 7:9] = True
    assert np.array_equal(polygons_to_mask(mask_to_polygons(mask, 3), mask.shape), mask)


def test_an_outline_whose_ends_overlap_has_no_hole_there() -> None:
    square = np.array([[2, 2], [12, 2], [12, 12], [2, 12]])
    once_and_a_bit = np.concatenate([square, square[:2], [[12, 6], [2, 6]]])
    assert np.array_equal(polygons_to_mask([once_and_a_bit], (16, 16)), polygons_to_mask([square], (16, 16)))


def test_each_class_has_outlines_of_its_own() -> None:
    mask = phalanx_mask(fabricate_hand(120, Sex.MALE, 1, 400).bones)
    drawn = labelled_polygons(mask, {"background": 0, "distal": 1, "middle": 2, "proximal": 3}, 0.5)
    assert {label for label, _ in drawn} == {"distal", "middle", "proximal"}
    distal = polygons_to_mask([points for label, points in drawn if label == "distal"], mask.shape)
    assert dice(distal, mask == 1) > 0.97


@pytest.mark.parametrize(
    ("points", "crosses"),
    [
        ([[0, 0], [4, 0], [4, 4], [0, 4]], False),
        ([[0, 0], [4, 4], [4, 0], [0, 4]], True),  # a bow tie
        ([[0, 0], [4, 0], [4, 4], [2, 0], [0, 4]], False),  # a corner touches the opposite side
        ([[0, 0], [4, 0], [4, 4], [2, -1], [0, 4]], True),  # and goes beyond it
        ([[0, 0], [4, 0], [2, 0]], False),
    ],
)
def test_only_edges_that_go_through_each_other_cross(points: list[list[float]], crosses: bool) -> None:
    assert crosses_itself(np.array(points, float)) is crosses
    assert crosses_itself(np.array(points[::-1], float)) is crosses
