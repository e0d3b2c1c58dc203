"""Attention maps of any age network, by Grad-CAM (Selvaraju et al., ICCV 2017), in months.

`AgeRegressor.activation_map` is exact, but only for a linear head on pooled features. Here the head may be anything,
and for a linear one the result is the same. No library is used for this: the map is a dozen lines, grad-cam drops
sign and unit and brings a second OpenCV, and captum does not say what the map leaves unexplained.

Before a map is drawn or counted it should be laid on its picture: `boneage_kedro.evaluation.attention.placing`.
"""

from typing import NamedTuple, cast

import numpy as np
import torch
from torch import Tensor, nn

from boneage_kedro.training.batches import AgeSamples


class Attribution(NamedTuple):
    """How many months each place adds to a predicted age.

    Attributes:
        maps: (n, h, w) float64, months; the mean of a map is its part of the predicted age.
        rest_months: (n,) float64, what the map leaves unexplained: ``maps.mean((1, 2)) + rest_months`` is the
            predicted age. For a linear head on pooled features it is the bias, the same for every picture of a sex.
            If it varies from picture to picture, the map is true to first order only: its values tell where small
            changes count, not what the whole picture brings.
    """

    maps: np.ndarray
    rest_months: np.ndarray


def attribute_ages(
    model: nn.Module, layer: nn.Module, samples: AgeSamples, batch_size: int, device: torch.device
) -> Attribution:
    """Grad-CAM of a network in evaluation mode on ``device``, in the order of the samples.

    Args:
        model: ``model(images, is_male)`` gives ages (B,) in months.
        layer: part of it that gives a feature map (B, C, h, w), usually the backbone.
    """
    model.eval()
    maps, rests = [], []
    for batch in samples.batches(batch_size, device):
        part, rest = grad_cam(model, layer, batch.images, batch.is_male)
        maps.append(part.cpu().double())
        rests.append(rest.cpu().double())
    return Attribution(torch.cat(maps).numpy(), torch.cat(rests).numpy())


def grad_cam(model: nn.Module, layer: nn.Module, images: Tensor, is_male: Tensor) -> tuple[Tensor, Tensor]:
    """Months that each place of a feature map adds or takes, and the months it leaves unexplained.

    Each feature counts by the gradient of the age, averaged over places as in Grad-CAM. Unlike there, negative values
    are kept: for an age, what speaks for a younger child matters as much as what speaks for an older one.

    Args:
        images: (B, 1, H, W) in 0 to 1.
        is_male: (B,) bool.

    Returns:
        maps (B, h, w) and rests (B,), both in months; ``maps.mean((1, 2)) + rests`` is the prediction.

    Raises:
        ValueError: the layer gives no feature map (B, C, h, w), or the model runs it not just once.
    """
    outputs: list[Tensor] = []

    def keep(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        outputs.append(
            output.detach().requires_grad_()
        )  # cut here: nothing before the layer needs a gradient
        return outputs[-1]

    handle = layer.register_forward_hook(keep)
    try:
        with torch.enable_grad():
            ages = cast(Tensor, model(images, is_male))
            total = ages.sum()
    finally:
        handle.remove()
    if len(outputs) != 1 or outputs[0].ndim != 4:
        shapes = ", ".join(str(tuple(output.shape)) for output in outputs) or "nothing"
        raise ValueError(
            f"the layer should give one feature map (B, C, h, w), but it gave {shapes}; choose another"
        )
    features = outputs[0]
    (gradient,) = torch.autograd.grad(total, features)
    weights = gradient.sum(
        (2, 3)
    )  # (B, C); h * w times the mean, so that a map's mean is its part of the age
    maps = torch.einsum("bchw,bc->bhw", features.detach(), weights)
    return maps, ages.detach() - maps.mean((1, 2))
