import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from boneage_kedro.imaging.contrast.tone import (
    UNCHANGED,
    ToneSettings,
    apply_tone,
    measure_hand,
    smooth,
    to_8_bits,
)

PERCENT = st.integers(-100, 100)


def hand(*levels: int) -> np.ndarray:
    """Gray levels side by side, in the middle of a black picture."""
    image = np.zeros((16, 16), np.uint8)
    image[8, 4 : 4 + len(levels)] = levels
    return image


def toned(image: np.ndarray, **settings: float) -> list[int]:
    return apply_tone(image, ToneSettings(**{**UNCHANGED, **settings}))[image > 0].tolist()


def test_nothing_set_leaves_every_level_as_it_is() -> None:
    image = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert np.array_equal(apply_tone(image, UNCHANGED), image)


def test_brightness_is_in_percent_of_the_gray_range() -> None:
    assert toned(hand(10, 100, 200), brightness=20) == [61, 151, 251]
    assert toned(hand(10, 100, 200), brightness=-20) == [1, 49, 149]  # nothing of the hand becomes background


def test_contrast_is_a_factor_on_the_distance_from_the_mean_of_the_hand() -> None:
    assert toned(hand(90, 100, 110), contrast=50) == [80, 100, 120]
    assert toned(hand(90, 100, 110), contrast=-50) == [95, 100, 105]
    assert toned(hand(20, 100, 180), contrast=100) == [1, 100, 255]


def test_contrast_comes_before_brightness() -> None:
    assert toned(hand(90, 100, 110), contrast=50, brightness=20) == [131, 151, 171]


def test_sharpness_adds_the_difference_from_the_smoothed_hand() -> None:
    image = np.full((256, 256), 100, np.uint8)
    image[:, 128:] = 140
    expected = 140 + 2 * (140 - smooth(image)[100, 128])
    sharp = apply_tone(image, {**UNCHANGED, "sharpness": 100})
    assert sharp[100, 128] == round(expected)
    assert sharp[100, 127] == 240 - sharp[100, 128]  # as far below
    assert sharp[100, 60] == 100


def test_the_background_has_no_part_in_the_smoothing() -> None:
    image = np.zeros((256, 256), np.uint8)
    image[60:200, 60:200] = 120
    assert smooth(image)[image > 0] == pytest.approx(120, abs=1e-3)
    assert not smooth(image)[image == 0].any()
    assert np.array_equal(apply_tone(image, {**UNCHANGED, "sharpness": 100}), image)  # no bright outline


def test_smoothing_reaches_as_far_as_the_picture_is_large() -> None:
    small = np.full((128, 128), 60, np.uint8)
    small[:, 64:] = 180
    large = np.kron(small, np.ones((4, 4), np.uint8))
    block = smooth(large)[200:204, 264:268].mean()
    assert block == pytest.approx(smooth(small)[50, 66], abs=1.5)


@given(brightness=PERCENT, contrast=PERCENT, seed=st.integers(0, 99))
def test_without_sharpness_what_is_brighter_never_becomes_darker(
    brightness: int, contrast: int, seed: int
) -> None:
    image = np.sort(np.random.default_rng(seed).integers(1, 256, 256, dtype=np.uint8)).reshape(16, 16)
    changed = apply_tone(image, {"brightness": brightness, "contrast": contrast, "sharpness": 0})
    assert (np.diff(changed.ravel().astype(int)) >= 0).all()


@given(brightness=PERCENT, contrast=PERCENT, sharpness=st.integers(0, 100))
def test_the_background_stays_background_and_the_hand_hand(
    brightness: int, contrast: int, sharpness: int
) -> None:
    image = np.random.default_rng(0).integers(0, 256, (20, 20), dtype=np.uint8) * np.tri(20, dtype=np.uint8)
    settings = ToneSettings(brightness=brightness, contrast=contrast, sharpness=sharpness)
    changed = apply_tone(image, settings)
    assert changed.dtype == np.uint8
    assert np.array_equal(changed > 0, image > 0)


def test_contrast_keeps_the_mean_and_brightness_the_contrast_until_they_clip() -> None:
    image = np.random.default_rng(0).integers(90, 110, (64, 64), dtype=np.uint8)
    before = measure_hand(image)
    steeper = measure_hand(apply_tone(image, {**UNCHANGED, "contrast": 100}))
    brighter = measure_hand(apply_tone(image, {**UNCHANGED, "brightness": 20}))
    assert steeper == pytest.approx((before.mean, 4 * before.contrast), abs=0.5)  # rounded
    assert brighter == pytest.approx((before.mean + 51, before.contrast), abs=1e-6)


def test_an_empty_picture_stays_empty() -> None:
    assert not apply_tone(np.zeros((16, 16), np.uint8), {**UNCHANGED, "brightness": 50}).any()


def test_mean_and_contrast_are_of_the_hand_alone() -> None:
    assert measure_hand(hand(90, 110)) == (100, 10)


def test_16_bits_are_spread_over_8_and_nothing_of_the_hand_is_lost() -> None:
    pixels = np.array([[0, 1, 2048, 4095]], np.uint16)  # a scanner of 12 bits
    assert to_8_bits(pixels).tolist() == [[0, 1, 128, 255]]
    same = np.array([[0, 7]], np.uint8)
    assert to_8_bits(same) is same
