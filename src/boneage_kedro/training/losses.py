"""Losses, each a function to a dict of named values; ``loss`` is the one that is minimised."""

import torch
from torch import Tensor
from torch.nn import functional as F

_KINDS = {"l1": F.l1_loss, "smooth_l1": F.smooth_l1_loss, "l2": F.mse_loss}


def age_loss(prediction: Tensor, age_months: Tensor, kind: str) -> dict[str, Tensor]:
    """Loss of predicted ages, both (B,) in months.

    It is taken in years, so that the same learning rates suit all kinds; the bend of ``smooth_l1`` is at one
    year.

    Raises:
        ValueError: the kind is not l1, smooth_l1 or l2.
    """
    if kind not in _KINDS:
        raise ValueError(f"loss {kind!r} is not one of {', '.join(_KINDS)}")
    return {
        "loss": _KINDS[kind](prediction / 12, age_months / 12),
        "mae_months": (prediction - age_months).abs().mean().detach(),
    }


def distribution_loss(
    scores: Tensor, grid_months: Tensor, age_months: Tensor, label_sd_months: float
) -> Tensor:
    """Divergence of a predicted distribution of ages from a Gaussian about the read age, mean over pictures.

    Label distribution learning (Geng, IEEE Trans Knowl Data Eng 2016;28:1734): an age is read to within months, so
    its neighbours are nearly as right. It is the Kullback-Leibler divergence of the softmax of the scores from the
    label, in nats.

    Args:
        scores: (B, K), one for each age of the grid.
        grid_months: (K,) ages.
        age_months: (B,) read ages.
        label_sd_months: standard deviation of the Gaussian, which is cut off at the ends of the grid.
    """
    off = (grid_months - age_months[:, None]) / label_sd_months
    label = (-0.5 * off**2).log_softmax(1)  # (B, K)
    return F.kl_div(scores.log_softmax(1), label, reduction="batchmean", log_target=True)


_SEGMENTATION_KINDS = ("dice", "dice_ce", "ce")
_SMOOTH_PX = 1.0  # bounds the gradient of a class that a picture lacks
_TINY = 1e-6


def segmentation_loss(logits: Tensor, target: Tensor, weight: Tensor, kind: str) -> dict[str, Tensor]:
    """Loss of segmented pictures: soft Dice over the foreground classes, cross entropy over the pixels, or both.

    Dice is taken for each picture and class, averaged over classes, times the picture's weight, and averaged over
    pictures. A class that a picture lacks counts 1 - 1 / (1 + its falsely given pixels), so it costs nothing only
    where it is not given.

    With two classes ``dice_ce`` is paper 001, equation 3: the binary cross entropy of equation 1, mean over pixels,
    plus 1 - Dice. Equation 2 takes Dice of the mask that Otsu's method makes of the probabilities, which has no
    gradient; here the probabilities themselves stand for it. Otsu's method is for finished masks alone
    (`boneage_kedro.masks.binarisation`). ``ce`` is the softmax loss of paper 002, section 2.1, as a mean over pixels.

    Args:
        logits: (B, K, H, W), class 0 is background.
        target: (B, H, W) integer, 0 to K - 1.
        weight: (B,) of each picture, 0 or more; a picture of weight 0.5 counts half, whatever else is in the batch.
        kind: ``dice``, ``dice_ce`` or ``ce``.

    Returns:
        ``loss``, and ``dice``: the unweighted mean Dice (paper 000, equation 4) of the most likely classes,
        1 where a class is rightly absent.

    Raises:
        ValueError: the kind is another.
    """
    if kind not in _SEGMENTATION_KINDS:
        raise ValueError(f"loss {kind!r} is not one of {', '.join(_SEGMENTATION_KINDS)}")
    logits = logits.float()  # sums over many pixels need more than 16 bits
    truth = _foreground(target, logits)
    per_picture = torch.zeros_like(weight)
    if kind != "ce":
        per_picture = 1 - _dice(logits.softmax(1)[:, 1:], truth, _SMOOTH_PX)
    if kind != "dice":
        per_picture = per_picture + F.cross_entropy(logits, target.long(), reduction="none").mean((1, 2))
    hard = _dice(_foreground(logits.detach().argmax(1), logits), truth, _TINY)
    return {"loss": (weight * per_picture).mean(), "dice": hard.mean()}


def _foreground(labels: Tensor, logits: Tensor) -> Tensor:
    """One plane for each foreground class: (B, H, W) integer to (B, K - 1, H, W) of 0 and 1."""
    classes = torch.arange(1, logits.shape[1], device=labels.device).view(1, -1, 1, 1)
    return (labels[:, None] == classes).to(logits.dtype)


def _dice(prediction: Tensor, truth: Tensor, smooth_px: float) -> Tensor:
    """Dice of planes (B, C, H, W), averaged over classes: (B,)."""
    overlap = (prediction * truth).sum((2, 3))
    total = prediction.sum((2, 3)) + truth.sum((2, 3))
    return ((2 * overlap + smooth_px) / (total + smooth_px)).mean(1)
