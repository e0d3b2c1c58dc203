"""Backend torch: mean field with the bilateral kernel on a grid of space and gray level, on CPU or GPU."""

import math

import torch
from torch import Tensor

from .gaussians import BandedGaussian, low_rank_gaussian
from .settings import CrfSettings

_BLOCK_SIGMAS = 0.4
_BIN_SIGMAS = 1.0


def refine_on_grid(probabilities: Tensor, image: Tensor, settings: CrfSettings) -> Tensor:
    """Posterior class probabilities by mean field with fast filters.

    Probabilities sum to 1 and filters are linear, so that all but the last of the K classes need be filtered; the
    iteration is on log odds against the last.

    Args:
        probabilities: (K, H, W) float32, greater than 0.
        image: (H, W) uint8, on the same device.
        settings: the terms.

    Returns:
        (K, H, W) float32.
    """
    message = _Message(image, settings)
    logs = probabilities.log()
    odds = logs[:-1] - logs[-1] - message(torch.ones_like(image, dtype=torch.float32))
    posterior = _first_classes(logs[:-1] - logs[-1])
    for _ in range(settings["steps"]):
        messages = torch.stack([message(each) for each in posterior])
        before, posterior = posterior, _first_classes(odds + messages + messages.sum(0))
        if settings["tolerance"] and _largest_move(before, posterior) <= settings["tolerance"]:
            break
    return torch.cat([posterior, 1 - posterior.sum(0, keepdim=True)]).clamp_(0, 1)


def _first_classes(odds: Tensor) -> Tensor:
    """Probabilities (K - 1, H, W) from log odds against the last class."""
    if len(odds) == 1:
        return odds.sigmoid()
    return torch.cat([odds, torch.zeros_like(odds[:1])]).softmax(0)[:-1]


def _largest_move(before: Tensor, after: Tensor) -> Tensor:
    moves = after - before
    return torch.maximum(moves.abs().max(), moves.sum(0).abs().max())


class _Message:
    """Weighted sum of both normalised filters of a map (H, W)."""

    def __init__(self, image: Tensor, settings: CrfSettings) -> None:
        height, width = image.shape
        self.bilateral = BilateralGrid(
            image, settings["bilateral_sigma_px"], settings["bilateral_sigma_gray"]
        )
        self.rows = BandedGaussian(height, settings["gaussian_sigma_px"], image.device)
        self.columns = BandedGaussian(width, settings["gaussian_sigma_px"], image.device)
        self.bilateral_weight, self.gaussian_weight = (
            settings["bilateral_weight"],
            settings["gaussian_weight"],
        )

    def __call__(self, values: Tensor) -> Tensor:
        near = self.columns.across(self.rows.down(values))
        return self.bilateral_weight * self.bilateral(values) + self.gaussian_weight * near


class BilateralGrid:
    """The symmetrically normalised bilateral filter D^-1/2 K D^-1/2 of one picture.

    A pixel belongs to one block of pixels and, by linear weights, to two bins of gray level (Chen, Paris and Durand,
    SIGGRAPH 2007). Between blocks and bins the Gaussian is applied axis by axis, of low rank in space. Its variance
    is what remains after that of the rounding: a sixth of a block and a third of a bin, both squared.
    """

    def __init__(self, image: Tensor, sigma_px: float, sigma_gray: float) -> None:
        block = max(1, math.floor(_BLOCK_SIGMAS * sigma_px))
        sigma_px = math.sqrt(sigma_px**2 - (block**2 - 1) / 6)
        bin_gray = _BIN_SIGMAS * sigma_gray
        rows, columns = (math.ceil(side / block) for side in image.shape)
        bins = math.floor(255 / bin_gray) + 2
        self.shape = rows, columns, bins
        self.down = low_rank_gaussian(block * torch.arange(rows, device=image.device), sigma_px)
        self.across = low_rank_gaussian(block * torch.arange(columns, device=image.device), sigma_px)
        levels = torch.arange(bins, device=image.device).float()
        self.gray = (-(levels[:, None] - levels).square() / (2 * (1 / _BIN_SIGMAS**2 - 1 / 3))).exp()
        self.slice, self.splat = _membership(
            image, block, bin_gray, self.shape, torch.ones_like(image).float()
        )
        scale = (self(torch.ones_like(image, dtype=torch.float32)) + 1e-20).rsqrt()
        self.slice, self.splat = _membership(image, block, bin_gray, self.shape, scale)

    def __call__(self, values: Tensor) -> Tensor:
        """Filter (H, W)."""
        rows, columns, bins = self.shape
        grid = (self.splat @ values.flatten()).view(rows, columns * bins)
        nodes = (self.down.T @ grid).view(-1, columns, bins)  # (r, columns, bins)
        nodes = self.across.T @ nodes @ self.gray  # (r, s, bins)
        grid = self.down @ (self.across @ nodes).view(-1, columns * bins)
        return (self.slice @ grid.flatten()).view_as(values)


def _membership(
    image: Tensor, block: int, bin_gray: float, shape: tuple[int, int, int], scale: Tensor
) -> tuple[Tensor, Tensor]:
    """Weights of the pixels in the cells, (pixels, cells) and (cells, pixels), times a scale of each pixel."""
    rows, columns, bins = shape
    device = image.device
    row, column = (torch.arange(side, device=device) // block for side in image.shape)
    level = image.flatten() / bin_gray
    lower = level.floor()
    first = ((row[:, None] * columns + column).flatten() * bins + lower.long()).to(torch.int32)
    cells = torch.stack([first, first + 1], 1).flatten()
    share = level - lower
    weights = (torch.stack([1 - share, share], 1) * scale.flatten()[:, None]).flatten()
    pixels = image.numel()
    starts = torch.arange(0, 2 * pixels + 1, 2, dtype=torch.int32, device=device)
    size = rows * columns * bins
    order = cells.argsort(stable=True)
    ends = torch.bincount(cells, minlength=size).cumsum(0)
    cell_starts = torch.cat([ends.new_zeros(1), ends]).to(torch.int32)
    by_pixel = torch.sparse_csr_tensor(starts, cells, weights, (pixels, size))
    by_cell = torch.sparse_csr_tensor(
        cell_starts, (order // 2).to(torch.int32), weights[order], (size, pixels)
    )
    return by_pixel, by_cell
