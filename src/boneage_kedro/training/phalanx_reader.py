"""Masks of the phalanges of new radiographs."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from boneage_kedro.imaging.geometry import rescale_transform
from boneage_kedro.imaging.preparation import PreparationSettings, Prepared, prepare
from boneage_kedro.imaging.radiograph import Radiograph
from boneage_kedro.masks.label_maps import probabilities_to_source
from boneage_kedro.training.batches import to_input
from boneage_kedro.training.mask_samples import PictureBatch
from boneage_kedro.training.segmentation import build_segmenter, probabilities


class PhalanxReader:
    """A trained network with the preparation of pictures that it has learnt from."""

    def __init__(
        self, weights: Mapping[str, Tensor], settings: Mapping[str, Any], device: torch.device
    ) -> None:
        self._network = build_segmenter(weights, settings).to(device)
        self._device = device
        self._input_px: int = settings["input_px"]
        self._preparation: PreparationSettings = settings["preparation"]

    def prepare(
        self, radiograph: Radiograph, prepared: Prepared, preparation: PreparationSettings
    ) -> Prepared:
        """The radiograph as the network wants it; what another one got is taken if that is the same."""
        return prepared if preparation == self._preparation else prepare(radiograph, self._preparation)

    @torch.inference_mode()
    def read(self, ids: Sequence[str], prepared: Sequence[Prepared]) -> list[np.ndarray]:
        """Masks (H, W) uint8 class codes, in the frame and at the size of each source picture.

        Raises:
            FloatingPointError: the network gives values that are not finite.
        """
        raw = torch.from_numpy(np.stack([made.image for made in prepared])).to(self._device)
        batch = PictureBatch(list(ids), to_input(raw, self._input_px))
        masks = []
        for mine, made in zip(probabilities(self._network, batch).cpu().numpy(), prepared, strict=True):
            fitted = rescale_transform(made.transform, made.image.shape[0], self._input_px)
            masks.append(probabilities_to_source(mine, fitted, made.source_shape))
        return masks
