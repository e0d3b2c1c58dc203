"""Where the radius-ulna block lies in the pictures of a store, and how well that is found."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import torch

from boneage_kedro.evaluation.segmentation.detection import score_boxes
from boneage_kedro.imaging.store import ImageStore
from boneage_kedro.models.block_detector import BlockDetector
from boneage_kedro.training.forearm.block_detection import Detection, detect_blocks
from boneage_kedro.training.segmentation.samples import Pictures

_SIDES = ["left", "top", "right", "bottom"]


def find_blocks(
    model: BlockDetector, images: ImageStore, threshold: float, batch_size: int, device: torch.device
) -> pd.DataFrame:
    """The block of every picture of a store.

    Returns:
        ``id, left, top, right, bottom`` in shares of the prepared picture's sides, nan where none was found, and
        ``confidence``.
    """
    pictures = Pictures.of(images, images.ids, model.config.input_px)
    found = detect_blocks(model, pictures, threshold, batch_size, device)
    rows = [[key, *one.box, one.confidence] for key, one in found]
    return pd.DataFrame(rows, columns=["id", *_SIDES, "confidence"])


def boxes_by_id(table: pd.DataFrame) -> dict[str, np.ndarray]:
    """The boxes of a table of `find_blocks`, (4,) each."""
    return dict(zip(table["id"], table[_SIDES].to_numpy(float), strict=True))


def score_blocks(
    model: BlockDetector,
    images: ImageStore,
    truth: Mapping[str, np.ndarray],
    ids: Sequence[str],
    threshold: float,
    batch_size: int,
    device: torch.device,
) -> pd.DataFrame:
    """Score the detector on pictures as they are, and on the same ended above their block, where nothing is to find.

    Args:
        truth: boxes in shares of the prepared pictures' sides, by id.
        ids: of the pictures.

    Returns:
        as `score_boxes`, two rows a case; ``cut`` says which of the two it is.
    """
    pictures = Pictures.of(images, ids, model.config.input_px)
    plain = dict(detect_blocks(model, pictures, threshold, batch_size, device))
    ended = dict(detect_blocks(model, pictures, threshold, batch_size, device, cut_above=truth))
    nothing = dict.fromkeys(ids, np.full(4, np.nan))
    parts = [
        _score(plain, {key: truth[key] for key in ids}).assign(cut=False),
        _score(ended, nothing).assign(cut=True),
    ]
    return pd.concat(parts, ignore_index=True)


def _score(found: Mapping[str, Detection], truth: Mapping[str, np.ndarray]) -> pd.DataFrame:
    boxes = {key: one.box for key, one in found.items()}
    return score_boxes(boxes, truth, {key: one.confidence for key, one in found.items()})
