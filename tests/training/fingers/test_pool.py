import numpy as np
import pytest
import torch

from boneage_kedro.training.fingers.pool import AreaPrior, PoolScore, choose, expected_dice
from boneage_kedro.training.segmentation.overlap import label_dice

SCORES = {
    "a": PoolScore(0.9, 0.5, 0.10),
    "b": PoolScore(0.8, 0.9, 0.12),
    "c": PoolScore(1.0, 0.7, 0.0),  # empty: it agrees with its refinement, but is not easy
    "d": PoolScore(0.9, 0.8, 0.08),
    "e": PoolScore(0.99, 0.99, 0.6),  # far larger than any hand
}
AREA = AreaPrior(0.05, 0.2)


def chosen(selection: str, count: int = 2, seed: int = 0, number: int = 1) -> list[str]:
    return choose(SCORES, {"selection": selection, "per_round": count}, AREA, seed, number)


def test_the_easiest_are_those_the_teacher_leaves_alone() -> None:
    assert chosen("top_dice") == ["a", "d"]  # a tie, broken by id
    assert chosen("top_dice", 9) == ["a", "d", "b"]  # c is empty, e too large


def test_confidence_ranks_by_the_students_own_opinion() -> None:
    assert chosen("confidence") == ["b", "d"]


def test_random_draws_follow_seed_and_round() -> None:
    draws = {
        (seed, number): tuple(chosen("random", 3, seed, number)) for seed in range(3) for number in range(3)
    }
    assert all(sorted(draw) == ["a", "b", "d"] for draw in draws.values())
    assert len(set(draws.values())) > 2
    assert chosen("random", 3, 1, 1) == list(draws[1, 1])


def test_the_area_prior_comes_from_the_labelled_masks() -> None:
    masks = [np.zeros((10, 10), np.uint8) for _ in range(2)]
    masks[0][:2] = 1
    masks[1][:4] = 2
    prior = AreaPrior.of(masks, slack=2)
    assert (prior.low, prior.high) == pytest.approx((0.1, 0.8))
    assert prior.allows(0.1)
    assert not prior.allows(0.09)
    assert not AreaPrior.of([np.zeros((2, 2), np.uint8)], 2).allows(0)


def test_dice_of_label_maps() -> None:
    first = torch.tensor([[[0, 1, 1, 2]], [[0, 0, 0, 0]], [[1, 1, 0, 0]], [[1, 1, 0, 0]]])
    second = torch.tensor([[[0, 1, 2, 2]], [[0, 0, 0, 0]], [[0, 0, 1, 1]], [[1, 0, 0, 0]]])
    assert label_dice(first, second).tolist() == pytest.approx([2 * 2 / 6, 1, 0, 2 / 3])


def test_expected_dice_is_that_of_masks_drawn_from_the_probabilities() -> None:
    rng = np.random.default_rng(0)
    foreground = torch.from_numpy(rng.beta(0.4, 0.4, (1, 40, 40))).float()
    probabilities = torch.stack([1 - foreground, foreground], 1)
    mask = (foreground > 0.5).long()
    draws = torch.from_numpy(rng.random((400, 40, 40))) < foreground
    mean = label_dice(mask.expand(400, -1, -1), draws.long()).mean()
    assert expected_dice(probabilities).item() == pytest.approx(mean.item(), abs=0.005)


def test_a_sure_mask_is_trusted_and_an_empty_one_is_not() -> None:
    sure = torch.zeros(2, 2, 4, 4)
    sure[0, 1, :2], sure[0, 0, 2:] = 1, 1
    sure[1, 0] = 1
    assert expected_dice(sure).tolist() == pytest.approx([1, 0])
