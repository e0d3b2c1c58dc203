"""The bilateral filter of pictures on a grid of space and gray level."""

import math

import torch
from torch import Tensor

from .gaussians import gaussian_matrix
from .sparse import SparsePair

# Larger is faster and less exact: with these the posterior is closer to the exact one than pydensecrf's.
_BLOCK_SIGMAS = 0.3
_NODE_SIGMAS = 0.8
_BIN_SIGMAS = 1.0


class BilateralGrid:
    """The bilateral filter K of each picture: a Gaussian of distance and of difference in gray level.

    A pixel belongs to one block of pixels and, by linear weights, to two bins of gray level: two cells. A cell
    belongs, by bilinear weights, to four nodes. Between nodes the Gaussian is applied axis by axis (bilateral grid:
    Chen, Paris and Durand, SIGGRAPH 2007). Only cells that have pixels are kept, so that nearly all the work is two
    numbers a pixel each way.

    Maps are flat. `gather` takes one to the cells and filters, `cells.matrix` takes the outcome back to the pixels.

    Args:
        images: (H, B, W) uint8.
        sigma_px, sigma_gray: standard deviations.
        places: (H B W,) where the pixels lie in a flat map, ascending.
        size: length of a flat map; what is no pixel takes part in nothing.
    """

    def __init__(self, images: Tensor, sigma_px: float, sigma_gray: float, places: Tensor, size: int) -> None:
        block = max(1, math.floor(_BLOCK_SIGMAS * sigma_px))
        bin_gray = max(1.0, _BIN_SIGMAS * sigma_gray)
        spacing = max(1.0, _NODE_SIGMAS * sigma_px / block)
        bins = math.floor(255 / bin_gray) + 2
        blocks, block_of_pixel = _blocks(images.shape, block, images.device)
        self.cells, used = _join_cells(images, block_of_pixel, bin_gray, bins, places, size)
        self._nodes, shape = _join_nodes(used, blocks, bins, spacing)
        self._shape = shape
        rounding = (1 - 1 / block**2) / 6  # variance of pixels within their blocks, there and back
        sigma = math.sqrt((sigma_px / block) ** 2 - rounding - _tent_variance(spacing)) / spacing
        self._down, self._across = (gaussian_matrix(count, sigma, images.device) for count in shape[::2])
        sigma = math.sqrt(sigma_gray**2 - _tent_variance(bin_gray)) / bin_gray
        self._gray = gaussian_matrix(bins, sigma, images.device)

    def gather(self, values: Tensor) -> Tensor:
        """Bring a flat map to the cells and filter it there."""
        rows, pictures, columns = self._shape
        nodes = self._nodes.transposed @ (self.cells.transposed @ values)
        nodes = (self._down @ nodes.view(rows, -1)).view(rows * pictures, columns, -1)
        return self._nodes.matrix @ (self._across @ (nodes @ self._gray)).flatten()


def _tent_variance(spacing: float) -> float:
    """Variance of linear weights there and back; at a spacing of one, places lie on nodes: nothing is spread."""
    return spacing**2 / 3 if spacing > 1 else 0.0


def _blocks(shape: torch.Size, block: int, device: torch.device) -> tuple[tuple[int, int, int], Tensor]:
    """Rows, pictures and columns of blocks, centred on each picture, and the block of each pixel (H B W,)."""
    height, pictures, width = shape
    rows, columns = (math.ceil(side / block) for side in (height, width))
    row, column = (
        (torch.arange(side, device=device) + (count * block - side) // 2) // block
        for side, count in ((height, rows), (width, columns))
    )
    line = row[:, None] * pictures + torch.arange(pictures, device=device)  # (H, B)
    return (rows, pictures, columns), (line[..., None] * columns + column).flatten()


def _join_cells(
    images: Tensor, block_of_pixel: Tensor, bin_gray: float, bins: int, places: Tensor, size: int
) -> tuple[SparsePair, Tensor]:
    """Weights of pixels in cells, and which cells (block x bins + bin) have pixels."""
    level = images.flatten() / bin_gray
    lower = level.int()
    share = level - lower
    first = block_of_pixel * bins + lower
    cells = torch.stack([first, first + 1], 1).flatten()
    weights = torch.stack([1 - share, share], 1).flatten()
    taken = torch.zeros((int(block_of_pixel[-1]) + 1) * bins, dtype=torch.int32, device=images.device)
    taken[cells] = 1
    used = taken.nonzero()[:, 0]
    rank = taken.cumsum(0, dtype=torch.int32) - 1
    return SparsePair(places.repeat_interleave(2), rank[cells], weights, (size, len(used))), used


def _join_nodes(
    cells: Tensor, blocks: tuple[int, int, int], bins: int, spacing: float
) -> tuple[SparsePair, tuple[int, int, int]]:
    """Bilinear weights of cells in nodes, and the nodes' (rows, pictures, columns); spacing in blocks."""
    block, level = cells // bins, cells % bins
    line, pictures = block // blocks[2], blocks[1]
    row, down, rows = _between_nodes(line // pictures, blocks[0], spacing)
    column, right, columns = _between_nodes(block % blocks[2], blocks[2], spacing)
    first = (row * pictures + line % pictures) * columns + column
    below = first + pictures * columns
    corners = torch.stack([first, first + 1, below, below + 1], 1)
    nodes = corners * bins + level[:, None]
    weights = torch.stack([(1 - down) * (1 - right), (1 - down) * right, down * (1 - right), down * right], 1)
    entries = torch.arange(len(cells), device=cells.device).repeat_interleave(4)
    shape = rows, pictures, columns
    size = len(cells), math.prod(shape) * bins
    return SparsePair(entries, nodes.flatten(), weights.flatten(), size), shape


def _between_nodes(block: Tensor, blocks: int, spacing: float) -> tuple[Tensor, Tensor, int]:
    """Lower of the two nodes around each block, the share of the upper one, and the number of nodes, centred."""
    nodes = max(2, math.ceil((blocks - 1) / spacing) + 1)
    place = (block - (blocks - 1) / 2) / spacing + (nodes - 1) / 2
    lower = place.long().clamp(max=nodes - 2)
    return lower, place - lower, nodes
