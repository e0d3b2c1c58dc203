from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from boneage_kedro.cohort.sex import Sex
from boneage_kedro.evaluation.attention.hand_regions import REGIONS, regions_of_bones, regions_of_joints
from boneage_kedro.imaging.store import ImageStore, ImageStoreWriter, StoreEntry, StoreHeader
from boneage_kedro.phantom import JOINTS, Phantom, fabricate_hand
from boneage_kedro.training.hands.places import joints_of_phantoms, joints_of_table, regions_of_hands

SIDE, OFFSET = 128, np.array([2, 1])


@pytest.fixture
def hand() -> Phantom:
    return fabricate_hand(150, Sex.FEMALE, 3, SIDE)


@pytest.fixture
def store(tmp_path: Path, hand: Phantom) -> ImageStore:
    """Three copies of a hand, laid one row and two columns further than in the file."""
    height, width = hand.image.shape
    image = np.zeros((SIDE + 2, SIDE + 2), np.uint8)
    image[1 : 1 + height, 2 : 2 + width] = hand.image
    record = {"source_shape": [height, width], "transform": [[1, 0, 2], [0, 1, 1]]}
    with ImageStoreWriter(tmp_path, StoreHeader(SIDE + 2, {})) as writer:
        writer.append([StoreEntry(key, "", image, record) for key in "abc"])
        writer.finish()
    return ImageStore(tmp_path)


def joint_table(hand: Phantom, key: Any, scale: float) -> pd.DataFrame:
    """A row of joints in pixels of a picture so many times as large."""
    height, width = hand.image.shape
    points = scale * (hand.joints + 0.5) - 0.5
    row = {"id": key, "img_width": scale * width, "img_height": scale * height}
    for joint, (x, y) in zip(JOINTS, points, strict=True):
        row |= {f"{joint}_x": x, f"{joint}_y": y}
    return pd.DataFrame([row])


def test_joints_of_a_larger_picture_and_of_a_phantom_are_the_same(store: ImageStore, hand: Phantom) -> None:
    table = pd.concat([joint_table(hand, "a", 2), joint_table(hand, "a", 1), joint_table(hand, "z", 1)])
    found = joints_of_table(table, store, ["b", "a"])
    truth = joints_of_phantoms({"b": lambda: {"joints": hand.joints.tolist()}}, store, ["a", "b"])
    assert (list(found), list(truth)) == (["a"], ["b"])
    np.testing.assert_allclose(found["a"], hand.joints + OFFSET)
    np.testing.assert_allclose(truth["b"], hand.joints + OFFSET)


def test_a_table_that_lacks_joints_is_refused_and_a_row_passed_over(store: ImageStore, hand: Phantom) -> None:
    table = joint_table(hand, "a", 1)
    assert not joints_of_table(table.assign(thumb3_y=np.nan), store, ["a"])
    with pytest.raises(ValueError, match="lacks 1 columns, such as wrist_x"):
        joints_of_table(table.drop(columns="wrist_x"), store, ["a"])


def test_regions_come_from_bones_else_from_joints(store: ImageStore, hand: Phantom) -> None:
    joints = dict.fromkeys("abc", hand.joints + OFFSET)
    mask = hand.hand_mask.astype(np.uint8) * 255
    masks = {"a": lambda: mask, "b": lambda: mask}
    regions = dict(regions_of_hands(store, ["a", "b", "c"], {"a": lambda: hand.bones}, joints, masks))
    height, width = hand.image.shape
    inside = (slice(1, 1 + height), slice(2, 2 + width))
    assert np.array_equal(regions["a"][inside], regions_of_bones(hand.bones, hand.hand_mask))
    by_joints = regions_of_joints(hand.joints, hand.hand_mask)
    assert np.array_equal(regions["b"][inside], by_joints)
    bone = by_joints > REGIONS.index("soft tissue")
    assert np.array_equal(regions["c"][inside][bone], by_joints[bone])  # whatever the threshold of Otsu says
    assert not list(regions_of_hands(store, ["a", "b", "c"], None, {}, {}))
