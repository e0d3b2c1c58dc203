import io

import cv2
import numpy as np
import pytest
from PIL import Image

from boneage_kedro.cohort.sex import Sex
from boneage_kedro.evaluation.segmentation.scores import dice
from boneage_kedro.imaging.geometry import UPRIGHT, Box, Pose, canvas_transform, centre_on_canvas
from boneage_kedro.masks.label_maps import (
    UnusableMask,
    mask_to_canvas,
    probabilities_to_source,
    read_mask,
)
from boneage_kedro.phantom import fabricate_hand, phalanx_mask

POSES = [Pose(mirrored, turns) for mirrored in (False, True) for turns in range(4)]


def encoded(mask: np.ndarray, suffix: str = ".png") -> bytes:
    return cv2.imencode(suffix, mask)[1].tobytes()


def drawn() -> np.ndarray:
    mask = np.zeros((20, 16), np.uint8)
    mask[5:9, 4:8], mask[9:12, 4:8] = 2, 3
    return mask


def planes(labels: np.ndarray) -> np.ndarray:
    """Probabilities (4, H, W) of a network that is sure."""
    return (labels == np.arange(4)[:, None, None]).astype(np.float32)


def test_codes_are_read_as_they_are() -> None:
    read = read_mask(encoded(drawn()), "7.png", 4, (20, 16), binary=False)
    assert read.dtype == np.uint8
    assert np.array_equal(read, drawn())


def test_black_and_white_are_two_classes_at_any_depth() -> None:
    white = (drawn() != 0).astype(np.uint8) * 255
    one_bit = io.BytesIO()
    Image.fromarray(white).convert("1").save(one_bit, "PNG")
    for content in (encoded(white), one_bit.getvalue()):
        assert np.array_equal(read_mask(content, "7.png", 4, (20, 16), binary=True), drawn() > 0)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is not a PNG file"),
        (encoded(drawn(), ".jpg"), "is not a PNG file; save masks without loss"),
        (encoded(drawn())[:-20], "the PNG file is cut short"),
        (encoded(np.dstack([drawn()] * 3)), "is in colour"),
        (encoded(np.pad(drawn(), ((0, 0), (0, 1)))), "is 17 x 20 pixels, but its radiograph is 16 x 20"),
        (encoded(np.zeros_like(drawn())), "is empty, all of it is background"),
        (encoded(np.full_like(drawn(), 2)), "is of one class, code 2 everywhere"),
        (encoded(drawn() + 2), r"holds the codes \[4, 5\], but there are 4 classes, 0 to 3"),
    ],
)
def test_what_is_no_mask_of_its_radiograph_is_told_with_its_file(content: bytes, reason: str) -> None:
    with pytest.raises(UnusableMask, match=rf"a/7\.png: {reason}"):
        read_mask(content, "a/7.png", 4, (20, 16), binary=False)


def test_all_classes_as_one() -> None:
    assert np.array_equal(read_mask(encoded(drawn()), "7.png", 4, (20, 16), binary=True), drawn() > 0)


def test_black_and_white_are_not_taken_for_one_of_several_classes() -> None:
    white = np.where(drawn() > 0, 255, 0).astype(np.uint8)
    with pytest.raises(UnusableMask, match=r"7\.png: holds the codes \[255\]"):
        read_mask(encoded(white), "7.png", 4, (20, 16), binary=False)


def test_any_size_will_do_when_none_is_given() -> None:
    assert np.array_equal(read_mask(encoded(drawn()), "7.png", 4, None, binary=False), drawn())
    with pytest.raises(UnusableMask, match=r"7\.png: holds the codes"):
        read_mask(encoded(drawn() + 2), "7.png", 4, None, binary=False)


def test_the_class_with_the_largest_part_of_a_pixel_wins() -> None:
    mask = np.array([[1, 1, 1, 0], [0, 1, 0, 0], [2, 2, 3, 3], [1, 0, 3, 3]], np.uint8)
    transform = canvas_transform(Box(0, 0, 4, 4), UPRIGHT, 2)
    assert mask_to_canvas(mask, transform, 2).tolist() == [[1, 0], [2, 3]]


def test_parts_count_on_a_canvas_that_is_much_smaller() -> None:
    transform = canvas_transform(Box(0, 0, 64, 64), UPRIGHT, 4)
    broad, thin = np.zeros((2, 64, 64), np.uint8)
    broad[:, :10] = 1  # 10 of the first 16 columns
    thin[:, 6:10] = 1  # the middle of the first 16 columns, which sampling would have met
    assert mask_to_canvas(broad, transform, 4).tolist() == [[1, 0, 0, 0]] * 4
    assert not mask_to_canvas(thin, transform, 4).any()


@pytest.mark.parametrize("pose", POSES)
def test_masks_follow_the_picture_there_and_back_in_every_pose(pose: Pose) -> None:
    mask = np.random.default_rng(0).integers(0, 4, (9, 6)).astype(np.uint8)
    transform = canvas_transform(Box(0, 0, 6, 9), pose, 9)
    canvas = mask_to_canvas(mask, transform, 9)
    assert np.array_equal(canvas, centre_on_canvas(pose.apply(mask), 9))
    assert np.array_equal(probabilities_to_source(planes(canvas), transform, mask.shape), mask)


@pytest.mark.parametrize("pose", [UPRIGHT, Pose(mirrored=True, quarter_turns=1)])
@pytest.mark.parametrize(("age_months", "size_px"), [(24, 640), (200, 640), (120, 384)])
def test_phalanges_survive_the_way_to_the_source_and_back(
    pose: Pose, age_months: float, size_px: int
) -> None:
    mask = phalanx_mask(fabricate_hand(age_months, Sex.FEMALE, 3, size_px).bones)
    transform = canvas_transform(Box(0, 0, mask.shape[1], mask.shape[0]), pose, 512)
    canvas = mask_to_canvas(mask, transform, 512)
    again = mask_to_canvas(probabilities_to_source(planes(canvas), transform, mask.shape), transform, 512)
    for code in (1, 2, 3):
        assert dice(again == code, canvas == code) > 0.97


def test_the_likeliest_class_wins_and_background_a_tie() -> None:
    raw = np.random.default_rng(1).dirichlet(np.ones(4), (8, 8)).astype(np.float32)
    probabilities = np.moveaxis(raw, -1, 0)
    probabilities[:, 0, 0] = 0.5, 0.5, 0, 0
    probabilities[:, 0, 1] = 0, 0, 0.5, 0.5
    transform = np.array([[1, 0, 0], [0, 1, 0]], np.float32)
    mask = probabilities_to_source(probabilities, transform, (8, 8))
    np.testing.assert_array_equal(mask, probabilities.argmax(0))
    assert (mask[0, 0], mask[0, 1]) == (0, 2)
