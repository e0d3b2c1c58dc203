from collections.abc import Callable

import numpy as np
import pytest

from boneage_kedro.imaging.changes import alterations as change
from boneage_kedro.imaging.changes.alterations import GrayScale

RAMP = np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4)


def rng() -> np.random.Generator:
    return np.random.default_rng(3)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_gray_values_survive_the_way_to_levels_and_back(dtype: type) -> None:
    pixels = np.array([[0, 7, 200], [3, 100, 255]], dtype) * dtype(1 if dtype == np.uint8 else 16)
    scale = GrayScale.of(pixels)
    levels = scale.levels(pixels)
    assert (levels.dtype, levels.min(), levels.max()) == (np.float32, 0, 1)
    assert np.array_equal(scale.pixels(levels), pixels)
    assert scale.pixels(levels).dtype == dtype


def test_the_scale_of_8_bits_is_fixed_and_others_end_at_the_brightest_pixel() -> None:
    assert GrayScale.of(np.full((2, 2), 9, np.uint8))[:2] == (0, 255)
    assert GrayScale.of(np.array([[5, 4095]], np.uint16))[:2] == (0, 4095)
    assert GrayScale.of(np.array([[-1000, 500]], np.float32))[:2] == (-1000, 500)
    assert GrayScale.of(np.zeros((2, 2), np.float32))[:2] == (0, 1)  # of one gray value: no division by 0


def test_values_outside_are_clipped_and_rounded() -> None:
    scale = GrayScale(0, 255, np.dtype(np.uint8))
    assert scale.pixels(np.array([[-0.2, 0.5, 1.7]], np.float32)).tolist() == [[0, 128, 255]]


def test_quarter_turns_are_exact_and_counter_clockwise() -> None:
    assert np.array_equal(change.rotate(RAMP, 90), np.rot90(RAMP))
    assert np.array_equal(change.rotate(RAMP, -90), np.rot90(RAMP, 3))
    assert np.array_equal(change.rotate(change.rotate(RAMP, 180), 180), RAMP)


def test_other_turns_lose_nothing_and_bring_in_black() -> None:
    bright = np.ones((40, 60), np.float32)
    turned = change.rotate(bright, 30)
    assert turned.shape == (65, 72)  # 40 cos 30 + 60 sin 30, 60 cos 30 + 40 sin 30
    assert turned.sum() == pytest.approx(bright.sum(), rel=0.01)
    assert turned[0, 0] == turned[-1, -1] == 0
    right = np.zeros((41, 41), np.float32)
    right[20, 35] = 1
    row, column = np.unravel_index(change.rotate(right, 45).argmax(), (58, 58))
    assert row < 29 < column  # from the right to the upper right


def test_flips_and_negatives_undo_themselves() -> None:
    assert change.flip(RAMP, "horizontal")[0].tolist() == RAMP[0, ::-1].tolist()
    assert change.flip(RAMP, "vertical")[:, 0].tolist() == RAMP[::-1, 0].tolist()
    assert change.invert(change.invert(RAMP)) == pytest.approx(RAMP)
    assert change.invert(RAMP)[0, 0] == 1


def test_tones_by_hand() -> None:
    levels = np.array([[0.25, 0.75]], np.float32)
    assert change.brighten(levels, -0.25).tolist() == [[0.0, 0.5]]
    assert change.stretch(levels, 0.5).tolist() == [[0.375, 0.625]]
    assert change.gamma(levels, 2).tolist() == [[0.0625, 0.5625]]


def test_shrinking_takes_means_and_leaves_a_pixel() -> None:
    assert change.shrink(np.array([[0, 1, 0, 0]] * 2, np.float32), 0.5).tolist() == [[0.5, 0]]
    assert change.shrink(RAMP[::-1], 0.01).shape == (1, 1)


