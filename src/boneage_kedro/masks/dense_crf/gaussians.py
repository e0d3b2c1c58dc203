"""Gaussian filters along one axis as small matrices, for products instead of convolutions."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

_REACH_SIGMAS = 4.0
_LEAST_TILE = 32


def gaussian_matrix(count: int, sigma: float, device: torch.device) -> Tensor:
    """exp(-(i - j)^2 / (2 sigma^2)) between ``count`` places one apart, (count, count) float32.

    What is below 1e-8 is 0: products of such tails would be denormal numbers, with which processors are slow.
    """
    places = torch.arange(count, device=device).float()
    return F.threshold((-((places[:, None] - places) / sigma).square() / 2).exp(), 1e-8, 0.0)


class BandedGaussian:
    """The symmetrically normalised Gaussian filter D^-1/2 K D^-1/2 times a weight, along one axis, cut at 4 sigma.

    The band is cut into tiles with what they reach on both sides, so that filtering is one batched product over
    overlapping views of a padded map, without a copy.

    Attributes:
        reach: padding before the first pixel.
        inner: length rounded up to whole tiles.
        padded: length with the padding at both ends.
    """

    def __init__(self, length: int, sigma: float, weight: float, device: torch.device) -> None:
        self.reach = min(math.ceil(_REACH_SIGMAS * sigma), length)
        self._tile = max(_LEAST_TILE, 2 * self.reach)
        self._tiles = math.ceil(length / self._tile)
        self.inner = self._tiles * self._tile
        self.padded = self.inner + 2 * self.reach
        kernel = gaussian_matrix(length, sigma, device)
        scale = kernel.sum(1).rsqrt()
        kernel = weight * scale[:, None] * kernel * scale
        after = self.inner - length
        band = F.pad(kernel, (self.reach, self.reach + after, 0, after))  # (inner, padded)
        tile_step = self._tile * (
            self.padded + 1
        )  # a tile further is as many rows down as columns to the right
        self._band = band.as_strided(
            (self._tiles, self._tile, self._window), (tile_step, self.padded, 1)
        ).contiguous()

    @property
    def _window(self) -> int:
        return self._tile + 2 * self.reach

    def down(self, maps: Tensor) -> Tensor:
        """Filter (padded, W) along the first axis to (inner, W)."""
        width = maps.shape[1]
        windows = maps.as_strided((self._tiles, self._window, width), (self._tile * width, width, 1))
        return (self._band @ windows).view(self.inner, width)

    def across(self, maps: Tensor) -> Tensor:
        """Filter (H, padded) along the second axis to (H, tiles, tile): ``inner`` columns, by tiles."""
        height = maps.shape[0]
        windows = maps.as_strided((self._tiles, height, self._window), (self._tile, self.padded, 1))
        return (windows @ self._band.mT).transpose(0, 1)
