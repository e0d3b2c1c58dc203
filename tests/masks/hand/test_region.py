import numpy as np
import pytest

from boneage_kedro.cohort.sex import Sex
from boneage_kedro.imaging.geometry import Box
from boneage_kedro.masks.hand.region import components, fill_holes, hand_box, hand_mask, largest_component
from boneage_kedro.phantom import fabricate_hand


def picture(*rows: str) -> np.ndarray:
    """A mask drawn with # for inside."""
    return np.array([[letter == "#" for letter in row] for row in rows])


NOTHING = np.zeros((5, 8), bool)


def test_the_largest_component_stays_and_corners_join() -> None:
    mask = picture(
        "##....#.",
        "##...#..",
        "....#...",
        "...##...",
    )
    assert sorted(components(mask)[1].tolist()) == [4, 5]
    kept = mask.copy()
    kept[:2, :2] = False
    assert np.array_equal(largest_component(mask), kept)


def test_of_two_as_large_one_stays() -> None:
    mask = picture("......##", "........", "##......")
    assert np.array_equal(largest_component(mask), picture("......##", "........", "........"))


def test_holes_are_filled_and_bays_are_not() -> None:
    mask = picture(
        "......#.",
        ".####.#.",
        ".#..#.#.",
        ".####.##",
        ".#..#...",
    )
    filled = mask.copy()
    filled[2, 2:4] = True  # the hole; the bay below it opens to the edge of the picture
    assert np.array_equal(fill_holes(mask), filled)


def test_a_hole_that_meets_the_outside_at_a_corner_is_a_hole() -> None:
    mask = picture("###.", "#.#.", "##..")
    assert fill_holes(mask)[1, 1]


def test_ends_of_the_scale() -> None:
    for clean in (largest_component, fill_holes, hand_mask):
        assert np.array_equal(clean(NOTHING), NOTHING)
        assert np.array_equal(clean(~NOTHING), ~NOTHING)


def test_the_hand_is_found_among_letters_and_with_holes() -> None:
    hand = fabricate_hand(100, Sex.MALE, 2, 256).hand_mask
    disturbed = hand.copy()
    disturbed[2:9, 2:9] = True
    inside = np.argwhere(hand)[np.count_nonzero(hand) // 2]
    disturbed[tuple(inside)] = False
    assert np.array_equal(hand_mask(disturbed), hand_mask(hand))


@pytest.mark.parametrize(
    ("margin", "box"),
    [
        (0.0, Box(30, 20, 40, 60)),
        (0.1, Box(26, 16, 44, 64)),  # a tenth of 40 rows
        (0.6, Box(6, 0, 64, 84)),  # 24 pixels, of which the top has 20
        (1.0, Box(0, 0, 80, 90)),
    ],
)
def test_the_margin_goes_by_the_longer_side_and_ends_with_the_picture(margin: float, box: Box) -> None:
    mask = np.zeros((90, 100), bool)
    mask[20:60, 30:40] = True
    found = hand_box(mask, margin)
    assert found == box
    assert all(type(edge) is int for edge in found)


@pytest.mark.parametrize(("rows", "columns"), [((0, 5), (7, 8)), ((4, 5), (0, 8)), ((2, 3), (2, 3))])
def test_slivers_and_points_have_a_box(rows: tuple[int, int], columns: tuple[int, int]) -> None:
    mask = NOTHING.copy()
    mask[slice(*rows), slice(*columns)] = True
    box = hand_box(mask, 0)
    assert box == (columns[0], rows[0], columns[1], rows[1])
    assert box.view(mask).all()


def test_without_a_hand_it_is_the_whole_picture() -> None:
    assert hand_box(NOTHING, 0.1) == (0, 0, 8, 5)
