import math

import pytest
import torch

from boneage_kedro.training.enhancement.gan_losses import (
    RECONSTRUCTIONS,
    adversarial_loss,
    discriminator_loss,
    pixel_weights,
    reconstruction_loss,
    weighted_mean,
)


def picture(*values: float) -> torch.Tensor:
    return torch.tensor(values).view(1, 1, 1, -1)


def random(side: int = 16, seed: int = 0) -> torch.Tensor:
    return torch.rand(2, 1, side, side, generator=torch.Generator().manual_seed(seed))


def test_losses_of_the_discriminator_and_of_the_generator_by_hand() -> None:
    def logit(p: float) -> float:
        return math.log(p / (1 - p))

    gold, made = torch.tensor([logit(0.9), logit(0.6)]), torch.tensor([logit(0.2), logit(0.5)])
    found = discriminator_loss(gold, made).item()
    assert found == pytest.approx(-(math.log(0.9) + math.log(0.6) + math.log(0.8) + math.log(0.5)) / 2)
    assert adversarial_loss(made).item() == pytest.approx(-(math.log(0.2) + math.log(0.5)) / 2)


def test_who_cannot_tell_pays_twice_log_2() -> None:
    assert discriminator_loss(torch.zeros(3), torch.zeros(3)).item() == pytest.approx(2 * math.log(2))


def test_the_generator_learns_most_where_it_is_caught() -> None:
    made = torch.tensor([-20.0, 0.0, 20.0], requires_grad=True)
    adversarial_loss(made).backward()
    assert made.grad is not None
    torch.testing.assert_close(3 * made.grad, torch.tensor([-1.0, -0.5, 0.0]), atol=1e-6, rtol=0)


def test_l1_by_hand_with_a_light_background() -> None:
    inside = torch.tensor([True, True, False]).view(1, 1, 1, 3)
    weight = pixel_weights(inside, 0.5)
    assert weight.flatten().tolist() == [1, 1, 0.5]
    made, gold = picture(0.1, 0.5, 0.9), picture(0.2, 0.8, 0.1)
    found = reconstruction_loss(made, gold, weight, "l1", 0.0).item()
    assert found == pytest.approx((0.1 + 0.3 + 0.5 * 0.8) / 2.5)


def test_each_picture_counts_alike_however_large_its_hand() -> None:
    values, weight = torch.ones(2, 1, 2, 2), torch.ones(2, 1, 2, 2)
    values[1], weight[1, :, 0] = 3, 0
    assert weighted_mean(values, weight).tolist() == [1, 3]
    assert weighted_mean(values, torch.zeros(2, 1, 2, 2, dtype=torch.bool)).tolist() == [0, 0]


def test_bce_dice_is_equation_4_on_a_mask() -> None:
    p, y = [0.9, 0.2, 0.6], [1.0, 0.0, 1.0]
    cross_entropy = -(math.log(0.9) + math.log(0.8) + math.log(0.6)) / 3
    dice = (2 * (0.9 + 0.6) + 1) / (0.81 + 0.04 + 0.36 + 2 + 1)  # one pixel more above and below
    found = reconstruction_loss(picture(*p), picture(*y), torch.ones(1, 1, 1, 3), "bce_dice", 0.0).item()
    assert found == pytest.approx(cross_entropy + 1 - dice)


def test_ssim_of_flat_pictures_by_hand() -> None:
    made, gold = torch.full((1, 1, 16, 16), 0.4), torch.full((1, 1, 16, 16), 0.6)
    ssim = (2 * 0.4 * 0.6 + 0.01**2) / (0.4**2 + 0.6**2 + 0.01**2)
    found = reconstruction_loss(made, gold, torch.ones_like(gold), "l1_ssim", 0.5).item()
    assert found == pytest.approx(0.2 + 0.5 * (1 - ssim), abs=5e-4)  # variances cancel


def test_the_weight_of_ssim_is_for_l1_ssim_alone() -> None:
    made, gold, weight = random(), random(seed=1), torch.ones(2, 1, 16, 16)
    l1 = reconstruction_loss(made, gold, weight, "l1", 9.0)
    assert torch.equal(l1, reconstruction_loss(made, gold, weight, "l1", 0.0))
    assert torch.equal(l1, reconstruction_loss(made, gold, weight, "l1_ssim", 0.0))


@pytest.mark.parametrize("kind", RECONSTRUCTIONS)
def test_nothing_is_better_than_the_gold_itself(kind: str) -> None:
    gold, weight = random() * 0.8 + 0.1, torch.ones(2, 1, 16, 16)
    best = reconstruction_loss(gold, gold, weight, kind, 0.5)
    for other in (gold + 0.05, gold - 0.05, 0.9 * gold + 0.05, torch.full_like(gold, 0.99), gold.flip(0)):
        assert reconstruction_loss(other, gold, weight, kind, 0.5) > best


@pytest.mark.parametrize("kind", RECONSTRUCTIONS)
def test_following_it_leads_to_the_gold(kind: str) -> None:
    gold, weight = random() * 0.8 + 0.1, torch.ones(2, 1, 16, 16)
    logits = torch.zeros_like(gold, requires_grad=True)
    optimiser = torch.optim.Adam([logits], 0.1)
    for _ in range(300):
        loss = reconstruction_loss(logits.sigmoid(), gold, weight, kind, 0.5)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert (logits.sigmoid() - gold).abs().mean() < 0.02


@pytest.mark.parametrize("kind", RECONSTRUCTIONS)
def test_what_lies_outside_a_weightless_background_does_not_count(kind: str) -> None:
    inside = torch.zeros(2, 1, 24, 24, dtype=torch.bool)
    inside[..., 8:16, 8:16] = True
    made, gold = random(24), random(24, seed=1)
    changed = made.clone()
    changed[..., :2] = 0.5  # farther from the hand than the window of SSIM reaches
    first, second = (
        reconstruction_loss(x, gold, pixel_weights(inside, 0.0), kind, 0.5) for x in (made, changed)
    )
    torch.testing.assert_close(first, second)


@pytest.mark.parametrize("kind", RECONSTRUCTIONS)
def test_flat_black_pictures_have_finite_gradients(kind: str) -> None:
    made = torch.zeros(1, 1, 16, 16, requires_grad=True)
    reconstruction_loss(made, torch.zeros(1, 1, 16, 16), torch.ones(1, 1, 16, 16), kind, 0.5).backward()
    assert made.grad is not None
    assert made.grad.isfinite().all()


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="reconstruction 'l2' is not one of l1, l1_ssim, bce_dice"):
        reconstruction_loss(random(), random(), torch.ones(2, 1, 16, 16), "l2", 0.0)
