import numpy as np
import pytest

from boneage_kedro.imaging.intensity import Window, apply_window, exposure_window


def test_the_window_spans_the_percentiles():
    field = np.arange(10_000, dtype=np.float32).reshape(100, 100)
    window = exposure_window(field, 0, 100)
    assert window.low == 0
    assert window.high >= 9000
    narrower = exposure_window(field, 10, 90)
    assert narrower.low == pytest.approx(0.1 * window.high, rel=0.01)
    assert narrower.high == pytest.approx(0.9 * window.high, rel=0.01)


def test_letters_do_not_decide_the_exposure():
    field = np.full((96, 72), 10, np.float32)
    field[40:90, 20:50] = 60
    plain = exposure_window(field, 1, 99.5)
    field[5:20, 5:8] = 255
    field[17:20, 5:14] = 255
    assert exposure_window(field, 1, 99.5) == plain == Window(10, 60)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_values_are_spread_and_clipped(dtype: type):
    pixels = np.array([[0, 50, 75, 100, 200]], dtype)
    assert apply_window(pixels, Window(50, 100), inverted=False).tolist() == [[0, 0, 128, 255, 255]]
    assert apply_window(pixels, Window(50, 100), inverted=True).tolist() == [[255, 255, 128, 0, 0]]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_one_gray_value_gives_black(dtype: type):
    assert apply_window(np.full((2, 2), 9, dtype), Window(9, 9), inverted=False).max() == 0
    assert exposure_window(np.full((5, 5), 9, np.float32), 1, 99) == Window(9, 9)
