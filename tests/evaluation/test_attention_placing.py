import numpy as np
import pytest

from boneage_kedro.evaluation.attention_placing import PlacedMaps, place_maps


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
