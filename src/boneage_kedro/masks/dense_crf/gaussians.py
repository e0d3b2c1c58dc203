"""Gaussian filters along one axis as small matrices, for products instead of convolutions."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

_REACH_SIGMAS = 4.0
_NODE_SIGMAS = 0.8
_NODE_MARGIN_SIGMAS = 1.5


def low_rank_gaussian(positions: Tensor, sigma: float) -> Tensor:
    """A matrix U (n, r) with U U^T close to exp(-(p - q)^2 / (2 sigma^2)) over the n positions.

    A Gaussian is the product of two narrower ones summed over nodes between them; with nodes 0.8 sigma apart the
    error is 0.1% (the first term of Poisson's sum formula, 2 exp(-pi^2 / (2 * 0.8^2))).
    """
    step = _NODE_SIGMAS * sigma
    low = float(positions.min()) - _NODE_MARGIN_SIGMAS * sigma
    span = float(positions.max()) + _NODE_MARGIN_SIGMAS * sigma - low
    nodes = low + step * torch.arange(
        math.ceil(span / step) + 1, dtype=torch.float64, device=positions.device
    )
    scale = math.sqrt(_NODE_SIGMAS * math.sqrt(2 / math.pi))
    return (scale * (-((positions.double()[:, None] - nodes) / sigma).square()).exp()).float()


class BandedGaussian:
    """The symmetrically normalised Gaussian filter D^-1/2 K D^-1/2 along one axis, cut off at 4 sigma.

    The band is cut into square tiles with what they reach on both sides, (tiles, tile, tile + 2 reach), so that
    filtering is one batched product over overlapping views.
    """

    def __init__(self, length: int, sigma: float, device: torch.device) -> None:
        self.length = length
        self.reach = min(math.ceil(_REACH_SIGMAS * sigma), length)
        self.tile = max(32, 2 * self.reach)
        self.tiles = math.ceil(length / self.tile)
        distance = torch.arange(length, device=device).double()
        kernel = (-((distance[:, None] - distance) / sigma).square() / 2).exp()
        scale = kernel.sum(1).rsqrt()
        kernel = (scale[:, None] * kernel * scale).float()
        after = self.tiles * self.tile - length
        padded = F.pad(kernel, (self.reach, self.reach + after, 0, after))
        columns = padded.shape[1]
        self.band = padded.as_strided(
            (self.tiles, self.tile, self.tile + 2 * self.reach), (self.tile * (columns + 1), columns, 1)
        ).contiguous()

    def down(self, values: Tensor) -> Tensor:
        """Filter (H, W) along H."""
        after = self.tiles * self.tile - self.length
        padded = F.pad(values, (0, 0, self.reach, self.reach + after))
        width = padded.shape[1]
        views = padded.as_strided((self.tiles, self.band.shape[2], width), (self.tile * width, width, 1))
        return (self.band @ views).reshape(-1, width)[: self.length]

    def across(self, values: Tensor) -> Tensor:
        """Filter (H, W) along W."""
        after = self.tiles * self.tile - self.length
        padded = F.pad(values, (self.reach, self.reach + after))
        height, width = padded.shape
        views = padded.as_strided((self.tiles, height, self.band.shape[2]), (self.tile, width, 1))
        return (views @ self.band.mT).permute(1, 0, 2).reshape(height, -1)[:, : self.length]
