import math

import pytest
import torch

from boneage_kedro.training.losses import age_loss, distribution_loss, segmentation_loss

SURE = 50.0  # a logit this far above the others is a probability of one


def logits_of(labels: torch.Tensor, classes: int) -> torch.Tensor:
    """Logits (B, K, H, W) of a network that is sure of these labels."""
    return SURE * torch.nn.functional.one_hot(labels.long(), classes).permute(0, 3, 1, 2).float()


def labels(*rows: list[int]) -> torch.Tensor:
    return torch.tensor(rows, dtype=torch.uint8)[:, None]  # (B, 1, W)


ONE = torch.ones(1)


def test_age_loss_is_in_years_and_its_error_in_months() -> None:
    values = age_loss(torch.tensor([24.0, 60.0]), torch.tensor([12.0, 24.0]), "l1")
    assert values["loss"].item() == pytest.approx(2.0)
    assert values["mae_months"].item() == pytest.approx(24.0)


GRID = torch.tensor([0.0, 12.0, 24.0])


def test_divergence_of_distributions_by_hand() -> None:
    # at sd 12 the label is in proportion 1 : exp(-1/2) : exp(-2); the network finds all ages alike
    parts = [1, math.exp(-0.5), math.exp(-2)]
    label = [part / sum(parts) for part in parts]
    wanted = sum(share * math.log(3 * share) for share in label)
    found = distribution_loss(torch.zeros(1, 3), GRID, torch.tensor([0.0]), 12.0)
    assert found.item() == pytest.approx(wanted, rel=1e-5)


def test_the_label_itself_costs_nothing_and_pictures_are_averaged() -> None:
    ages = torch.tensor([3.0, 24.0])
    right = -0.5 * ((GRID - ages[:, None]) / 6) ** 2
    assert distribution_loss(right + 7, GRID, ages, 6.0).item() == pytest.approx(0, abs=1e-6)
    half = torch.stack([right[0], torch.zeros(3)])
    alone = distribution_loss(torch.zeros(1, 3), GRID, ages[1:], 6.0)
    torch.testing.assert_close(distribution_loss(half, GRID, ages, 6.0), alone / 2)


def test_a_sharp_label_far_from_the_others_is_finite_and_pulls_the_right_way() -> None:
    scores = torch.zeros(1, 3, requires_grad=True)
    loss = distribution_loss(scores, GRID, torch.tensor([24.0]), 0.1)
    loss.backward()
    assert loss.item() == pytest.approx(math.log(3), rel=1e-5)
    assert scores.grad is not None
    assert (scores.grad[0] < 0).tolist() == [False, False, True]


@pytest.mark.parametrize("kind", ["dice", "dice_ce", "ce"])
def test_a_sure_and_right_answer_costs_nothing(kind: str) -> None:
    truth = labels([0, 1, 2, 2], [1, 1, 0, 2])
    values = segmentation_loss(logits_of(truth, 3), truth, torch.ones(2), kind)
    assert values["loss"].item() == pytest.approx(0, abs=1e-5)
    assert values["dice"].item() == pytest.approx(1)


def test_dice_by_hand() -> None:
    truth, said = labels([1, 1, 1, 0, 2, 0]), labels([1, 1, 0, 0, 2, 2])
    values = segmentation_loss(logits_of(said, 3), truth, ONE, "dice")
    # class 1: 2 * 2 of 2 + 3; class 2: 2 * 1 of 2 + 1; the loss has one pixel more above and below
    assert values["dice"].item() == pytest.approx((4 / 5 + 2 / 3) / 2)
    assert values["loss"].item() == pytest.approx(1 - (5 / 6 + 3 / 4) / 2)


def test_soft_dice_and_cross_entropy_of_an_undecided_network() -> None:
    truth = labels([1, 1, 0, 0])
    logits = torch.zeros(1, 2, 1, 4)
    soft = 1 - (2 * 1 + 1) / (2 + 2 + 1)  # half of each pixel: overlap 1, sums 2 and 2
    assert segmentation_loss(logits, truth, ONE, "dice")["loss"].item() == pytest.approx(soft)
    both = segmentation_loss(logits, truth, ONE, "dice_ce")["loss"].item()
    assert both == pytest.approx(soft + math.log(2))
    assert segmentation_loss(logits, truth, ONE, "ce")["loss"].item() == pytest.approx(math.log(2))


