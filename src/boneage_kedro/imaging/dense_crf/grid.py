"""Backend torch: mean field with fast filters, on CPU or GPU."""

import torch
from torch import Tensor

from .bilateral import BilateralGrid
from .gaussians import BandedGaussian
from .settings import CrfSettings


def refine_on_grid(probabilities: Tensor, image: Tensor, settings: CrfSettings) -> Tensor:
    """Posterior class probabilities by mean field with fast filters."""
    messages = _Messages(image, settings)
    logs = probabilities.log()
    odds = logs[:-1] - logs[-1]
    posterior = messages.pad(_first_classes(odds), 0.0)
    odds = messages.pad(odds, -torch.inf)
    odds -= messages.of_ones
    scratch = odds.clone()
    for _ in range(settings["steps"]):
        charges = posterior + posterior.sum(0)
        for k in range(len(charges)):
            messages.add(odds[k], charges[k], scratch[k])
        before, posterior = posterior, _first_classes(scratch)
        if settings["tolerance"] and _largest_move(before, posterior) <= settings["tolerance"]:
            break
    posterior = messages.crop(posterior)
    return torch.cat([posterior, 1 - posterior.sum(0, keepdim=True)]).clamp_(0, 1)


def _first_classes(odds: Tensor) -> Tensor:
    """Probabilities (K - 1, H, W) from log odds against the last class."""
    if len(odds) == 1:
        return odds.sigmoid()
    return torch.cat([odds, torch.zeros_like(odds[:1])]).softmax(0)[:-1]


def _largest_move(before: Tensor, after: Tensor) -> Tensor:
    moves = after - before
    return torch.maximum(moves.abs().max(), moves.sum(0).abs().max())


class _Messages:
    """Weighted sum of both normalised filters, on padded maps (padded H, padded W)."""

    def __init__(self, image: Tensor, settings: CrfSettings) -> None:
        sigma = settings["gaussian_sigma_px"]
        self.rows, self.columns = (BandedGaussian(side, sigma, image.device) for side in image.shape)
        self.rows._band *= settings["gaussian_weight"]
        self.image_shape = image.shape
        self.shape = self.rows.padded, self.columns.padded
        ones = self.pad(torch.ones_like(image, dtype=torch.float32)[None], 0.0)[0]
        places = ones.flatten().nonzero()[:, 0]
        self.bilateral = BilateralGrid(image, settings["bilateral_sigma_px"], settings["bilateral_sigma_gray"], places, ones.numel())
        total = self.bilateral.spread @ self.bilateral.collect(ones.flatten())
        self.bilateral.normalise((total + 1e-20).rsqrt() * settings["bilateral_weight"] ** 0.5)
        self.of_ones = self.add(torch.zeros_like(ones), ones, torch.zeros_like(ones))

    def pad(self, maps: Tensor, value: float) -> Tensor:
        padded = maps.new_full((len(maps), *self.shape), value)
        self.crop(padded).copy_(maps)
        return padded

    def crop(self, maps: Tensor) -> Tensor:
        height, width = self.image_shape
        top, left = self.rows.reach, self.columns.reach
        return maps[..., top : top + height, left : left + width]

    def add(self, base: Tensor, charge: Tensor, out: Tensor) -> Tensor:
        top, left = self.rows.reach, self.columns.reach
        near = self.columns.across(self.rows.down(charge))
        inner = [m[top : top + self.rows.inner, left : left + self.columns.inner].unflatten(1, near.shape[1:]) for m in (base, out)]
        torch.add(inner[0], near, out=inner[1])
        out.view(-1).addmv_(self.bilateral.spread, self.bilateral.collect(charge.view(-1)))
        return out
