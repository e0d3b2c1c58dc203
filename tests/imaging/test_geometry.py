import cv2
import numpy as np
import pytest

from boneage_kedro.imaging.geometry import (
    UPRIGHT,
    Box,
    Pose,
    canvas_transform,
    centre_on_canvas,
    fitted_size,
    map_points,
    resize,
    to_source,
)

POSES = [Pose(mirrored, turns) for mirrored in (False, True) for turns in range(4)]


def test_a_turn_is_counter_clockwise_after_mirroring():
    picture = np.array([[1, 2], [3, 4]])
    assert Pose(mirrored=False, quarter_turns=1).apply(picture).tolist() == [[2, 4], [1, 3]]
    assert Pose(mirrored=True, quarter_turns=0).apply(picture).tolist() == [[2, 1], [4, 3]]
    assert Pose(mirrored=True, quarter_turns=1).apply(picture).tolist() == [[1, 3], [2, 4]]


def test_the_long_side_fills_the_canvas_and_a_sliver_keeps_a_pixel():
    assert fitted_size(Box(0, 0, 200, 400), 100) == (50, 100)
    assert fitted_size(Box(10, 10, 1010, 11), 100) == (100, 1)


def test_halving_maps_the_middle_of_four_pixels_to_the_middle_of_one():
    transform = canvas_transform(Box(0, 0, 8, 8), UPRIGHT, 4)
    assert map_points(np.array([[0.5, 0.5], [6.5, 2.5]]), transform) == pytest.approx(
        np.array([[0, 0], [3, 1]])
    )


def test_a_narrow_box_is_centred():
    transform = canvas_transform(Box(10, 20, 14, 28), UPRIGHT, 8)
    assert map_points(np.array([[10, 20]]), transform).tolist() == [[2.0, 0.0]]


@pytest.mark.parametrize("pose", POSES)
@pytest.mark.parametrize("box", [Box(0, 0, 6, 9), Box(3, 1, 9, 8)])
def test_the_transform_follows_the_pixels_in_every_pose(pose: Pose, box: Box):
    source = np.zeros((9, 9), np.uint8)
    source[4, 5] = 255
    side = max(box.width, box.height)
    canvas = centre_on_canvas(pose.apply(box.view(source)), side)
    x, y = map_points(np.array([[5, 4]]), canvas_transform(box, pose, side))[0]
    assert canvas[round(y), round(x)] == 255


@pytest.mark.parametrize("pose", POSES)
def test_a_mask_comes_back_where_it_was(pose: Pose):
    source = np.zeros((90, 60), np.uint8)
    source[20:70, 15:35] = 7
    box = Box(5, 9, 58, 88)
    canvas = centre_on_canvas(pose.apply(box.view(source)), 79)
    back = to_source(canvas, canvas_transform(box, pose, 79), source.shape)
    assert back.dtype == np.uint8
    assert np.array_equal(back, source)


def test_a_truth_mask_and_a_float_map_keep_their_type():
    transform = canvas_transform(Box(0, 0, 20, 20), UPRIGHT, 10)
    assert to_source(np.ones((10, 10), bool), transform, (20, 20)).all()
    heat = to_source(np.full((10, 10), 0.25, np.float32), transform, (20, 20))
    assert heat.dtype == np.float32
    assert heat[10, 10] == pytest.approx(0.25)


def test_resizing_averages_like_area_interpolation_and_keeps_what_is_too_fine_out():
    random = np.random.default_rng(0)
    smooth = cv2.GaussianBlur(random.uniform(0, 255, (430, 320)).astype(np.float32), (0, 0), 2)
    wanted = cv2.resize(smooth, (190, 256), interpolation=cv2.INTER_AREA)
    assert np.abs(resize(smooth, (190, 256)) - wanted).mean() < 0.5
    stripes = np.tile(np.array([0, 255], np.uint8), (300, 160))
    usual = cv2.resize(stripes, (100, 94), interpolation=cv2.INTER_AREA)
    assert resize(stripes, (100, 94)).std() < 1.05 * usual.std() < 0.2 * stripes.std()


def test_resizing_to_the_same_size_changes_nothing_and_enlarging_interpolates():
    picture = np.array([[0, 100], [100, 200]], np.uint8)
    assert np.array_equal(resize(picture, (2, 2)), picture)
    assert resize(picture, (4, 4))[0].tolist() == [0, 25, 75, 100]
