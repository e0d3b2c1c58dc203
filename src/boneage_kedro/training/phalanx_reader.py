"""Masks of the phalanges of new radiographs."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from boneage_kedro.imaging.geometry import rescale_transform
from boneage_kedro.imaging.preparation import Prepared, render
from boneage_kedro.masks.label_maps import probabilities_to_source
from boneage_kedro.training.batches import to_input
from boneage_kedro.training.segmentation import build_segmenter


class PhalanxReader:
    """A trained network with the preparation of pictures that it needs."""

    def __init__(
        self, weights: Mapping[str, Tensor], settings: Mapping[str, Any], device: torch.device
    ) -> None:
        self._network = build_segmenter(weights, settings).to(device)
        self._device = device
        self._input_px: int = settings["input_px"]
        self._canvas_px: int = settings["preparation"]["canvas_px"]

    def picture(self, pixels: np.ndarray, prepared: Prepared) -> np.ndarray:
        """What the network was trained on, of this radiograph: (S, S) uint8."""
        if prepared.image.shape[0] == self._canvas_px:
            return prepared.image
        return render(pixels, prepared, self._canvas_px)

    @torch.inference_mode()
    def read(self, pictures: Sequence[np.ndarray], prepared: Sequence[Prepared]) -> list[np.ndarray]:
        """Masks (H, W) uint8 class codes, in the frame and at the size of each source picture."""
        raw = torch.from_numpy(np.stack(pictures)).to(self._device)
        probabilities = self._network(to_input(raw, self._input_px)).softmax(1).cpu().numpy()
        masks = []
        for mine, made in zip(probabilities, prepared, strict=True):
            fitted = rescale_transform(made.transform, made.image.shape[0], self._input_px)
            masks.append(probabilities_to_source(mine, fitted, made.source_shape))
        return masks
