"""A sparse interpolation matrix and its transpose."""

import warnings

import torch
from torch import Tensor


class SparsePair:
    """A sparse matrix and its transpose, each stored by rows, so that both products run in parallel.

    Args:
        rows, columns, values: (n,) the entries in ascending order of rows.
        size: of the matrix.
    """

    def __init__(self, rows: Tensor, columns: Tensor, values: Tensor, size: tuple[int, int]) -> None:
        self._rows, self._order = rows, columns.argsort(stable=True)
        self.matrix = _by_rows(rows, columns, values, size)
        order = self._order
        self.transposed = _by_rows(columns[order], rows[order], values[order], (size[1], size[0]))

    def scale_rows(self, scale: Tensor) -> None:
        """Multiply each row of the matrix by its scale, in place."""
        values = self.matrix.values().mul_(scale[self._rows])
        self.transposed.values().copy_(values[self._order])


def _by_rows(rows: Tensor, columns: Tensor, values: Tensor, size: tuple[int, int]) -> Tensor:
    ends = torch.bincount(rows, minlength=size[0]).cumsum(0)
    starts = torch.cat([ends.new_zeros(1), ends]).int()
    with warnings.catch_warnings():  # torch says once a process that the layout is young and goes unchecked
        warnings.filterwarnings("ignore", message="Sparse (CSR|invariant)", category=UserWarning)
        return torch.sparse_csr_tensor(starts, columns.int(), values, size, check_invariants=False)
