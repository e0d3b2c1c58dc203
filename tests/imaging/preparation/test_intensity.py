import numpy as np
import pytest

from boneage_kedro.imaging.preparation.intensity import Window, apply_window, exposure_window


def test_the_window_spans_the_percentiles_of_the_inner_field():
    field = np.tile(np.linspace(0, 1, 21, dtype=np.float32), (20, 1))  # inner columns 3 to 17
    assert exposure_window(field, 0, 100) == pytest.approx((0.15, 0.85))
    assert exposure_window(field, 50, 50) == pytest.approx((0.45, 0.45), abs=0.06)


def test_the_corners_of_a_leaning_frame_do_not_decide_the_exposure():
    field = np.full((96, 72), 10, np.float32)
    field[40:90, 20:50] = 60
    plain = exposure_window(field, 1, 99.5)
    field[:14, :10] = 255
    field[-14:, -10:] = 0
    assert exposure_window(field, 1, 99.5) == plain


def test_letters_do_not_decide_the_exposure():
    field = np.full((96, 72), 10, np.float32)
    field[40:90, 20:50] = 60
    plain = exposure_window(field, 1, 99.5)
    field[5:20, 5:8] = 255
    field[17:20, 5:14] = 255
    assert exposure_window(field, 1, 99.5) == plain == Window(10, 60)


def test_bones_within_a_broad_bright_wrist_are_not_clipped():
    field = np.full((96, 72), 10, np.float32)
    field[40:90, 20:50] = 60
    field[50:80, 30:32] = 90  # a thin bright bone
    field[5:20, 5:8] = 255  # a letter
    assert exposure_window(field, 0, 100) == Window(10, 90)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_values_are_spread_and_clipped(dtype: type):
    pixels = np.array([[0, 50, 60, 100, 200]], dtype)
    assert apply_window(pixels, Window(50, 100), inverted=False).tolist() == [[0, 0, 51, 255, 255]]
    assert apply_window(pixels, Window(50, 100), inverted=True).tolist() == [[255, 255, 204, 0, 0]]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_one_gray_value_gives_black(dtype: type):
    assert apply_window(np.full((2, 2), 9, dtype), Window(9, 9), inverted=False).max() == 0
    assert exposure_window(np.full((5, 5), 9, np.float32), 1, 99) == Window(9, 9)
