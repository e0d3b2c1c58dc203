"""Masks of new radiographs."""

from collections.abc import Mapping, Sequence
from math import nan
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from boneage_kedro.imaging.geometry import rescale_transform
from boneage_kedro.imaging.preparation.prepare import PreparationSettings, Prepared
from boneage_kedro.masks.label_maps import probabilities_to_source
from boneage_kedro.training.batches import to_input
from boneage_kedro.training.segmentation.network_training import build_segmenter, probabilities
from boneage_kedro.training.segmentation.samples import PictureBatch


class MaskReading(NamedTuple):
    """What was found in one radiograph.

    Attributes:
        mask: (H, W) uint8 class codes, in the frame and at the size of the radiograph.
        warnings: what speaks against it.
        trusted: whether other steps may rely on it.
        score: how well the networks that found it agree, 0 to 1; nan where one alone has found it.
    """

    mask: np.ndarray
    warnings: list[str]
    trusted: bool
    score: float = nan


class MaskReader(Protocol):
    """Finds one kind of thing in prepared radiographs."""

    @property
    def kind(self) -> str:
        """What it finds; the name of the folder its masks go to."""

    @property
    def preparation(self) -> PreparationSettings:
        """How pictures are prepared for it."""

    def read(
        self, ids: Sequence[str], prepared: Sequence[Prepared], pixels: Sequence[np.ndarray]
    ) -> list[MaskReading]:
        """Find it in a batch; ``pixels`` (H, W) are those of the files."""


class PhalanxReader:
    """The phalanges of new radiographs (a `MaskReader`), by a trained network."""

    kind = "phalanx"

    def __init__(
        self, weights: Mapping[str, Tensor], settings: Mapping[str, Any], device: torch.device
    ) -> None:
        self._network = build_segmenter(weights, settings).to(device)
        self._device = device
        self._input_px: int = settings["input_px"]
        self.preparation: PreparationSettings = settings["preparation"]

    @torch.inference_mode()
    def read(
        self, ids: Sequence[str], prepared: Sequence[Prepared], pixels: Sequence[np.ndarray]
    ) -> list[MaskReading]:
        """Masks of class codes.

        Raises:
            FloatingPointError: the network gives values that are not finite.
        """
        found = probabilities(self._network, as_batch(ids, prepared, self._input_px, self._device))
        readings = []
        for mine, made in zip(found.cpu().numpy(), prepared, strict=True):
            fitted = rescale_transform(made.transform, made.image.shape[0], self._input_px)
            readings.append(MaskReading(probabilities_to_source(mine, fitted, made.source_shape), [], True))
        return readings


def as_batch(
    ids: Sequence[str], prepared: Sequence[Prepared], input_px: int, device: torch.device
) -> PictureBatch:
    """Prepared pictures as a network takes them."""
    raw = torch.from_numpy(np.stack([made.image for made in prepared])).to(device)
    return PictureBatch(list(ids), to_input(raw, input_px))
