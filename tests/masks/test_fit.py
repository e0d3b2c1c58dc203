import numpy as np
import pytest

from boneage_kedro.cohort.sex import Sex
from boneage_kedro.evaluation.segmentation.scores import dice
from boneage_kedro.masks.fit import fit_mask
from boneage_kedro.masks.label_maps import UnusableMask
from boneage_kedro.phantom import fabricate_hand


def test_more_than_half_of_a_pixel_is_inside() -> None:
    mask = np.zeros((8, 6), np.uint8)
    mask[:3, :3] = 1  # 3 of the first pixel's 4 rows
    mask[4:6, 3:] = 1  # half of the last pixel is not more than half
    assert fit_mask(mask, (2, 2)).tolist() == [[1, 0], [0, 0]]


def test_the_class_with_the_largest_part_wins() -> None:
    mask = np.array([[1, 1, 2, 2], [0, 1, 2, 3]], np.uint8)
    assert fit_mask(mask, (1, 2)).tolist() == [[1, 2]]


def test_rows_and_columns_may_shrink_unlike() -> None:
    mask = np.zeros((200, 150), np.uint8)
    mask[40:120, 30:90] = 1
    expected = np.zeros((50, 50), np.uint8)
    expected[10:30, 10:30] = 1
    assert np.array_equal(fit_mask(mask, (50, 50)), expected)


def test_a_mask_of_the_right_size_is_as_it_was() -> None:
    mask = np.arange(12, dtype=np.uint8).reshape(3, 4)
    assert np.array_equal(fit_mask(mask, (3, 4)), mask)
    assert not fit_mask(np.zeros((8, 8), np.uint8), (4, 4)).any()


@pytest.mark.parametrize("shape", [(256, 190), (100, 100), (770, 560)])
def test_a_hand_there_and_back(shape: tuple[int, int]) -> None:
    hand = fabricate_hand(150, Sex.FEMALE, 4, 512).hand_mask.astype(np.uint8)
    fitted = fit_mask(hand, shape)
    assert fitted.shape == shape
    assert fitted.dtype == np.uint8
    assert fitted.mean() == pytest.approx(hand.mean(), rel=0.01)
    assert dice(fit_mask(fitted, hand.shape) > 0, hand > 0) > 0.97


@pytest.mark.parametrize(
    ("mask", "shape", "reason"),
    [
        (
            (100, 75),
            (150, 200),
            r"is 75 x 100 pixels, but its radiograph is 200 x 150: one of them lies on its",
        ),
        ((75, 100), (200, 150), "one of them lies on its side; turn the mask as the radiograph is"),
        ((260, 100), (100, 100), "these are not two sizes of one picture; see that the id is right"),
        ((100, 100), (40, 101), "these are not two sizes of one picture"),
    ],
)
def test_other_proportions_are_refused(mask: tuple[int, int], shape: tuple[int, int], reason: str) -> None:
    with pytest.raises(UnusableMask, match=reason):
        fit_mask(np.ones(mask, np.uint8), shape)


def test_rounding_of_a_square_does_not_count_as_lying() -> None:
    assert fit_mask(np.ones((1001, 1000), np.uint8), (100, 101)).all()


def test_a_mask_that_would_vanish_is_refused() -> None:
    line = np.zeros((80, 80), np.uint8)
    line[:, 40] = 1
    with pytest.raises(UnusableMask, match="is too thin: nothing of it is left at 10 x 10 pixels"):
        fit_mask(line, (10, 10))
