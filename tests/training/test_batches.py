import numpy as np
import pytest
import torch

from boneage_kedro.training.batches import draw_order
from tests.training.age_setup import samples

AGES = np.array(
    [10.0] * 2 + [30.0] * 20 + [31.0] * 20 + [100.0] * 8
)  # bands of 24 months: 2, 40 and 8 pictures


def generator(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_without_balance_every_picture_comes_up_once_in_the_order_of_the_seed() -> None:
    order = draw_order(AGES, 0, generator())
    assert np.array_equal(order, torch.randperm(50, generator=generator()).numpy())


@pytest.mark.parametrize("seed", range(5))
def test_each_band_comes_up_equally_often_in_an_epoch_of_the_same_length(seed: int) -> None:
    order = draw_order(AGES, 24, generator(seed))
    assert len(order) == 50
    counts = np.bincount(order, minlength=50)
    assert sorted([counts[:2].sum(), counts[2:42].sum(), counts[42:].sum()]) == [16, 17, 17]
    for band in (slice(0, 2), slice(2, 42), slice(42, 50)):
        assert counts[band].max() - counts[band].min() <= 1


def test_an_epoch_is_drawn_anew_by_its_seed_and_mixed() -> None:
    first = draw_order(AGES, 24, generator(1))
    assert np.array_equal(first, draw_order(AGES, 24, generator(1)))
    other = draw_order(AGES, 24, generator(2))
    assert set(first) != set(other)  # other pictures of the crowded band
    assert (np.diff(AGES[first] // 24) != 0).sum() > 20  # one band after the other would change twice


def test_bands_that_are_all_alike_give_every_picture_once() -> None:
    assert sorted(draw_order(np.arange(12) * 24.0, 24, generator())) == list(range(12))


def test_batches_follow_an_order_and_are_nearly_equal() -> None:
    part = samples(7, 0)
    order = np.array([3, 3, 0, 6, 5, 5, 5, 1, 2])
    batches = list(part.batches(4, torch.device("cpu"), order))
    assert [batch.ids for batch in batches] == [["c3", "c3", "c0"], ["c6", "c5", "c5"], ["c5", "c1", "c2"]]
    assert torch.equal(batches[0].images[0], batches[0].images[1])
    np.testing.assert_allclose(torch.cat([b.age_months for b in batches]), part.age_months[order], rtol=1e-6)
    assert [b.ids for b in part.batches(9, torch.device("cpu"))] == [part.ids]
