import numpy as np
import pytest

from boneage_kedro.evaluation.attention.placing import PlacedMaps, move_map, place_maps
from boneage_kedro.imaging.geometry import UPRIGHT, Box, Pose, canvas_transform


def test_cells_that_lie_side_by_side_by_hand() -> None:
    placed = place_maps(np.array([[[1.0, 3], [1, 3]]]), 0.5, 2, 4)  # middles between pixels 0, 1 and 2, 3
    np.testing.assert_allclose(placed[0], [[1, 1.5, 2.5, 3]] * 4)


@pytest.mark.parametrize("first_px", [0.0, 3, 15.5, 31])
def test_a_map_keeps_its_mean_wherever_its_cells_look(first_px: float) -> None:
    maps = np.random.default_rng(0).normal(size=(3, 6, 6))
    placed = place_maps(maps, first_px, 32, 192)
    assert placed.shape == (3, 192, 192)
    np.testing.assert_allclose(placed.mean((1, 2)), maps.mean((1, 2)))


def test_a_cell_is_strongest_where_it_looks() -> None:
    maps = np.zeros((1, 6, 6))
    maps[0, 2, 4] = 1
    placed = place_maps(maps, 3, 32, 192)[0]
    assert np.unravel_index(placed.argmax(), placed.shape) == (2 * 32 + 3, 4 * 32 + 3)
    assert placed[2 * 32 + 3, 3 * 32 + 3] == 0


def test_cells_beyond_the_picture_are_refused() -> None:
    with pytest.raises(ValueError, match="6 cells every 32 px from 3 px do not fit a picture of 64 px"):
        place_maps(np.zeros((1, 6, 6)), 3, 32, 64)


def test_maps_laid_one_by_one_are_those_laid_at_once() -> None:
    maps = np.random.default_rng(1).normal(size=(2, 3, 3))
    placed = PlacedMaps(["a", "b"], maps, 31, 32, 96)
    assert list(placed) == ["a", "b"]
    np.testing.assert_allclose(np.stack(list(placed.values())), place_maps(maps, 31, 32, 96))


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
