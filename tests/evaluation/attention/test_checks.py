import numpy as np
import pytest

from boneage_kedro.evaluation.attention.checks import (
    Randomised,
    centre_orders,
    changes_by_share,
    compare_orders,
    likeness_by_depth,
    random_orders,
    rank_correlation,
)

MAPS = np.array([[[1.0, -2], [3, 4]], [[5, 6], [7, 8]]])


def test_rank_correlation_by_hand() -> None:
    other = np.array([[[10.0, 0], [20, 90]], [[8, 7], [6, 5]]])
    np.testing.assert_allclose(rank_correlation(MAPS, other), [1, -1])
    swapped = MAPS[:1, :, ::-1]  # ranks 2 1 3 4 against 1 2 4 3: 1 - 6 * 4 / (4 * 15)
    np.testing.assert_allclose(rank_correlation(MAPS[:1], swapped), [0.6])


def test_ties_share_their_rank_and_a_flat_map_has_none() -> None:
    tied = np.array([[[1.0, 1], [2, 2]]])
    np.testing.assert_allclose(rank_correlation(tied, np.array([[[1.0, 2], [3, 4]]])), [2 / np.sqrt(5)])
    assert np.isnan(rank_correlation(np.ones((1, 2, 2)), tied)).all()


def test_likeness_tells_sign_from_strength() -> None:
    cascade = [Randomised(1, 0.5, 7, MAPS), Randomised(2, 1.0, 7, -MAPS)]
    table = likeness_by_depth(MAPS, cascade, ["a", "b"]).set_index(["layers", "id"])
    assert table.loc[(1, "a"), ["depth", "seed", "signed", "absolute"]].tolist() == pytest.approx(
        [0.5, 7, 1, 1]
    )
    assert table.loc[(2, "b"), ["signed", "absolute"]].tolist() == pytest.approx([-1, 1])


def test_orders_begin_at_the_centre_or_anywhere() -> None:
    centre = centre_orders((2, 5, 5))
    assert np.unravel_index(centre[1].argmax(), (5, 5)) == (2, 2)
    assert centre[0, 0, 0] == centre[0, 4, 4] == centre.min()
    one, other = (random_orders((2, 3, 3), np.random.default_rng(seed)) for seed in (0, 1))
    assert not np.array_equal(one, other)
    assert not np.array_equal(one[0], one[1])


CURVES = {  # ages; the whole picture is read as 100 months, the blurred one as 80
    "attention": (np.array([[100.0, 80, 80], [100, 120, 80]]), np.array([[80.0, 100, 100], [80, 98, 100]])),
    "random": (np.array([[100.0, 96, 80], [100, 96, 80]]), np.array([[80.0, 90, 100], [80, 90, 100]])),
}


def test_changes_are_distances_from_the_whole_picture() -> None:
    table = changes_by_share(CURVES, ["a", "b"]).set_index(["order", "test", "id"])
    assert table.loc[("attention", "deletion", "b"), "change_months"].tolist() == [0, 20, 20]
    assert table.loc[("attention", "insertion", "a"), "change_months"].tolist() == [20, 0, 0]
    assert table.loc[("random", "insertion", "b"), "share"].tolist() == [0, 0.5, 1]


def test_areas_and_their_paired_differences_by_hand() -> None:
    table = compare_orders(changes_by_share(CURVES, ["a", "b"]), ["random"], seed=0).set_index(
        ["test", "order"]
    )
    deletion = table.loc[("deletion", "attention")]
    assert deletion["area"] == 15  # 0, 20, 20 over 0, 1/2, 1
    assert deletion["minus_random"] == 15 - 7
    assert deletion["minus_random_low"] == deletion["minus_random_high"] == 8  # both cases alike
    assert table.loc[("insertion", "attention"), "area"] == (5 + 6) / 2
    assert table.loc[("insertion", "random"), ["cases", "area", "minus_random"]].tolist() == [2, 10, 0]
