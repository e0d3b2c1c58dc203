"""What is known of where the hands of an image store lie: joints and regions, in the frame of its pictures."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from boneage_kedro.evaluation.attention.frame import box_corners
from boneage_kedro.evaluation.attention.hand_regions import REGIONS, regions_of_bones, regions_of_joints
from boneage_kedro.imaging.geometry import map_points
from boneage_kedro.imaging.store import ImageStore
from boneage_kedro.masks.binarisation import threshold_of
from boneage_kedro.masks.hand.region import hand_mask
from boneage_kedro.masks.label_maps import mask_to_canvas
from boneage_kedro.phantom import JOINTS

Partitions = Mapping[str, Callable[[], Any]]
"""Something of each case, by id, that is read when it is asked for."""

_BACKGROUND, _SOFT_TISSUE = REGIONS.index("background"), REGIONS.index("soft tissue")
_COLUMNS = [f"{joint}_{axis}" for joint in JOINTS for axis in "xy"]


def joints_of_table(table: pd.DataFrame, store: ImageStore, ids: Sequence[str]) -> dict[str, np.ndarray]:
    """Joints (21, 2), x y in pixels of the store's pictures, of the cases that the table has.

    Args:
        table: ``id, img_width, img_height`` and ``wrist_x, wrist_y, ...`` for each of `boneage_kedro.phantom.JOINTS`,
            in pixels of a picture of that size, of which the file may be a smaller copy. Of several rows of an id the
            first counts; one in which a joint is missing does not.

    Raises:
        ValueError: it lacks columns.
    """
    if missing := [name for name in ("id", "img_width", "img_height", *_COLUMNS) if name not in table]:
        raise ValueError(
            f"the table of joints lacks {len(missing)} columns, such as {missing[0]}; see docs/data.md"
        )
    rows = table.dropna(subset=_COLUMNS).drop_duplicates("id").astype({"id": str}).set_index("id")
    found = {}
    for key in rows.index.intersection(list(ids)):
        row = rows.loc[key]
        height, width = store.record(key)["source_shape"]
        scale = np.array([width / row["img_width"], height / row["img_height"]])
        points = row[_COLUMNS].to_numpy(float).reshape(-1, 2)
        found[key] = _in_store(scale * (points + 0.5) - 0.5, store, key)
    return found


def joints_of_phantoms(truth: Partitions, store: ImageStore, ids: Sequence[str]) -> dict[str, np.ndarray]:
    """Joints (21, 2), x y in pixels of the store's pictures, of the cases that are phantoms."""
    return {key: _in_store(np.array(truth[key]()["joints"]), store, key) for key in ids if key in truth}


def regions_of_hands(
    store: ImageStore,
    ids: Sequence[str],
    bones: Partitions | None,
    joints: Mapping[str, np.ndarray],
    hands: Partitions,
) -> Iterator[tuple[str, np.ndarray]]:
    """Regions of each case, of drawn bones where there are any, else of joints; cases with neither are passed over.

    Args:
        bones: pictures of codes of `boneage_kedro.phantom.BONES`, in the frame of the files.
        joints: (21, 2) in pixels of the store's pictures.
        hands: pictures, not 0 in the hand, in the frame of the files. Where there is none, soft tissue is what is
            brighter than the threshold of Otsu, so thin parts may count as background; bones do not depend on it.

    Yields:
        id and (S, S) uint8 codes of `boneage_kedro.evaluation.attention.hand_regions.REGIONS`, in the frame of the
        store.
    """
    for key in ids:
        if bones is not None and key in bones:
            hand = _to_store(hands[key], store, key) > 0 if key in hands else _bright(store[key])
            yield key, regions_of_bones(_to_store(bones[key], store, key), hand)
        elif key in joints and key in hands:
            yield key, regions_of_joints(joints[key], _to_store(hands[key], store, key) > 0)
        elif key in joints:
            codes = regions_of_joints(joints[key], np.ones(store[key].shape, bool))
            codes[(codes == _SOFT_TISSUE) & ~_bright(store[key])] = _BACKGROUND
            yield key, codes


def landmarks_of_hands(
    store: ImageStore, ids: Sequence[str], joints: Mapping[str, np.ndarray], hands: Partitions
) -> tuple[str, dict[str, np.ndarray]]:
    """Points that bring hands into a common frame: joints, or corners of boxes if masks are known of more cases.

    Args:
        joints, hands: as of `regions_of_hands`.

    Returns:
        what they are, and (k, 2) x y in pixels of the store's pictures by id; cases whose mask is empty, or no more
        than a row or a column, have none.
    """
    masked = [key for key in ids if key in hands]
    if len(joints) >= len(masked):
        return "joints", dict(joints)
    masks = ((key, _to_store(hands[key], store, key) > 0) for key in masked)
    corners = {key: box_corners(mask) for key, mask in masks if mask.any()}
    return "the box of the hand", {key: box for key, box in corners.items() if np.ptp(box, axis=0).all()}


def _bright(picture: np.ndarray) -> np.ndarray:
    """The largest part that is brighter than the threshold of Otsu, (S, S) bool."""
    gray = picture / 255.0
    return hand_mask(gray > threshold_of(gray, "otsu"))


def _to_store(read: Callable[[], Any], store: ImageStore, key: str) -> np.ndarray:
    transform = np.array(store.record(key)["transform"])
    return mask_to_canvas(np.asarray(read()), transform, store.header.canvas_px)


def _in_store(points: np.ndarray, store: ImageStore, key: str) -> np.ndarray:
    return map_points(points, np.array(store.record(key)["transform"]))
