"""Losses, each a function to a dict of named values; ``loss`` is the one that is minimised."""

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
