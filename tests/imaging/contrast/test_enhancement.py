from typing import Any

import numpy as np
import pytest

from boneage_kedro.imaging.contrast.enhancement import (
    build_baselines,
    clahe,
    identity,
    match_histogram,
    reference_quantiles,
    scale_percentiles,
)

SETTINGS: Any = {"clahe": {"clip_limit": 2.0, "tiles": 8}, "scale_percentiles": {"low": 1, "high": 99}}
RAMP = np.linspace(0, 1, 257)


def picture(side: int = 64) -> tuple[np.ndarray, np.ndarray]:
    image = np.random.default_rng(1).uniform(0.2, 0.6, (side, side)).astype(np.float32)
    inside = np.zeros((side, side), bool)
    inside[10:-10, 12:-8] = True
    return image, inside


@pytest.mark.parametrize("name", ["identity", "clahe", "match_histogram", "scale_percentiles"])
def test_every_baseline_keeps_type_range_and_background(name: str):
    image, inside = picture()
    before = image.copy()
    baseline = build_baselines(SETTINGS, RAMP)[name]
    enhanced = baseline(image, inside)
    assert enhanced.shape == image.shape
    assert enhanced.dtype == np.float32
    assert 0 <= enhanced.min() <= enhanced.max() <= 1
    assert (enhanced[~inside] == 0).all()
    assert enhanced[inside].any()
    assert (image == before).all()
    assert baseline(image, np.zeros_like(inside)).max() == 0
    with pytest.raises(ValueError, match="but its picture is"):
        baseline(image, inside[1:])


@pytest.mark.parametrize("name", ["identity", "match_histogram", "scale_percentiles"])
def test_what_lies_beside_the_hand_does_not_count(name: str):
    image, inside = picture()
    baseline = build_baselines(SETTINGS, RAMP)[name]
    assert (baseline(np.where(inside, image, np.float32(1)), inside) == baseline(image, inside)).all()


def test_identity_is_the_hand():
    image, inside = picture()
    assert (identity(image, inside)[inside] == image[inside]).all()


def test_clahe_raises_contrast_with_its_limit():
    image, _ = picture()
    inside = np.ones_like(image, bool)
    faint = (0.4 + 0.1 * image).astype(np.float32)
    low, high = (clahe(faint, inside, limit, 4)[inside].std() for limit in (1.0, 8.0))
    assert faint[inside].std() < low < high


def test_matching_gives_the_histogram_of_the_reference():
    image, inside = picture()
    gold = (image**2).astype(np.float32)
    matched = match_histogram(image, inside, reference_quantiles([(gold, inside)]))
    assert matched[inside] == pytest.approx(gold[inside], abs=0.01)


def test_equal_gray_values_stay_equal_and_lie_in_the_middle_of_their_rank():
    image = np.array([[0.1, 0.1, 0.1, 0.7]], np.float32)
    matched = match_histogram(image, np.ones((1, 4), bool), RAMP)
    assert matched.tolist() == [pytest.approx([0.375, 0.375, 0.375, 0.875])]


def test_reference_quantiles_are_the_mean_over_hands():
    dark, bright = np.zeros((5, 5), np.float32), np.full((5, 5), 0.5, np.float32)
    everywhere, nowhere = np.ones((5, 5), bool), np.zeros((5, 5), bool)
    found = reference_quantiles([(dark, everywhere), (bright, everywhere), (bright, nowhere)])
    assert found == pytest.approx(np.full(257, 0.25))
    with pytest.raises(ValueError, match="at least one picture with a hand"):
        reference_quantiles([(dark, nowhere)])


def test_percentiles_become_black_and_white():
    image = np.linspace(0.2, 0.7, 101, dtype=np.float32)[None]
    inside = np.ones((1, 101), bool)
    scaled = scale_percentiles(image, inside, 10, 90)[0]
    assert scaled[[0, 10, 30, 50, 90, 100]] == pytest.approx([0, 0, 0.25, 0.5, 1, 1], abs=1e-5)


def test_a_hand_of_one_gray_value_is_left_alone():
    image = np.full((5, 5), 0.3, np.float32)
    assert (scale_percentiles(image, np.ones((5, 5), bool), 1, 99) == image).all()


def test_percentiles_in_the_wrong_order_are_refused():
    with pytest.raises(ValueError, match="scale_percentiles: low is 99, not below high, 1"):
        build_baselines({**SETTINGS, "scale_percentiles": {"low": 99, "high": 1}}, RAMP)
