"""Hands by the whole committee, and how far each mask is to be trusted."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch

from boneage_kedro.imaging.geometry import Box, to_source
from boneage_kedro.imaging.store import ImageStore
from boneage_kedro.masks.binarisation import MaskThreshold, threshold_of
from boneage_kedro.masks.hand import hand_mask
from boneage_kedro.masks.hand_quality import HandLimits, describe_hand, quality_row
from boneage_kedro.models.segmenter import Segmenter
from boneage_kedro.training.committee import consult, score_opinions
from boneage_kedro.training.mask_samples import Pictures


class HandReading(NamedTuple):
    """A hand in the frame and at the size of its radiograph.

    Attributes:
        mask: (H, W) uint8, 1 in the hand.
        quality: a row of the table of quality: those of `quality_row`, and the ``dissimilarity`` of equation 7.
    """

    id: str
    mask: np.ndarray
    quality: dict[str, Any]


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
        scores = score_opinions(opinions, embed=False)
        for key, share in zip(opinions.batch.ids, opinions.mean[:, 1].cpu().numpy(), strict=True):
            probability = to_source(share, *store.frame(key, input_px))
            foreground = probability > threshold_of(share, threshold)
            # outside the exposed field there is nothing, so its edge is the one that a hand may meet
            field = Box(**store.record(key)["crop"])
            facts = describe_hand(field.view(probability), field.view(foreground), limits)
            row = quality_row(key, scores[key].dice_disagreement, facts, limits)
            mask = hand_mask(foreground).astype(np.uint8)
            yield HandReading(key, mask, {**row, "dissimilarity": scores[key].dissimilarity})
