"""Optimisers by name, and what Caffe's learning rates are worth here."""

from typing import Any, NamedTuple

import torch
from torch import nn

from boneage_kedro.training.settings import FitSettings, StageSettings

_BIAS_RATE = 2.0


class MeanLossRate(NamedTuple):
    """Learning rate and weight decay for a loss that is the mean over pixels."""

    learning_rate: float
    weight_decay: float


def rate_for_mean_loss(learning_rate: float, weight_decay: float, pixels: int) -> MeanLossRate:
    """The settings with which a mean over pixels learns as a sum over them does with the given ones.

    Caffe's FCN leave the loss a sum over the pixels of their one picture (``normalize: false``), so its gradient is
    ``pixels`` times that of the mean, while the decay is added as it is. A step of ``r * (pixels * g + d * w)`` is
    one of ``(r * pixels) * (g + (d / pixels) * w)``. Momentum is the same for both.

    Paper 002, section 4, gives a rate of 1e-8 and a decay of 5e-4, but not the size to which it brings its pictures.
    For 256 x 256 pixels these are 6.6e-4 and 7.6e-9, for 224 x 224 5.0e-4 and 1.0e-8, for 500 x 500, about the size
    for which FCN was made, 2.5e-3 and 2.0e-9. With a momentum of 0.99 steps add up to a hundred times as much.

    Args:
        learning_rate, weight_decay: for the sum.
        pixels: summed over in one step: of a picture, times those in a batch.

    Raises:
        ValueError: there is no pixel.
    """
    if pixels < 1:
        raise ValueError(f"pixels is {pixels}; a loss needs at least one")
    return MeanLossRate(learning_rate * pixels, weight_decay / pixels)


def new_optimiser(model: nn.Module, stage: StageSettings, settings: FitSettings) -> torch.optim.Optimizer:
    """The optimiser of one stage, for the parameters that it frees.

    ``sgd`` is that of Caffe's FCN: biases learn at twice the rate and do not decay.

    Raises:
        ValueError: momentum is missing, or given for an optimiser that has none here.
    """
    name, rate, decay = settings["optimiser"], stage["learning_rate"], settings["weight_decay"]
    momentum = settings.get("momentum")
    if (name == "sgd") != (momentum is not None):
        raise ValueError(
            f"fit.optimiser is {name} and fit.momentum is {momentum}; sgd needs a momentum, 0 for none, and the "
            "others have none: remove it or set it to null"
        )
    if momentum is not None:
        optimiser = torch.optim.SGD(_caffe_groups(model, decay), lr=rate, momentum=momentum)
        set_rate(optimiser, rate)
        return optimiser
    kind = torch.optim.RMSprop if name == "rmsprop" else torch.optim.AdamW
    return kind([p for p in model.parameters() if p.requires_grad], lr=rate, weight_decay=decay)


def set_rate(optimiser: torch.optim.Optimizer, learning_rate: float) -> None:
    """Let all parameters learn at this rate, or at their multiple of it."""
    for group in optimiser.param_groups:
        group["lr"] = learning_rate * group.get("rate_factor", 1.0)


def _caffe_groups(model: nn.Module, decay: float) -> list[dict[str, Any]]:
    free = [(name.rpartition(".")[2], p) for name, p in model.named_parameters() if p.requires_grad]
    weights = [p for kind, p in free if kind != "bias"]
    biases = [p for kind, p in free if kind == "bias"]
    groups = [
        {"params": weights, "weight_decay": decay},
        {"params": biases, "weight_decay": 0.0, "rate_factor": _BIAS_RATE},
    ]
    return [group for group in groups if group["params"]]
