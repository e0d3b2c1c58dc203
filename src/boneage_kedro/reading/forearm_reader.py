"""Radius and ulna of new radiographs: the block is found, cut out of the file's pixels, and segmented."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from boneage_kedro.imaging.geometry import Box
from boneage_kedro.imaging.preparation.prepare import PreparationSettings, Prepared, recrop
from boneage_kedro.masks.forearm.block import block_part
from boneage_kedro.masks.forearm.store import NO_FOREARM
from boneage_kedro.masks.label_maps import probabilities_to_source
from boneage_kedro.models.block_detector import BlockDetector
from boneage_kedro.models.segmenter import Segmenter
from boneage_kedro.reading.mask_readers import MaskReading, as_batch
from boneage_kedro.training.forearm.block_detection import Detection, build_block_detector, detect_in
from boneage_kedro.training.segmentation.network_training import build_segmenter, probabilities

_DETECTOR, _SEGMENTER = "detector.", "segmenter."


def join_networks(detector: Mapping[str, Tensor], segmenter: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights of both networks in one file."""
    named = {_DETECTOR: detector, _SEGMENTER: segmenter}
    return {
        f"{prefix}{name}": value.contiguous() for prefix, own in named.items() for name, value in own.items()
    }


def build_networks(
    weights: Mapping[str, Tensor], settings: Mapping[str, Any]
) -> tuple[BlockDetector, Segmenter]:
    """Both networks, in evaluation mode, from `join_networks` and what was kept beside it."""
    detector, segmenter = (
        {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}
        for prefix in (_DETECTOR, _SEGMENTER)
    )
    return build_block_detector(detector, settings), build_segmenter(segmenter, settings)


class ForearmReader:
    """Radius and ulna of new radiographs (a `MaskReader`), by a trained detector and a trained segmenter."""

    kind = "dru"

    def __init__(
        self, weights: Mapping[str, Tensor], settings: Mapping[str, Any], device: torch.device
    ) -> None:
        detector, segmenter = build_networks(weights, settings)
        self._detector, self._segmenter = detector.to(device), segmenter.to(device)
        self._settings, self._device = settings, device
        self.preparation: PreparationSettings = settings["preparation"]

    @torch.inference_mode()
    def read(
        self, ids: Sequence[str], prepared: Sequence[Prepared], pixels: Sequence[np.ndarray]
    ) -> list[MaskReading]:
        """Masks of `FOREARM_LABELS` (`boneage_kedro.masks.forearm.block`), empty with a warning without a forearm.

        Raises:
            FloatingPointError: a network gives values that are not finite.
        """
        batch = as_batch(ids, prepared, self._detector.config.input_px, self._device)
        found = dict(detect_in(self._detector, batch.images, batch.ids, self._settings["threshold"]))
        cut = {
            key: recrop(own, made.record(), part, self._segmenter.config.input_px)
            for key, made, own in zip(ids, prepared, pixels, strict=True)
            if (part := self._part(found[key], made)) is not None
        }
        masks = self._segment(cut)
        return [
            MaskReading(masks[key], [], True) if key in masks else self._nothing(found[key], made)
            for key, made in zip(ids, prepared, strict=True)
        ]

    def _part(self, found: Detection, made: Prepared) -> Box | None:
        """What is cut out; None without a block in the exposed field."""
        try:
            return block_part(
                found.box * made.image.shape[0], made.transform, made.crop, self._settings["crop"]
            )
        except ValueError:
            return None

    def _segment(self, cut: Mapping[str, Prepared]) -> dict[str, np.ndarray]:
        if not cut:
            return {}
        side = self._segmenter.config.input_px
        shares = probabilities(self._segmenter, as_batch(list(cut), list(cut.values()), side, self._device))
        return {
            key: probabilities_to_source(mine, made.transform, made.source_shape)
            for (key, made), mine in zip(cut.items(), shares.cpu().numpy(), strict=True)
        }

    def _nothing(self, found: Detection, made: Prepared) -> MaskReading:
        asked = self._settings["threshold"]
        warning = f"radius and ulna: {NO_FOREARM} (confidence {found.confidence:.2f}, {asked:g} is asked for)"
        return MaskReading(np.zeros(made.source_shape, np.uint8), [warning], False)