def test_with_two_classes_it_is_equation_3_of_paper_001() -> None:
    y, p = torch.tensor([1.0, 0.0, 1.0, 0.0]), torch.tensor([0.9, 0.2, 0.6, 0.4])
    logits = torch.stack([torch.zeros(4), (p / (1 - p)).log()])[None, :, None]  # (1, 2, 1, 4)
    cross_entropy = -(math.log(0.9) + math.log(0.8) + math.log(0.6) + math.log(0.6)) / 4
    dice = (2 * (0.9 + 0.6) + 1) / (2.1 + 2 + 1)  # one pixel more above and below
    values = segmentation_loss(logits, y[None, None], ONE, "dice_ce")
    assert values["loss"].item() == pytest.approx(cross_entropy + 1 - dice, abs=1e-6)


@pytest.mark.parametrize("weights", [[1.0, 1.0], [3.0, 0.5], [0.1, 0.1]])
def test_a_picture_counts_by_its_weight_whatever_the_others_weigh(weights: list[float]) -> None:
    truth, said = labels([1, 1, 0], [1, 1, 0]), labels([1, 1, 0], [0, 0, 0])
    values = segmentation_loss(logits_of(said, 2), truth, torch.tensor(weights), "dice")
    assert values["loss"].item() == pytest.approx((weights[0] * 0 + weights[1] * (1 - 1 / 3)) / 2)
    assert values["dice"].item() == pytest.approx(0.5)  # not weighted


def test_an_absent_class_costs_the_more_the_more_it_is_given() -> None:
    truth = labels([0] * 8)
    losses, dices = [], []
    for wrong in range(3):
        values = segmentation_loss(logits_of(labels([1] * wrong + [0] * (8 - wrong)), 2), truth, ONE, "dice")
        losses.append(values["loss"].item())
        dices.append(values["dice"].item())
    assert losses == pytest.approx([0, 1 / 2, 2 / 3], abs=1e-5)
    assert dices == pytest.approx([1, 0, 0], abs=1e-5)


@pytest.mark.parametrize("kind", ["dice", "dice_ce", "ce"])
def test_gradients_of_an_absent_class_stay_finite_and_push_it_down(kind: str) -> None:
    logits = torch.zeros(1, 3, 4, 4, requires_grad=True)
    truth = torch.ones(1, 4, 4, dtype=torch.uint8)
    segmentation_loss(logits, truth, ONE, kind)["loss"].backward()
    assert logits.grad is not None
    assert logits.grad.isfinite().all()
    assert (logits.grad[:, 2] > 0).all()
    assert (logits.grad[:, 1] < 0).all()


def test_the_loss_falls_to_a_hundredth_when_logits_follow_it() -> None:
    truth = torch.randint(0, 3, (2, 8, 8), generator=torch.Generator().manual_seed(0))
    logits = torch.zeros(2, 3, 8, 8, requires_grad=True)
    optimiser = torch.optim.Adam([logits], 0.5)
    for _ in range(40):
        optimiser.zero_grad()
        values = segmentation_loss(logits, truth, torch.ones(2), "dice_ce")
        values["loss"].backward()
        optimiser.step()
    assert values["loss"].item() < 0.01
    assert not values["dice"].requires_grad


def test_half_precision_logits_give_the_same_loss() -> None:
    truth = torch.ones(1, 64, 64, dtype=torch.uint8)
    logits = torch.zeros(1, 2, 64, 64)
    full, half = (segmentation_loss(x, truth, ONE, "dice")["loss"] for x in (logits, logits.bfloat16()))
    torch.testing.assert_close(half, full)


def test_unknown_kinds_are_refused() -> None:
    with pytest.raises(ValueError, match="loss 'focal' is not one of dice, dice_ce"):
        segmentation_loss(torch.zeros(1, 2, 1, 1), labels([0]), ONE, "focal")
    with pytest.raises(ValueError, match="loss 'mse' is not one of l1, smooth_l1, l2"):
        age_loss(torch.zeros(1), torch.zeros(1), "mse")
