"""The bilateral filter of one picture on a grid of space and gray level."""

import math

import torch
from torch import Tensor

from .gaussians import gaussian_matrix

_BLOCK_SIGMAS = 0.4
_NODE_SIGMAS = 1.0
_BIN_SIGMAS = 1.0


class BilateralGrid:
    """The symmetrically normalised bilateral filter D^-1/2 K D^-1/2 of one picture.

    A pixel belongs to a block of pixels and, by linear weights, to two bins of gray level; a block, by bilinear
    weights, to four nodes. Between nodes and bins the Gaussian is applied axis by axis (bilateral grid: Chen, Paris
    and Durand, SIGGRAPH 2007). Its variance is what is left of sigma^2 after that of the rounding on the way there
    and back: a sixth of a block, a third of a node's and a third of a bin's spacing, all squared.

    Maps are flat, pixel p of the picture at ``places[p]``; the rest is padding, which takes part in nothing.
    """

    def __init__(self, image: Tensor, sigma_px: float, sigma_gray: float, places: Tensor, size: int) -> None:
        block = max(1, math.floor(_BLOCK_SIGMAS * sigma_px))
        spacing = _NODE_SIGMAS * sigma_px / block  # in blocks
        self._shape, cells, columns, shares = self._bins(image, block, _BIN_SIGMAS * sigma_gray)
        rows, across, bins = self._shape
        self._to_cells = SparsePair(places.repeat_interleave(2), columns, shares, (size, len(cells)))
        block_row, block_column, level = cells // (across * bins), cells // bins % across, cells % bins
        self._nodes = tuple(math.floor((count - 1) / spacing) + 2 for count in (rows, across))
        nodes, weights = _bilinear(block_row / spacing, block_column / spacing, self._nodes[1])
        entries = torch.arange(len(cells), device=image.device).repeat_interleave(4)
        flat = (nodes * bins + level[:, None]).flatten()
        total = self._nodes[0] * self._nodes[1] * bins
        self._to_nodes = SparsePair(entries, flat, weights.flatten(), (len(cells), total))
        left = math.sqrt(1 / _NODE_SIGMAS**2 - 1 / 3 - (block**2 - 1) / 6 / (_NODE_SIGMAS * sigma_px) ** 2)
        self._down, self._across = (gaussian_matrix(count, left, image.device) for count in self._nodes)
        self._gray = gaussian_matrix(bins, math.sqrt(1 / _BIN_SIGMAS**2 - 1 / 3), image.device)

    @staticmethod
    def _bins(
        image: Tensor, block: int, bin_gray: float
    ) -> tuple[tuple[int, int, int], Tensor, Tensor, Tensor]:
        rows, columns = (math.ceil(side / block) for side in image.shape)
        bins = math.floor(255 / bin_gray) + 2
        row, column = (torch.arange(side, device=image.device, dtype=torch.int32) // block for side in image.shape)
        level = image.flatten() / bin_gray
        lower = level.int()
        first = (row[:, None] * columns + column).flatten() * bins + lower
        cells = torch.stack([first, first + 1], 1).flatten()
        share = level - lower
        used = torch.zeros(rows * columns * bins, dtype=torch.int32, device=image.device)
        used[cells] = 1
        rank = used.cumsum(0, dtype=torch.int32) - 1
        return (rows, columns, bins), used.nonzero()[:, 0], rank[cells], torch.stack([1 - share, share], 1).flatten()

    def normalise(self, scale: Tensor) -> None:
        self._to_cells.scale_rows(scale)

    def collect(self, values: Tensor) -> Tensor:
        """Filter a flat map, up to spreading it back to the pixels."""
        bins = self._shape[2]
        nodes = (self._to_nodes.transposed @ (self._to_cells.transposed @ values)).view(self._nodes[0], -1)
        nodes = (self._down @ nodes).view(*self._nodes, bins)
        return self._to_nodes.matrix @ (self._across @ (nodes @ self._gray)).flatten()

    @property
    def spread(self) -> Tensor:
        return self._to_cells.matrix


class SparsePair:
    """A sparse matrix and its transpose, both by rows; entries come in the order of rows."""

    def __init__(self, rows: Tensor, columns: Tensor, values: Tensor, size: tuple[int, int]) -> None:
        order = columns.argsort()
        self._rows, self._order = rows, order
        self.matrix = torch.sparse_csr_tensor(_starts(rows, size[0]), columns.int(), values, size)
        self.transposed = torch.sparse_csr_tensor(
            _starts(columns, size[1]), rows[order].int(), values[order], size[::-1]
        )

    def scale_rows(self, scale: Tensor) -> None:
        values = self.matrix.values().mul_(scale[self._rows])
        self.transposed.values().copy_(values[self._order])


def _starts(rows: Tensor, count: int) -> Tensor:
    ends = torch.bincount(rows, minlength=count).cumsum(0)
    return torch.cat([ends.new_zeros(1), ends]).int()


def _bilinear(y: Tensor, x: Tensor, width: int) -> tuple[Tensor, Tensor]:
    """The four nodes around places in units of nodes, and their weights, both (n, 4)."""
    top, left = y.int(), x.int()
    down, right = y - top, x - left
    first = top * width + left
    nodes = torch.stack([first, first + 1, first + width, first + width + 1], 1)
    weights = torch.stack([(1 - down) * (1 - right), (1 - down) * right, down * (1 - right), down * right], 1)
    return nodes, weights
