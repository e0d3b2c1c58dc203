"""Contrast-limited adaptive histogram equalisation (Zuiderveld 1994), as many archives and viewers apply it."""

import torch
from torch import Tensor

TILES = 8
_LEVELS = 256


def equalise_locally(images: Tensor, clip_limits: Tensor) -> Tensor:
    """Give each part of a picture its own tone curve, which is no steeper than its clip limit.

    The curve of a tile is the running sum of its histogram, of which what exceeds the limit is dealt out evenly.
    Between the middles of `TILES` x `TILES` tiles curves are mixed bilinearly.

    Args:
        images: (B, 1, H, W) float in 0 to 1, each side at least `TILES`.
        clip_limits: (B,) of the histogram's bars over their mean; 0 leaves a picture as it is, to its 256 levels.

    Returns:
        (B, 1, H, W) float in 0 to 1.
    """
    levels = (images[:, 0].clamp(0, 1) * (_LEVELS - 1)).round().long()
    curves = _curves(levels, clip_limits.to(images)).flatten(1)  # (B, tiles * levels)
    mixed = torch.zeros_like(images[:, 0])
    for row, row_share in _neighbours(images.shape[2], images):
        for column, column_share in _neighbours(images.shape[3], images):
            place = (row[:, None] * TILES + column) * _LEVELS + levels
            values = curves.gather(1, place.flatten(1)).view_as(mixed)
            mixed += row_share[:, None] * column_share * values
    return mixed[:, None]


def _curves(levels: Tensor, clip_limits: Tensor) -> Tensor:
    """Of each tile what every gray level becomes, (B, TILES * TILES, 256) in 0 to 1."""
    count, rows, columns = levels.shape
    own = [torch.arange(side, device=levels.device) * TILES // side for side in (rows, columns)]
    place = (own[0][:, None] * TILES + own[1]) * _LEVELS + levels
    bars = torch.zeros(count, TILES * TILES * _LEVELS, device=levels.device, dtype=clip_limits.dtype)
    bars.scatter_add_(1, place.flatten(1), bars.new_ones(()).expand(count, rows * columns))
    shares = bars.view(count, TILES * TILES, _LEVELS)
    shares = shares / shares.sum(2, keepdim=True)
    kept = shares.minimum(clip_limits.view(-1, 1, 1) / _LEVELS)
    return (kept + (1 - kept.sum(2, keepdim=True)) / _LEVELS).cumsum(2)


def _neighbours(side: int, like: Tensor) -> list[tuple[Tensor, Tensor]]:
    """The tiles before and after each pixel of a side, (side,) long, with the share of each, (side,)."""
    place = (torch.arange(side, device=like.device, dtype=like.dtype) + 0.5) * TILES / side - 0.5
    first = place.floor()
    share = place - first
    before, after = (tile.clamp(0, TILES - 1).long() for tile in (first, first + 1))
    return [(before, 1 - share), (after, share)]
