"""Hands by the whole committee, and how far each mask is to be trusted."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from boneage_kedro.imaging.geometry import Box, rescale_transform, to_source
from boneage_kedro.imaging.preparation.prepare import Prepared
from boneage_kedro.imaging.store import ImageStore
from boneage_kedro.masks.binarisation import MaskThreshold, threshold_of
from boneage_kedro.masks.hand.quality import HandLimits, describe_hand, quality_row
from boneage_kedro.masks.hand.region import hand_mask
from boneage_kedro.models.segmenter import Segmenter
from boneage_kedro.reading.mask_readers import MaskReading, as_batch
from boneage_kedro.training.hands.committee import (
    CommitteeScore,
    Opinions,
    consult,
    consult_on,
    score_opinions,
)
from boneage_kedro.training.hands.training import build_members
from boneage_kedro.training.segmentation.samples import Pictures


class HandReading(NamedTuple):
    """A hand in the frame and at the size of its radiograph.

    Attributes:
        mask: (H, W) uint8, 1 in the hand.
        quality: a row of the table of quality: those of `quality_row`, and the ``dissimilarity`` of equation 7.
    """

    id: str
    mask: np.ndarray
    quality: dict[str, Any]


class Place(NamedTuple):
    """Where a canvas lies in its radiograph: a (2, 3) map of source to canvas points, (rows, columns), the field."""

    transform: np.ndarray
    source_shape: tuple[int, int]
    field: Box


def read_hands(
    members: Sequence[Segmenter],
    store: ImageStore,
    ids: Sequence[str],
    input_px: int,
    threshold: MaskThreshold,
    limits: HandLimits,
    batch_size: int,
    device: torch.device,
) -> Iterator[HandReading]:
    """Masks of these cases by the mean of the members' probabilities, one at a time.

    Raises:
        ValueError, FloatingPointError: as `consult`.
    """
    pictures = Pictures.of(store, ids, input_px)
    for opinions in consult(members, pictures, batch_size, device):
        places = [
            Place(*store.frame(key, input_px), Box(**store.record(key)["crop"])) for key in opinions.batch.ids
        ]
        yield from _read(opinions, places, threshold, limits)


class HandReader:
    """The hand of new radiographs (a `MaskReader`), by a trained committee as it was set then."""

    kind = "hand"

    def __init__(
        self, weights: Mapping[str, Tensor], settings: Mapping[str, Any], device: torch.device
    ) -> None:
        self._members = [member.to(device) for member in build_members(weights, settings)]
        self._settings, self._device = settings, device
        self.preparation = settings["preparation"]

    @torch.inference_mode()
    def read(
        self, ids: Sequence[str], prepared: Sequence[Prepared], pixels: Sequence[np.ndarray]
    ) -> list[MaskReading]:
        """Masks, with what speaks against them as warnings.

        Raises:
            FloatingPointError: the network gives values that are not finite.
        """
        side = self._settings["input_px"]
        opinions = consult_on(self._members, as_batch(ids, prepared, side, self._device))
        places = [
            Place(rescale_transform(made.transform, made.image.shape[0], side), made.source_shape, made.crop)
            for made in prepared
        ]
        readings = _read(opinions, places, self._settings["threshold"], self._settings["limits"])
        return [
            MaskReading(found.mask, _warnings(found), found.quality["trusted"], _score(found))
            for found in readings
        ]


def _warnings(reading: HandReading) -> list[str]:
    """What speaks against a mask; that there is none is told as a reason against the age."""
    reason = reading.quality["reason"]
    return [f"hand mask: {reason.rstrip('.')}"] if reason and reading.mask.any() else []


def _score(reading: HandReading) -> float:
    """How well the members agree, 0 to 1; 0 where they agree that there is no hand."""
    return 1 - float(reading.quality["disagreement"]) if reading.mask.any() else 0.0


def _read(
    opinions: Opinions, places: Sequence[Place], threshold: MaskThreshold, limits: HandLimits
) -> Iterator[HandReading]:
    scores = score_opinions(opinions, embed=False)
    shares = opinions.mean[:, 1].cpu().numpy()
    for key, share, place in zip(opinions.batch.ids, shares, places, strict=True):
        yield _read_one(key, share, place, scores[key], threshold, limits)


def _read_one(
    key: str,
    share: np.ndarray,
    place: Place,
    score: CommitteeScore,
    threshold: MaskThreshold,
    limits: HandLimits,
) -> HandReading:
    probability = to_source(share, place.transform, place.source_shape)
    foreground = probability > threshold_of(share, threshold)
    # outside the exposed field there is nothing, so its edge is the one that a hand may meet
    facts = describe_hand(place.field.view(probability), place.field.view(foreground), limits)
    row = quality_row(key, score.dice_disagreement, facts, limits)
    mask = hand_mask(foreground).astype(np.uint8)
    return HandReading(key, mask, {**row, "dissimilarity": score.dissimilarity})
