import numpy as np
import pytest

from boneage_kedro.evaluation.attention.placing import (
    PlacedMaps,
    even_middles,
    move_map,
    place_maps,
    weigh_cells,
)
from boneage_kedro.imaging.geometry import UPRIGHT, Box, Pose, canvas_transform


def test_cells_that_lie_side_by_side_by_hand() -> None:
    placed = place_maps(np.array([[[1.0, 3], [1, 3]]]), 4)  # middles between pixels 0, 1 and 2, 3
    np.testing.assert_allclose(placed[0], [[1, 1.5, 2.5, 3]] * 4)


@pytest.mark.parametrize("cells", [3, 7, 48])
def test_a_map_keeps_its_mean(cells: int) -> None:
    maps = np.random.default_rng(0).normal(size=(3, cells, cells))
    placed = place_maps(maps, 192)
    assert placed.shape == (3, 192, 192)
    np.testing.assert_allclose(placed.mean((1, 2)), maps.mean((1, 2)))


@pytest.mark.parametrize("first_px", [0.0, 3, 15.5, 31])
def test_a_cell_is_strongest_where_it_looks_and_brings_as_much(first_px: float) -> None:
    weights = weigh_cells(first_px + 32 * np.arange(6), np.arange(192))
    assert weights.shape == (192, 6)
    np.testing.assert_allclose(weights.mean(0), 1 / 6)
    place = int(first_px) + 2 * 32
    assert weights[:, 2].argmax() == place
    assert weights[place, 4] == 0
    if first_px == 15.5:
        np.testing.assert_allclose(even_middles(6, 192), first_px + 32 * np.arange(6))


def test_cells_beyond_the_picture_are_refused() -> None:
    with pytest.raises(ValueError, match="6 cells about 3 to 163 px do not fit places from 0 to 63 px"):
        weigh_cells(3 + 32 * np.arange(6), np.arange(64))


def test_maps_laid_one_by_one_are_those_laid_at_once() -> None:
    maps = np.random.default_rng(1).normal(size=(2, 3, 3))
    placed = PlacedMaps(["a", "b"], maps, 96)
    assert list(placed) == ["a", "b"]
    np.testing.assert_allclose(np.stack(list(placed.values())), place_maps(maps, 96))


def test_a_map_of_a_part_lies_on_that_part_of_the_whole_picture() -> None:
    part = Box(
        20, 40, 60, 120
    )  # of 100 x 200 pixels; its canvas of 40 px has 10 px of nothing at either side
    own = canvas_transform(part, UPRIGHT, 40)
    whole = canvas_transform(Box(0, 0, 100, 200), UPRIGHT, 100)  # half the size, 25 px of nothing at the left
    moved = move_map(np.full((40, 40), 7.0), part, own, whole, 100)
    inside = np.zeros((100, 100), bool)
    inside[20:60, 35:55] = True
    assert not moved[~inside].any()
    assert (moved[inside] > 0).all()
    assert (moved[21:59, 36:54] == 7).all()


def test_a_turned_part_brings_its_map_to_where_it_came_from() -> None:
    part, pose = Box(10, 20, 50, 60), Pose(mirrored=True, quarter_turns=1)
    own, turned = (canvas_transform(part, one, 40) for one in (UPRIGHT, pose))
    placed = np.random.default_rng(0).normal(size=(40, 40))
    moved = move_map(placed, part, own, turned, 40)
    np.testing.assert_allclose(moved, pose.apply(placed), atol=1e-6)


def test_a_map_on_its_own_picture_stays() -> None:
    box = Box(0, 0, 64, 64)
    frame = canvas_transform(box, UPRIGHT, 32)
    placed = np.random.default_rng(0).normal(size=(32, 32))
    np.testing.assert_allclose(move_map(placed, box, frame, frame, 32), placed, atol=1e-6)
