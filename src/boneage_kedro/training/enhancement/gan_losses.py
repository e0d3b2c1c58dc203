"""Losses of the conditional GAN: equations 8 to 10 of paper 001, and what keeps the picture near its gold.

Equation 8 prints the term of made pictures as ``1 - log D``. For the generator, which minimises it, that is
the non-saturating loss -log D. For the discriminator, which maximises it, it would have no upper bound: what is meant
is ``log(1 - D)`` (Goodfellow et al., NeurIPS 2014, equation 1), and that is what it learns from here.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F
from torchmetrics.functional.image import structural_similarity_index_measure

_SMOOTH_PX = 1.0
_TINY = 1e-6


def discriminator_loss(gold: Tensor, made: Tensor) -> Tensor:
    """What the discriminator minimises, equation 10 negated: -log D of gold pairs and -log(1 - D) of made ones.

    Args:
        gold, made: logits of any shape that a pair is gold; the sigmoid of a logit is D.

    Returns:
        the sum of both means; 2 log 2 for a discriminator that cannot tell.
    """
    return _cross_entropy(gold, 1.0) + _cross_entropy(made, 0.0)


def adversarial_loss(made: Tensor) -> Tensor:
    """What the generator minimises: mean of -log D over the pairs it made (equation 9, the non-saturating form).

    Its gradient is large where the discriminator is sure, which is when the generator has most to learn; that of
    log(1 - D) would vanish there.
    """
    return _cross_entropy(made, 1.0)


def reconstruction_loss(made: Tensor, gold: Tensor, weight: Tensor, kind: str, ssim_weight: float) -> Tensor:
    """How far made pictures are from gold, taken for each picture and averaged over pictures.

    ``l1``: mean absolute difference (Isola et al., CVPR 2017). ``l1_ssim``: that, plus ``ssim_weight`` times 1 - SSIM
    (Wang et al., 2004; Gaussian window of 1.5 px). ``bce_dice``: equation 4 of paper 001, binary cross entropy and
    1 - Dice. Both were meant for masks. On gray values the cross entropy is still lowest where made equals gold, with
    the entropy of the gold as its lowest value. Dice is taken with squares below the line (Milletari et al., 3DV
    2016), which is the same on masks; without them it would be best where all is white.

    Args:
        made, gold: (B, 1, H, W) in 0 to 1, sides of at least 6 px for SSIM.
        weight: (B, 1, H, W), of each pixel, 0 or more.
        kind: a name in ``RECONSTRUCTIONS``.
        ssim_weight: for ``l1_ssim`` alone.

    Raises:
        ValueError: the kind is another.
    """
    if kind not in RECONSTRUCTIONS:
        raise ValueError(f"reconstruction {kind!r} is not one of {', '.join(RECONSTRUCTIONS)}")
    return RECONSTRUCTIONS[kind](made.float(), gold, weight, ssim_weight).mean()


def pixel_weights(inside: Tensor, background: float) -> Tensor:
    """Weights of pixels: 1 in the hand, (B, 1, H, W) bool, and that of the background elsewhere."""
    return inside + background * ~inside


def weighted_mean(values: Tensor, weight: Tensor) -> Tensor:
    """Mean over the pixels of each picture, (B, 1, H, W) both, to (B,); 0 where no pixel has a weight."""
    return (values * weight).sum((1, 2, 3)) / weight.sum((1, 2, 3)).clamp_min(_TINY)


def _l1(made: Tensor, gold: Tensor, weight: Tensor, ssim_weight: float) -> Tensor:
    return weighted_mean((made - gold).abs(), weight)


def _l1_ssim(made: Tensor, gold: Tensor, weight: Tensor, ssim_weight: float) -> Tensor:
    _, similarity = structural_similarity_index_measure(
        made, gold, reduction="none", data_range=1.0, return_full_image=True
    )  # (B, 1, H, W)
    return _l1(made, gold, weight, 0.0) + ssim_weight * weighted_mean(1 - similarity, weight)


def _bce_dice(made: Tensor, gold: Tensor, weight: Tensor, ssim_weight: float) -> Tensor:
    cross_entropy = F.binary_cross_entropy(made, gold, reduction="none")
    overlap = (weight * made * gold).sum((1, 2, 3))
    total = (weight * (made**2 + gold**2)).sum((1, 2, 3))
    dice = (2 * overlap + _SMOOTH_PX) / (total + _SMOOTH_PX)
    return weighted_mean(cross_entropy, weight) + 1 - dice


RECONSTRUCTIONS: dict[str, Callable[[Tensor, Tensor, Tensor, float], Tensor]] = {
    "l1": _l1,
    "l1_ssim": _l1_ssim,
    "bce_dice": _bce_dice,
}


def _cross_entropy(logits: Tensor, label: float) -> Tensor:
    logits = logits.float()
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))
