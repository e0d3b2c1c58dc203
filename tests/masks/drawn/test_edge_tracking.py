"""A roughly drawn line finds the edge beside it, also where the edge is faint, and stays off what is not one."""

import numpy as np
import pytest

from boneage_kedro.masks.drawn.edge_tracking import EdgeTracking, cheapest_path, track_edge

SETTINGS = EdgeTracking(band_px=4, blur_px=1, stiffness=0.1, pull=0.3)


def step_at(x: int, contrast: int = 100) -> np.ndarray:
    """Dark to the left of the column, bright from it on; its edge lies at ``x``."""
    picture = np.full((60, 40), 50, np.uint8)
    picture[:, x:] += contrast
    return picture


def upwards(x: float) -> np.ndarray:
    return np.array([[x, 55], [x, 5]], float)


@pytest.mark.parametrize("drawn_at", [17.5, 20.0, 22.5])
def test_a_line_is_pulled_onto_the_edge_beside_it(drawn_at: float) -> None:
    edge = track_edge(step_at(20), upwards(drawn_at), SETTINGS)
    assert np.abs(edge[:, 0] - 20).max() <= 0.5
    assert (edge[0, 1], edge[-1, 1]) == (55, 5)
    assert len(edge) == 51


def test_an_edge_of_the_other_direction_is_none() -> None:
    edge = track_edge(step_at(20), upwards(18)[::-1], SETTINGS)
    assert np.abs(edge[:, 0] - 18).max() <= 0.5


def test_what_lies_outside_the_band_is_not_met() -> None:
    edge = track_edge(step_at(30), upwards(20), SETTINGS)
    assert np.allclose(edge[:, 0], 20)


def test_where_there_is_no_edge_the_line_stays() -> None:
    assert np.allclose(track_edge(np.full((60, 40), 90, np.uint8), upwards(20), SETTINGS)[:, 0], 20)


def test_a_faint_stretch_is_followed_like_the_rest() -> None:
    picture = step_at(20)
    picture[20:40, 20:] = 62  # 12 above the background instead of 100
    edge = track_edge(picture, upwards(18), SETTINGS)
    assert np.abs(edge[:, 0] - 20).max() <= 1


def test_a_disc_is_gone_round_clockwise() -> None:
    rows, columns = np.ogrid[:80, :80]
    disc = np.where((columns + 0.5 - 40) ** 2 + (rows + 0.5 - 40) ** 2 <= 25**2, 200, 30).astype(np.uint8)
    angles = np.linspace(0, 2 * np.pi, 13)
    rough = 40 + 26.5 * np.stack([np.cos(angles), np.sin(angles)], axis=1)  # y points down: clockwise
    edge = track_edge(disc, rough, SETTINGS)
    assert np.abs(np.hypot(*(edge - 40).T) - 25).mean() < 0.4


def test_the_picture_may_be_mirrored_with_the_line() -> None:
    picture = np.random.default_rng(1).integers(0, 255, (60, 40)).astype(np.uint8)
    edge = track_edge(picture, upwards(18), SETTINGS)
    mirrored = track_edge(picture[:, ::-1], np.array([40, 0]) + upwards(18)[::-1] * (-1, 1), SETTINGS)
    assert np.allclose(edge, (np.array([40, 0]) + mirrored * (-1, 1))[::-1])


def test_a_line_without_length_is_refused() -> None:
    with pytest.raises(ValueError, match="no length"):
        track_edge(step_at(20), np.array([[3.0, 3], [3, 3]]), SETTINGS)


def test_the_cheapest_path_weighs_turns_against_costs() -> None:
    cost = np.array([[0, 9, 9], [9, 0, 9], [9, 9, 0]], float)
    assert cheapest_path(cost, 1).tolist() == [0, 1, 2]  # two turns cost 2
    assert cheapest_path(cost, 20).tolist() == [0, 0, 0]  # a turn costs more than what it saves
    assert cheapest_path(np.array([[0.0, 5], [5, 0]]), 4).tolist() == [0, 1]


def test_a_path_cannot_jump() -> None:
    cost = np.full((2, 8), 5.0)
    cost[0, 0] = cost[1, 7] = 0
    path = cheapest_path(cost, 0)
    assert abs(path[1] - path[0]) <= 2
