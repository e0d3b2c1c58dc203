import numpy as np
import pandas as pd
import pytest

from boneage_kedro.cohort.sex import Sex
from boneage_kedro.evaluation.attention.frame import CommonFrame, box_corners, mean_hands, mean_shape
from boneage_kedro.phantom import fabricate_hand

SQUARE = np.array([[0.0, 0], [10, 0], [10, 10], [0, 10]])


def turned(points: np.ndarray, degrees: float) -> np.ndarray:
    sine, cosine = np.sin(np.radians(degrees)), np.cos(np.radians(degrees))
    return points @ np.array([[cosine, sine], [-sine, cosine]])


def test_the_mean_of_one_shape_at_many_places_is_that_shape() -> None:
    shape = np.array([[0.0, 0], [6, 1], [5, 8], [1, 3]])
    seen = np.stack(
        [turned(scale * shape, degrees) + 7 * scale for scale, degrees in ((1, -9), (4, 0), (2, 9))]
    )
    mean = mean_shape(seen, 100, 0.1, 0.1)
    sides = np.linalg.norm(mean - np.roll(mean, 1, 0), axis=1)
    wanted = np.linalg.norm(shape - np.roll(shape, 1, 0), axis=1)
    np.testing.assert_allclose(sides / sides[0], wanted / wanted[0], rtol=1e-6)


def test_a_shape_is_laid_within_its_margins() -> None:
    tall = np.array([[0.0, 0], [2, 0], [2, 30], [0, 30]])
    mean = mean_shape(tall[None], 100, 0.05, 0.25)
    np.testing.assert_allclose([mean[:, 1].min(), mean[:, 1].max()], [4.5, 74.5])  # pixel edges at 5 and 75
    assert mean[:, 0].mean() == pytest.approx(49.5)


def test_shapes_without_size_are_refused() -> None:
    with pytest.raises(ValueError, match="all points of shape 1 coincide"):
        mean_shape(np.stack([SQUARE, np.ones((4, 2))]), 100, 0.1, 0.1)
    with pytest.raises(ValueError, match="no shapes"):
        mean_shape(np.empty((0, 4, 2)), 100, 0.1, 0.1)


def test_box_corners_by_hand() -> None:
    mask = np.zeros((9, 12), bool)
    mask[2:5, 3:9] = True
    assert box_corners(mask).tolist() == [[3, 2], [8, 2], [8, 4], [3, 4]]
    with pytest.raises(ValueError, match="the mask is empty"):
        box_corners(np.zeros((4, 4), bool))


def test_points_lie_on_those_of_the_template_and_between_corners_the_map_is_affine() -> None:
    frame = CommonFrame(SQUARE, 11)
    own = 3 * SQUARE + [4, 7]
    grid = frame.grid(own)
    for (x, y), place in zip(SQUARE.astype(int), own, strict=True):
        np.testing.assert_allclose(grid[y, x], place, atol=1e-9)
    np.testing.assert_allclose(grid[2, 5], [4 + 15, 7 + 6], atol=1e-9)


def test_bent_points_are_met_exactly() -> None:
    rng = np.random.default_rng(0)
    template = rng.uniform(0, 31, (9, 2)).round()
    own = template + rng.normal(0, 2, (9, 2))
    grid = CommonFrame(template, 32).grid(own)
    for (x, y), place in zip(template.astype(int), own, strict=True):
        np.testing.assert_allclose(grid[y, x], place, atol=1e-6)


def test_points_on_a_line_make_no_frame() -> None:
    with pytest.raises(ValueError, match="lie on one line"):
        CommonFrame(np.array([[0.0, 0], [1, 1], [2, 2]]), 8)


def test_where_the_points_are_those_of_the_template_the_picture_stays() -> None:
    picture = np.random.default_rng(0).random((11, 11)).astype(np.float32)
    np.testing.assert_allclose(CommonFrame(SQUARE, 11).bring(picture, SQUARE, 11), picture, atol=1e-5)


def test_a_coarse_map_lies_where_its_picture_lies_and_outside_is_nothing() -> None:
    frame = CommonFrame(SQUARE, 11)
    coarse = np.array([[1.0, 2], [3, 4]])
    brought = frame.bring(coarse, 2 * SQUARE, 16)  # the frame asks for points up to 20 of a picture of 16
    assert brought[1, 1] == 1  # 2, 2 of the picture: well within the first of two cells of 8
    assert brought[7, 1] == 3
    assert np.isnan(brought[8:]).all()
    assert np.isnan(brought[:, 8:]).all()


def test_the_mean_counts_only_pictures_that_reach() -> None:
    frame = CommonFrame(SQUARE, 11)
    pictures = [np.full((11, 11), 2.0), np.full((11, 11), 6.0)]
    mean = frame.mean(pictures, [SQUARE, SQUARE + np.array([5.0, 0])], 11)  # the second lacks the right part
    np.testing.assert_allclose(mean[:, :5], 4)
    np.testing.assert_allclose(mean[:, 7:], 2)
    lacking = [SQUARE, *[SQUARE + np.array([5.0, 0])] * 2]
    of_three = frame.mean([*pictures, pictures[1]], lacking, 11)
    assert np.isnan(of_three[:, 7:]).all()  # one of three is not what most have
    np.testing.assert_allclose(of_three[:, :5], 14 / 3)


def test_joints_bring_bones_of_different_hands_together() -> None:
    hands = [
        fabricate_hand(age, sex, seed, 128) for age, sex, seed in ((60, Sex.FEMALE, 1), (180, Sex.MALE, 2))
    ]
    template = mean_shape(np.stack([hand.joints for hand in hands]), 96, 0.05, 0.2)
    frame = CommonFrame(template, 96)
    fingers = [  # pictures need not be square for this: the finger of a square frame of 128 px
        np.pad(np.isin(hand.bones, (8, 12, 17)), [(0, 128 - side) for side in hand.bones.shape]).astype(float)
        for hand in hands
    ]
    one, other = (
        np.nan_to_num(frame.bring(part, hand.joints, 128)) > 0.5
        for part, hand in zip(fingers, hands, strict=True)
    )
    assert 2 * (one & other).sum() / (one.sum() + other.sum()) > 0.6


def test_means_by_sex_and_band() -> None:
    cases = pd.DataFrame(
        {
            "id": ["a", "b", "c", "d"],
            "sex": ["M", "F", "M", "M"],
            "bone_age_months": [59.9, 60.0, 24.0, 240.0],
        }
    )
    images = {
        key: np.full((11, 11), value, np.uint8) for key, value in zip("abcd", (10, 20, 30, 99), strict=True)
    }
    maps = {key: np.full((2, 2), value) for key, value in zip("abcd", (0.0, 1, 2, 3), strict=True)}
    means = mean_hands(
        CommonFrame(SQUARE, 11), cases, images, maps, dict.fromkeys("abcd", SQUARE), [0, 5, 10]
    )
    assert [(mean.sex, mean.ages, mean.cases) for mean in means] == [("F", "5-10 y", 1), ("M", "0-5 y", 2)]
    np.testing.assert_allclose(means[1].hand, 20)
    np.testing.assert_allclose(means[1].months, 1)
