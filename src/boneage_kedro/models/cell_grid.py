"""Where the cells of a feature map look in the picture."""

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

_WINDOWS = (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d)


class CellGrid(NamedTuple):
    """Where the cells of a feature map look, the same for rows and columns.

    Attributes:
        first_px: middle of what the first cell sees, in pixels from the centre of the first pixel of the picture.
        stride_px: from one cell to the next.
        cells: in a row, and in a column.
    """

    first_px: float
    stride_px: float
    cells: int

    def middles(self) -> np.ndarray:
        """(cells,) what each looks at, in pixels."""
        return self.first_px + self.stride_px * np.arange(self.cells)


def locate_cells(backbone: nn.Module, input_px: int) -> CellGrid:
    """Follow the windows of a network on one black picture, and find what its cells are centred on.

    Padding decides it: with half a window on both sides, as in a ResNet, the first cell looks at the corner; without
    any, or with that of TensorFlow, it looks further inside. Of parallel branches the first to run counts.

    Args:
        backbone: gives a feature map (B, C, h, h) of pictures (B, 3, P, P), by convolutions and pooling in windows.
        input_px: side P of the pictures.

    Raises:
        ValueError: the network makes its maps smaller by something else.
    """
    first, stride, width = 0.0, 1, input_px

    def follow(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal first, stride, width
        before, after = inputs[0].shape[-1], output.shape[-1]
        if before == width and after != width:  # else another branch, or a window that keeps all cells
            first += stride * _first_centre(module, before, after)
            stride *= _single(module.stride)
            width = after

    handles = [
        module.register_forward_hook(follow) for module in backbone.modules() if isinstance(module, _WINDOWS)
    ]
    training = backbone.training
    try:
        with torch.no_grad():
            picture = torch.zeros(1, 3, input_px, input_px, device=next(backbone.parameters()).device)
            cells = backbone.eval()(picture).shape[-1]
    finally:
        backbone.train(training)
        for handle in handles:
            handle.remove()
    if width != cells:
        raise ValueError(
            f"{type(backbone).__name__} has {cells} cells, but its convolutions and pooling lead to {width}; where "
            "they look cannot be told"
        )
    return CellGrid(first, float(stride), cells)


def _first_centre(module: nn.Module, before: int, after: int) -> float:
    """Middle of the first window, in cells of the map that it slides over."""
    reach = _single(getattr(module, "dilation", 1)) * (_single(module.kernel_size) - 1)
    padding = module.padding
    if isinstance(padding, str) or not _single(
        padding
    ):  # padded as in TensorFlow, if at all: the rest on the right
        left = max(0, (after - 1) * _single(module.stride) + reach + 1 - before) // 2
    else:
        left = _single(padding)
    return reach / 2 - left


def _single(value: Any) -> int:
    """Of one number or equal ones for both directions."""
    return int(value[0] if isinstance(value, tuple) else value)
