import numpy as np
import pytest

from boneage_kedro.imaging.boxes import box_around
from boneage_kedro.phantom.bones import Bone
from boneage_kedro.phantom.forearm import forearm_ends


@pytest.fixture
def bones() -> np.ndarray:
    """A palm over two upright bones of 40 rows; the radius is 20 columns broad, the ulna 10."""
    drawn = np.zeros((100, 80), np.uint8)
    drawn[10:30, 20:60] = Bone.METACARPAL_3
    drawn[50:54, 20:40] = Bone.RADIUS.epiphysis
    drawn[55:90, 20:40] = Bone.RADIUS
    drawn[52:90, 50:60] = Bone.ULNA
    return drawn


def test_the_ends_are_as_deep_as_their_bones_are_broad(bones: np.ndarray) -> None:
    ends = forearm_ends(bones)
    radius, ulna = box_around(ends & (bones != Bone.ULNA)), box_around(ends & (bones == Bone.ULNA))
    np.testing.assert_allclose(radius, [20, 50, 40, 50 + 0.74 * 20], atol=1.5)
    np.testing.assert_allclose(ulna, [50, 52, 60, 52 + 0.88 * 10], atol=1.5)
    assert not ends[bones == 0].any()


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_it_does_not_matter_how_the_hand_lies(bones: np.ndarray, turns: int) -> None:
    np.testing.assert_array_equal(forearm_ends(np.rot90(bones, turns)), np.rot90(forearm_ends(bones), turns))


@pytest.mark.parametrize("missing", [Bone.ULNA, Bone.METACARPAL_3])
def test_without_a_bone_there_is_no_block(bones: np.ndarray, missing: Bone) -> None:
    bones[bones == missing] = 0
    assert not forearm_ends(bones).any()