def test_squashing_changes_the_width_alone() -> None:
    levels = np.tile(np.array([0, 0, 1, 1], np.float32), (3, 1))
    assert np.array_equal(change.squash(levels, 0.5), np.tile(np.array([0, 1], np.float32), (3, 1)))
    assert change.squash(levels, 2).shape == (3, 8)
    assert change.squash(levels, 0.01).shape == (3, 1)


def test_equalising_spreads_what_was_faint_and_more_so_at_a_higher_limit() -> None:
    faint = 0.4 + 0.1 * np.random.default_rng(1).random((64, 64), np.float32)
    mild, strong = (change.equalise(faint, limit).std() for limit in (2, 8))
    assert 1.5 * faint.std() < mild < strong


def test_blur_keeps_the_mean_and_is_as_wide_as_a_part_of_the_long_side() -> None:
    point = np.zeros((101, 201), np.float32)
    point[50, 100] = 1
    blurred = change.blur(point, 0.02)
    assert blurred.sum() == pytest.approx(1, abs=1e-4)
    assert blurred.max() == pytest.approx(1 / (2 * np.pi * (0.02 * 201) ** 2), rel=0.03)


def test_noise_has_its_deviation() -> None:
    noisy = change.add_noise(np.full((200, 200), 0.5, np.float32), 0.1, rng())
    assert (noisy.mean(), noisy.std()) == (pytest.approx(0.5, abs=0.005), pytest.approx(0.1, rel=0.03))


def test_compression_loses_more_at_lower_quality() -> None:
    detail = rng().random((64, 48), np.float32)
    losses = [np.abs(change.compress(detail, quality) - detail).mean() for quality in (100, 50, 5)]
    assert losses[0] < 0.01 < losses[1] < losses[2]


def test_a_cut_takes_its_part_off_its_sides() -> None:
    levels = np.arange(200, dtype=np.float32).reshape(10, 20)
    assert np.array_equal(change.cut(levels, 0.2, ["bottom"]), levels[:8])
    assert np.array_equal(change.cut(levels, 0.2, ["top"]), levels[2:])
    assert np.array_equal(change.cut(levels, 0.1, ["left", "right"]), levels[:, 2:18])
    assert change.cut(levels[:1, :2], 0.45, ["top", "bottom", "left", "right"]).shape == (1, 2)


def test_a_frame_lies_around_the_whole_picture() -> None:
    framed = change.frame(RAMP, 0.5, 1)
    assert framed.shape == (7, 8)
    assert np.array_equal(framed[2:-2, 2:-2], RAMP)
    assert framed.sum() == pytest.approx(RAMP.sum() + 56 - 12)


def test_a_letter_lies_in_a_corner_at_its_height() -> None:
    corners = set()
    for seed in range(30):
        lettered = change.lay_letter(np.zeros((200, 150), np.float32), 0.1, np.random.default_rng(seed), "L")
        rows, columns = np.nonzero(lettered)
        assert np.ptp(rows) + 1 == pytest.approx(20, abs=3)
        assert min(rows.min(), 199 - rows.max(), columns.min(), 149 - columns.max()) >= 4
        corners.add((rows.min() > 100, columns.min() > 75))
    assert len(corners) == 4


def test_text_stands_at_the_top_left_line_under_line() -> None:
    written = change.burn_text(np.zeros((400, 300), np.float32), 3, rng())
    inked = written.max(1) > 0.5
    assert np.count_nonzero(np.diff(inked.astype(int)) == 1) == 3
    assert np.nonzero(written.max(0))[0].min() < 10
    assert not inked[100:].any()


@pytest.mark.parametrize(
    "lay",
    [lambda x: change.lay_letter(x, 0.3, rng(), "L"), lambda x: change.burn_text(x, 4, rng())],
    ids=["letter", "text"],
)
def test_what_does_not_fit_is_cut(lay: Callable[[np.ndarray], np.ndarray]) -> None:
    tiny = np.full((2, 3), 0.2, np.float32)
    laid = lay(tiny)
    assert laid.shape == (2, 3)
    assert laid.min() >= np.float32(0.2)
    assert (tiny == np.float32(0.2)).all()  # the picture that was given is left alone
