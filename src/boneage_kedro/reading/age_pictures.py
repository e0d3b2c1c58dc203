"""New radiographs as a network of ages reads them: whole, cut to the hand, or cut and enhanced.

They are made by the functions that make the image stores of the pipelines, so that a radiograph has one age,
whichever way it comes.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from boneage_kedro.imaging.preparation.prepare import Prepared
from boneage_kedro.masks.hand.store import HandCrop, cut_hand, cut_mask
from boneage_kedro.reading.reliability import fingerprint_network
from boneage_kedro.training.ages.regression import images_in
from boneage_kedro.training.enhancement.cohort import enhance_hands
from boneage_kedro.training.enhancement.enhance import build_enhancer

Trained = tuple[Mapping[str, Tensor], Mapping[str, Any]]
"""The weights of a network, and the settings that build it again."""


class AgePictures:
    """Makes the pictures that a trained network reads of whole prepared ones.

    Args:
        settings: kept beside the network: its ``images``, and the ``preparation`` of those it has learnt from.
        masks: the kinds of masks that are found in new radiographs.
        enhancer: of its settings ``tiles`` and ``guard`` are used as well; for ``enhanced`` alone.

    Raises:
        ValueError: as `check_picture_networks`.
    """

    def __init__(
        self,
        settings: Mapping[str, Any],
        masks: Collection[str],
        enhancer: Trained | None,
        device: torch.device,
    ) -> None:
        check_picture_networks(settings, masks, enhancer)
        images = images_in(settings)
        self._crop: HandCrop | None = None if images == "whole" else settings["preparation"]
        self._enhance = _Enhancing(enhancer, device) if enhancer and images == "enhanced" else None

    def of(
        self,
        ids: Sequence[str],
        prepared: Sequence[Prepared],
        pixels: Sequence[np.ndarray],
        hands: Sequence[np.ndarray | None],
    ) -> Sequence[Prepared]:
        """The pictures to read, of a batch.

        Args:
            prepared: whole, on canvases of any side.
            pixels: (H, W) of the files.
            hands: masks (H, W), 0 outside; None where they are not trusted, so that the picture stays whole.

        Raises:
            FloatingPointError: the enhancer gives values that are not finite.
        """
        if self._crop is None:
            return prepared
        cut = [
            cut_hand(file, made.record(), hand, self._crop)
            for made, file, hand in zip(prepared, pixels, hands, strict=True)
        ]
        return self._enhance(ids, cut, hands) if self._enhance else cut


class _Enhancing:
    """The enhancer under its guard, on cut pictures and the masks that they were cut by."""

    def __init__(self, enhancer: Trained, device: torch.device) -> None:
        self._model, self._settings = build_enhancer(*enhancer), enhancer[1]
        self._device = device

    def __call__(
        self, ids: Sequence[str], cut: Sequence[Prepared], hands: Sequence[np.ndarray | None]
    ) -> list[Prepared]:
        masks = [
            cut_mask(hand, made.transform, made.source_shape, len(made.image))
            for made, hand in zip(cut, hands, strict=True)
        ]
        enhanced = enhance_hands(
            self._model,
            {key: made.image for key, made in zip(ids, cut, strict=True)},
            dict(zip(ids, masks, strict=True)),
            ids,
            self._settings,
            self._settings["tiles"],
            self._settings["guard"],
            len(ids),
            self._device,
        )
        return [replace(made, image=one.picture) for made, one in zip(cut, enhanced, strict=True)]


def check_picture_networks(
    settings: Mapping[str, Any], masks: Collection[str], enhancer: Trained | None
) -> None:
    """See that there are the networks with which the pictures are made that a network of ages reads.

    Raises:
        ValueError: masks of hands or the enhancer are missing, or it is not the one of the pictures in training.
    """
    images = images_in(settings)
    reads = f"the network of ages reads pictures of the kind {images}, and"
    if images != "whole" and "hand" not in masks:
        raise ValueError(
            f"{reads} there are no networks that mask hands; set ptl_regression.images: {images} and run the "
            "pipeline hand_active_learning"
        )
    if images != "enhanced":
        return
    if enhancer is None:
        raise ValueError(
            f"{reads} there is no enhancer; set ptl_regression.images: enhanced and run the pipeline gan_enhance"
        )
    if fingerprint_network(*enhancer) != settings["preparation"]["enhanced"]:
        raise ValueError(
            f"{reads} the enhancer or its guard is another than when it learnt from these; run the pipeline "
            "ptl_regression as a whole"
        )
