"""Optimisers by name, and steps by hand."""

from typing import Any

import pytest
import torch
from torch import nn

from boneage_kedro.training.optimisers import new_optimiser, rate_for_mean_loss, set_rate

STAGE: Any = {"name": "all", "learning_rate": 0.1, "max_epochs": 1, "patience": 0}


def settings(optimiser: str, **more: Any) -> Any:
    return {"optimiser": optimiser, "weight_decay": 0.5, **more}


def layer(weight: float = 2.0, bias: float = 2.0) -> nn.Linear:
    made = nn.Linear(1, 1)
    nn.init.constant_(made.weight, weight)
    nn.init.constant_(made.bias, bias)
    return made


def step(model: nn.Linear, optimiser: torch.optim.Optimizer) -> tuple[float, float]:
    """Weight and bias after a step on a gradient of 1 each."""
    optimiser.zero_grad()
    model(torch.ones(1, 1)).sum().backward()
    optimiser.step()
    return model.weight.item(), model.bias.item()


def test_sgd_is_caffes_by_hand() -> None:
    model = layer()
    optimiser = new_optimiser(model, STAGE, settings("sgd", momentum=0.9))
    # the weight's gradient is 1 + 0.5 * 2, the bias does not decay and learns twice as fast
    assert step(model, optimiser) == pytest.approx((2 - 0.1 * 2, 2 - 0.2 * 1))
    speeds = 0.9 * 2 + (1 + 0.5 * 1.8), 0.9 * 1 + 1
    assert step(model, optimiser) == pytest.approx((1.8 - 0.1 * speeds[0], 1.8 - 0.2 * speeds[1]))


def test_a_new_rate_keeps_the_biases_ahead() -> None:
    model = layer()
    optimiser = new_optimiser(model, STAGE, settings("sgd", momentum=0.0))
    set_rate(optimiser, 0.01)
    assert step(model, optimiser) == pytest.approx((2 - 0.01 * 2, 2 - 0.02 * 1))


def test_what_does_not_learn_is_left_out() -> None:
    model = layer()
    model.bias.requires_grad_(False)
    assert step(model, new_optimiser(model, STAGE, settings("sgd", momentum=0.0))) == pytest.approx((1.8, 2))


def test_a_mean_over_pixels_learns_as_their_sum_does() -> None:
    pictures = torch.rand(5, 8, 8, generator=torch.Generator().manual_seed(0))
    found = []
    for reduce, (rate, decay) in {
        torch.sum: (1e-4, 5e-2),
        torch.mean: rate_for_mean_loss(1e-4, 5e-2, pixels=64),
    }.items():
        model = layer(0.3, -0.2)
        chosen = {"optimiser": "sgd", "weight_decay": decay, "momentum": 0.9}
        optimiser = new_optimiser(model, {**STAGE, "learning_rate": rate}, chosen)  # type: ignore[typeddict-item]
        for picture in pictures:
            optimiser.zero_grad()
            reduce((model(picture.reshape(-1, 1)) - 1) ** 2).backward()
            optimiser.step()
        found.append([model.weight.item(), model.bias.item()])
    assert found[0] == pytest.approx(found[1], rel=1e-5)
    assert found[0] != pytest.approx([0.3, -0.2], rel=1e-2)


def test_the_papers_rate_at_256_pixels() -> None:
    assert rate_for_mean_loss(1e-8, 5e-4, 256 * 256) == pytest.approx((6.5536e-4, 7.63e-9), rel=1e-3)
    with pytest.raises(ValueError, match="pixels is 0"):
        rate_for_mean_loss(1e-8, 5e-4, 0)


@pytest.mark.parametrize(
    "chosen", [settings("sgd"), settings("sgd", momentum=None), settings("adamw", momentum=0.9)]
)
def test_momentum_belongs_to_sgd(chosen: Any) -> None:
    with pytest.raises(
        ValueError, match=r"fit\.optimiser is (sgd|adamw) and fit\.momentum is .*sgd needs a momentum"
    ):
        new_optimiser(layer(), STAGE, chosen)
