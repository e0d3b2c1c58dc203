"""Mean field of the dense CRF without approximation, for small pictures: what the backends are held against."""

import torch
from torch import Tensor

from boneage_kedro.masks.crf_settings import CrfSettings


def refine_exactly(probabilities: Tensor, image: Tensor, settings: CrfSettings) -> Tensor:
    """Posterior class probabilities by brute force; every pair of pixels is computed (paper 000, eq. 1-3).

    Time and memory grow with the square of the number of pixels: 32 x 32 take about
    60 MB, 64 x 64 about 1 GB.

    Args:
        probabilities: (K, H, W), greater than 0, summing to 1 over the classes.
        image: (H, W) uint8.
        settings: the terms; ``backend`` is not looked at.

    Returns:
        (K, H, W) float64.
    """
    kernel = _kernel(image, settings)
    unary = probabilities.double().flatten(1).log()
    posterior = unary.softmax(0)
    for _ in range(settings["steps"]):
        before, posterior = posterior, (unary + posterior @ kernel).softmax(0)
        if settings["tolerance"] and (posterior - before).abs().max() <= settings["tolerance"]:
            break
    return posterior.reshape(probabilities.shape)


def _kernel(image: Tensor, settings: CrfSettings) -> Tensor:
    """Weighted sum of both normalised kernels, (N, N) over the pixels; the pixel itself counts as a neighbour."""
    height, width = image.shape
    places = torch.cartesian_prod(torch.arange(height), torch.arange(width)).double().to(image.device)
    gray = image.flatten().double()[:, None] / settings["bilateral_sigma_gray"]
    bilateral = torch.cat([places / settings["bilateral_sigma_px"], gray], 1)
    return settings["bilateral_weight"] * _normalised_gaussian(bilateral) + settings[
        "gaussian_weight"
    ] * _normalised_gaussian(places / settings["gaussian_sigma_px"])


def _normalised_gaussian(features: Tensor) -> Tensor:
    """D^-1/2 K D^-1/2 for K of features (N, F) in standard deviations, D its row sums."""
    squared = (features[:, None] - features[None]).square().sum(-1)
    kernel = (-squared / 2).exp()
    scale = kernel.sum(1).rsqrt()
    return scale[:, None] * kernel * scale
