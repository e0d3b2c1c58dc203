"""The radius-ulna block of a hand, and the part of its radiograph that is cut out around it."""

import numpy as np
import pandas as pd
from typing_extensions import TypedDict

from boneage_kedro.cohort.findings import Finding, finding_rows
from boneage_kedro.cohort.roi_boxes import BLOCK_COLUMNS
from boneage_kedro.imaging.boxes import NO_BOX, box_around, crop_box, unmap_box
from boneage_kedro.imaging.geometry import Box
from boneage_kedro.imaging.store import ImageStore
from boneage_kedro.limits import NotNegative
from boneage_kedro.masks.folder import MaskFolder
from boneage_kedro.masks.label_maps import UnusableMask, mask_to_canvas

FOREARM_LABELS = {"radius": 1, "ulna": 2}
"""Names of the bones in outlines and tables, and their codes in masks."""

# Height over breadth of the boxes of `roi_boxes.csv`, medians of 405.
_DEPTHS = {"radius": 0.74, "ulna": 0.88}


class ForearmCrop(TypedDict):
    """What is cut out around a block: its breadth times ``margin`` at the sides and above, times ``reach`` below."""

    margin: NotNegative
    reach: NotNegative


def distal_block(mask: np.ndarray) -> np.ndarray:
    """The box around the distal ends of radius and ulna, as people draw it (`boneage_kedro.cohort.roi_boxes`).

    An end reaches as far down as those boxes do in the middle, in parts of the bone's breadth there.

    Args:
        mask: (H, W) uint8, codes of `FOREARM_LABELS`, fingers up.

    Returns:
        (4,) ``left, top, right, bottom``; `NO_BOX` if a bone is not in the picture.
    """
    ends = np.zeros(mask.shape, bool)
    for bone, code in FOREARM_LABELS.items():
        y, x = np.nonzero(mask == code)
        if not len(y):
            return NO_BOX.copy()
        below = y - y.min()
        # a shaft that leans is less broad near its end than on the whole
        near = x[below <= np.ptp(x)]
        chosen = below < _DEPTHS[bone] * (np.ptp(near) + 1)
        ends[y[chosen], x[chosen]] = True
    return box_around(ends)


def blocks_of_outlines(outlines: MaskFolder, images: ImageStore) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The block of every radiograph whose bones are outlined, in the frame of the radiograph.

    Args:
        outlines: codes of `FOREARM_LABELS`.
        images: says how the radiographs lie.

    Returns:
        Blocks as from `boneage_kedro.cohort.roi_boxes.read_block_boxes`, the reader is ``outline``.
        Findings: outlines that cannot be used, with the reason; the others go in.
    """
    side = images.header.canvas_px
    lonely = outlines.without_radiograph.items()
    bad = {
        key: f"{name}: there is no prepared radiograph of this id; bring it, or correct the name"
        for key, name in lonely
    }
    rows = []
    for key in outlines:
        transform, shape = images.frame(key, side)
        try:
            block = distal_block(mask_to_canvas(outlines[key], transform, side))
        except UnusableMask as error:
            bad[key] = str(error)
            continue
        rows.append([key, "outline", *unmap_box(block, transform), *map(float, shape[::-1])])
    findings = finding_rows(Finding.UNUSABLE_OUTLINE, list(bad), list(bad.values()))
    return pd.DataFrame(rows, columns=BLOCK_COLUMNS), findings


def block_part(box: np.ndarray, transform: np.ndarray, field: Box, settings: ForearmCrop) -> Box:
    """The whole pixels of a radiograph that are cut out around a block.

    Below is where the forearm is in the prepared picture, wherever it lies in the radiograph.

    Args:
        box: (4,) on a canvas.
        transform: (2, 3) map of the radiograph's points to that canvas.
        field: of the radiograph, outside of which there is nothing.

    Raises:
        ValueError: there is no box, or none of it is in the field.
    """
    left, top, right, bottom = box
    breadth = right - left
    pad, below = settings["margin"] * breadth, settings["reach"] * breadth
    wide = unmap_box(np.array([left - pad, top - pad, right + pad, bottom + below]), transform)
    offset = np.array([field.left, field.top] * 2)
    part = crop_box(wide - offset, 0.0, (field.height, field.width))
    return Box(*(int(side) for side in np.array(part) + offset))
