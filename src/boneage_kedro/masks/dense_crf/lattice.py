"""Backend pydensecrf: mean field on the permutohedral lattice (Kraehenbuehl and Koltun, NIPS 2011), on the CPU."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from boneage_kedro.masks.crf_settings import CrfSettings


def refine_on_lattice(probabilities: Tensor, images: Tensor, settings: CrfSettings) -> Tensor:
    """Posterior class probabilities by pydensecrf.

    Args:
        probabilities: (B, K, H, W) float32, greater than 0.
        images: (B, H, W) uint8.
        settings: the terms.

    Returns:
        (B, K, H, W) float32 on the device of `probabilities`.
    """
    pairs = zip(probabilities, images, strict=True)
    return torch.stack([_refine_one(own, image, settings) for own, image in pairs])


def _refine_one(probabilities: Tensor, image: Tensor, settings: CrfSettings) -> Tensor:
    """One picture: (K, H, W) and (H, W) to (K, H, W)."""
    from pydensecrf.densecrf import DenseCRF  # noqa: PLC0415  (only this backend needs the package)

    classes, *size = probabilities.shape
    field = DenseCRF(image.numel(), classes)
    field.setUnaryEnergy(np.ascontiguousarray(-np.log(probabilities.cpu().numpy().reshape(classes, -1))))
    for features, weight in _terms(image.cpu().numpy(), settings):
        field.addPairwiseEnergy(features, compat=weight)
    posterior = _infer(field, settings["steps"], settings["tolerance"]).reshape(classes, *size)
    return torch.from_numpy(posterior).to(probabilities.device)


def _terms(image: np.ndarray, settings: CrfSettings) -> list[tuple[np.ndarray, float]]:
    """Features (F, N) float32 in standard deviations and weight of both pairwise terms."""
    places = np.indices(image.shape, dtype=np.float32).reshape(2, -1)
    gray = image.reshape(1, -1) / np.float32(settings["bilateral_sigma_gray"])
    bilateral = np.concatenate([places / np.float32(settings["bilateral_sigma_px"]), gray])
    return [
        (bilateral, settings["bilateral_weight"]),
        (places / np.float32(settings["gaussian_sigma_px"]), settings["gaussian_weight"]),
    ]


def _infer(field: Any, steps: int, tolerance: float) -> np.ndarray:
    if not tolerance:
        return np.array(field.inference(steps))
    posterior, scratch, message = field.startInference()
    for _ in range(steps):
        before = np.array(posterior)
        field.stepInference(posterior, scratch, message)
        if np.abs(np.array(posterior) - before).max() <= tolerance:
            break
    return np.array(posterior)
