"""Bones, joints and pose."""

import csv
from pathlib import Path

import numpy as np
import pytest

from boneage_kedro.phantom.bones import BONES, LONG_BONES, ROUND_BONES, Bone
from boneage_kedro.phantom.canvas import View
from boneage_kedro.phantom.skeleton import JOINTS, heading, palm_breadth, pose_hand, turn


def test_codes_are_unique_and_fit_a_byte() -> None:
    assert len(BONES) == len(Bone) + len(LONG_BONES) == 30 + 21
    assert len(set(BONES.values())) == len(BONES)
    assert min(BONES) > 0
    assert max(BONES) < 256


def test_carpals_have_no_epiphysis() -> None:
    assert len(ROUND_BONES) == 9
    assert BONES[Bone.RADIUS.epiphysis] == "radius_epiphysis"
    with pytest.raises(ValueError, match="lunate has no epiphysis"):
        _ = Bone.LUNATE.epiphysis


def test_joints_are_named_as_in_the_annotations(shared_rsna: Path) -> None:
    with (shared_rsna / "hand_pose21.csv").open() as file:
        columns = next(csv.reader(file))
    annotated = [
        column.removesuffix("_x") for column in columns if column.endswith("_x") and column != "bbox_x"
    ]
    assert list(JOINTS) == annotated


def test_heading_and_turn_by_hand() -> None:
    np.testing.assert_allclose(heading(0.0), [0, 1])
    np.testing.assert_allclose(heading(90.0), [1, 0], atol=1e-12)
    np.testing.assert_allclose(turn(np.array([0.0, 2.0]), np.array([0.0, 1.0]), 90), [1, 1], atol=1e-12)


def test_view_turns_y_up_into_rows_down() -> None:
    view = View(2.0, 0.0, (10.0, 20.0), (50, 50))
    np.testing.assert_allclose(view.pixels(np.array([3.0, 4.0])), [16, 12])
    turned = View(2.0, 90.0, (10.0, 20.0), (50, 50))  # clockwise: fingers point right
    np.testing.assert_allclose(turned.pixels(np.array([0.0, 4.0])), [18, 20], atol=1e-12)


@pytest.mark.parametrize("seed", range(20))
def test_fingers_keep_their_order_and_bones_join(seed: int) -> None:
    skeleton = pose_hand(0.5, palm_breadth(60), np.random.default_rng(seed))
    joints = dict(zip(JOINTS, skeleton.joints, strict=True))
    for level in (1, 2, 3, 4):
        across = [
            joints[f"{finger}{level}"][0]
            for finger in ("forefinger", "middle_finger", "ring_finger", "pinky_finger")
        ]
        assert across == sorted(across, reverse=True)
    np.testing.assert_array_equal(skeleton.axes[Bone.METACARPAL_3][1], skeleton.axes[Bone.PROXIMAL_3][0])
    np.testing.assert_array_equal(skeleton.axes[Bone.DISTAL_1][1], joints["thumb4"])
    assert set(skeleton.axes) == set(LONG_BONES)


def test_size_scales_everything() -> None:
    small, large = (pose_hand(unit, 1.0, np.random.default_rng(1)) for unit in (0.5, 1.0))
    np.testing.assert_allclose(2 * small.joints, large.joints)
