import numpy as np
import pytest

from boneage_kedro.cohort.sex import Sex
from boneage_kedro.phantom import fabricate_hand
from boneage_kedro.phantom.bones import Bone
from boneage_kedro.phantom.forearm import forearm_mask


@pytest.fixture
def bones() -> np.ndarray:
    """Two upright bones under a carpal; the radius is 20 columns broad and has a narrower epiphysis."""
    drawn = np.zeros((100, 80), np.uint8)
    drawn[40:48, 20:60] = Bone.LUNATE
    drawn[50:54, 25:35] = Bone.RADIUS.epiphysis
    drawn[60:90, 20:40] = Bone.RADIUS
    drawn[52:90, 50:60] = Bone.ULNA
    return drawn


def test_the_plate_lies_between_straight_lines_from_the_corners_of_the_metaphysis(bones: np.ndarray) -> None:
    mask = forearm_mask(bones)
    assert (mask[57, 24:36] == 1).all() and not mask[57, :20].any() and not mask[57, 40:50].any()
    widths = (mask[50:61, :45] == 1).sum(1)
    assert widths[[0, 10]].tolist() == [10, 20]
    assert (np.diff(widths) >= 0).all()
    assert ((mask == 2) == (bones == Bone.ULNA)).all()


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_it_does_not_matter_how_the_hand_lies(bones: np.ndarray, turns: int) -> None:
    turned = forearm_mask(np.ascontiguousarray(np.rot90(bones, turns)))
    assert (turned != np.rot90(forearm_mask(bones), turns)).mean() < 0.003  # slanted edges are rounded


def test_other_bones_keep_their_pixels(bones: np.ndarray) -> None:
    bones[56:58, 28:32] = Bone.SESAMOID
    assert not forearm_mask(bones)[bones == Bone.SESAMOID].any()


def test_without_a_forearm_the_mask_is_empty(bones: np.ndarray) -> None:
    bones[bones >= Bone.RADIUS] = 0
    assert not forearm_mask(bones).any()


def test_each_bone_of_a_grown_phantom_is_as_it_is_drawn() -> None:
    bones = fabricate_hand(220, Sex.MALE, 0, 200).bones
    mask = forearm_mask(bones)
    assert ((mask == 1) >= (bones == Bone.RADIUS)).all()
    assert ((mask == 2) >= (bones == Bone.ULNA)).all()
    assert ((mask > 0) & (bones == 0)).sum() < 0.05 * (mask > 0).sum()
