import numpy as np
import pytest

from boneage_kedro.imaging.boxes import box_around, crop_box, map_box, scale_box, unmap_box
from boneage_kedro.imaging.geometry import UPRIGHT, Box, Pose, canvas_transform


def test_the_box_of_a_mask_holds_its_pixels() -> None:
    mask = np.zeros((6, 8), bool)
    mask[2:4, 3:7] = True
    assert box_around(mask).tolist() == [3, 2, 7, 4]
    assert np.isnan(box_around(np.zeros((6, 8), bool))).all()


def test_a_box_scales_with_its_picture() -> None:
    assert scale_box(np.array([10.0, 20, 30, 60]), (100, 50), (50, 100)).tolist() == [20, 10, 60, 30]


def test_a_picture_twice_as_large_has_the_box_twice_as_large() -> None:
    transform = canvas_transform(Box(0, 0, 50, 50), UPRIGHT, 100)
    np.testing.assert_allclose(map_box(np.array([0.0, 10, 25, 50]), transform), [0, 20, 50, 100], atol=1e-4)


@pytest.mark.parametrize("pose", [UPRIGHT, Pose(True, 0), Pose(False, 1), Pose(True, 3)])
def test_there_and_back_gives_the_box_again(pose: Pose) -> None:
    transform = canvas_transform(Box(5, 7, 85, 107), pose, 64)
    box = np.array([20.0, 30, 50, 45])
    np.testing.assert_allclose(unmap_box(map_box(box, transform), transform), box, atol=1e-3)


def test_a_mirrored_box_lies_on_the_other_side() -> None:
    transform = canvas_transform(Box(0, 0, 40, 40), Pose(True, 0), 40)
    np.testing.assert_allclose(map_box(np.array([0.0, 0, 10, 20]), transform), [30, 0, 40, 20], atol=1e-4)


def test_no_box_stays_none() -> None:
    transform = canvas_transform(Box(0, 0, 40, 40), UPRIGHT, 40)
    assert np.isnan(map_box(np.full(4, np.nan), transform)).all()


def test_a_crop_has_its_margin_and_ends_with_the_picture() -> None:
    assert crop_box(np.array([10.0, 20, 30, 30]), 0.1, (100, 100)) == Box(8, 18, 32, 32)
    assert crop_box(np.array([0.5, 20.2, 30, 38.7]), 0, (38, 25)) == Box(0, 20, 25, 38)
    assert crop_box(np.array([1.0, 1, 90, 90]), 0.5, (100, 100)) == Box(0, 0, 100, 100)


@pytest.mark.parametrize("box", [[np.nan] * 4, [50.0, 0, 60, 10], [-9.0, -9, -1, -1]])
def test_nothing_cannot_be_cut_out(box: list[float]) -> None:
    with pytest.raises(ValueError, match="nothing to cut out"):
        crop_box(np.array(box), 0, (40, 40))
