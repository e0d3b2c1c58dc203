"""One function for all backends: check what came in, refine each picture on its own."""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from boneage_kedro.masks.crf_settings import CrfSettings

from .grid import refine_on_grid
from .lattice import refine_on_lattice

_BACKENDS: dict[str, Callable[[Tensor, Tensor, CrfSettings], Tensor]] = {
    "torch": refine_on_grid,
    "pydensecrf": refine_on_lattice,
}
_MOST_CLASSES = 32
_SUM_TOLERANCE = 1e-3
_FLOOR = 1e-6


def refine(probabilities: Tensor, images: Tensor, settings: CrfSettings, ids: Sequence[str]) -> Tensor:
    """Posterior class probabilities of the dense CRF by mean field (paper 000, eq. 1-3).

    The unary term is -log of the probabilities, raised to at least 1e-6 first, so that no class is ruled out. The
    pairwise terms are those of pydensecrf with its symmetric normalisation. Each picture is refined on its own: its
    result does not depend on the others.

    Args:
        probabilities: (B, K, H, W) floating point from 0 to 1, summing to 1 over the 2 to 32 classes K.
        images: (B, H, W) uint8, on the same device.
        settings: the terms and the backend; pydensecrf computes on the CPU wherever the tensors lie.
        ids: of the B pictures, for messages.

    Returns:
        (B, K, H, W) float32 on the device of `probabilities`.

    Raises:
        ValueError: the backend is unknown, sizes or types do not match, there are fewer than 2 or more than 32
            classes, or probabilities are negative, not finite, or do not sum to 1.
    """
    if settings["backend"] not in _BACKENDS:
        raise ValueError(f"CRF backend {settings['backend']!r} is not one of {', '.join(_BACKENDS)}")
    _check_sizes(probabilities, images, ids)
    for own, name in zip(probabilities, ids, strict=True):
        _check_probabilities(own, name)
    return _BACKENDS[settings["backend"]](probabilities.float().clamp(min=_FLOOR), images, settings)


def _check_sizes(probabilities: Tensor, images: Tensor, ids: Sequence[str]) -> None:
    names = ", ".join(ids)
    if probabilities.ndim != 4 or not probabilities.is_floating_point():
        raise ValueError(
            f"{names}: probabilities must be floating point (B, K, H, W), "
            f"got {probabilities.dtype} {tuple(probabilities.shape)}"
        )
    count, classes, *size = probabilities.shape
    if images.dtype != torch.uint8 or tuple(images.shape) != (count, *size):
        raise ValueError(
            f"{names}: images must be uint8 {(count, *size)} to match the probabilities, "
            f"got {images.dtype} {tuple(images.shape)}"
        )
    if len(ids) != count:
        raise ValueError(f"{names}: {len(ids)} ids for {count} pictures")
    if classes < 2:
        raise ValueError(
            f"{names}: one class leaves nothing to decide; give the background a class of its own"
        )
    if classes > _MOST_CLASSES:
        raise ValueError(f"{names}: {classes} classes, at most {_MOST_CLASSES} can be refined")


def _check_probabilities(probabilities: Tensor, name: str) -> None:
    lowest, error = float(probabilities.min()), float((probabilities.float().sum(0) - 1).abs().max())
    if not math.isfinite(lowest + error):
        raise ValueError(f"{name}: probabilities hold NaN or infinity")
    if lowest < 0:
        raise ValueError(f"{name}: probabilities go down to {lowest:g}; are these logits?")
    if error > _SUM_TOLERANCE:
        raise ValueError(f"{name}: probabilities do not sum to 1 over the classes (off by {error:.3g})")
