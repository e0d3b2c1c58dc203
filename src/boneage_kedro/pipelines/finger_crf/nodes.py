"""Nodes of `finger_crf`. Torch is imported inside them, so that the CLI and kedro viz start quickly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from boneage_kedro.imaging.store import ImageStore
from boneage_kedro.pipelines.finger_crf.params import Params
from boneage_kedro.pipelines.finger_selftrain.nodes import phalanges
from boneage_kedro.pipelines.finger_selftrain.params import Params as FingerParams
from boneage_kedro.pipelines.mask_steps import check_masks

if TYPE_CHECKING:
    from torch import Tensor

    from boneage_kedro.masks.crf_settings import CrfSettings


def tune_finger_crf(
    images: ImageStore,
    splits: pd.DataFrame,
    masks: ImageStore,
    weights: dict[str, Tensor],
    settings: dict[str, Any],
    finger: FingerParams,
    params: Params,
) -> tuple[CrfSettings, pd.DataFrame]:
    """Try settings of the dense CRF on what the trained student makes of annotated pictures.

    Returns:
        the best settings, to be copied to ``finger_selftrain.crf``, and a row for each that was tried.
    """
    from boneage_kedro.training.fingers.training import tune_teacher
    from boneage_kedro.training.segmentation.network_training import build_segmenter, check_preparation

    check_masks(masks, images, phalanges(finger))
    check_preparation(settings, images)

    validation = splits.loc[splits["split"] == "validation", "id"]
    drawn = settings["labelled"] if params["part"] == "train" else validation
    ids = sorted(key for key in drawn if key in masks)
    student = build_segmenter(weights, settings)
    return tune_teacher(
        student, images, masks, ids, finger["network"], finger["crf"], finger["crf_px"], params["grid"]
    )
