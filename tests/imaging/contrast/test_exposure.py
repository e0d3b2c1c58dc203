from collections.abc import Callable

import numpy as np
import pytest

from boneage_kedro.cohort.sex import Sex
from boneage_kedro.imaging.changes.degradation import Degradation
from boneage_kedro.imaging.contrast.exposure import choose_gold, exposure_score
from boneage_kedro.imaging.contrast.tone_curve import to_standard_tone
from boneage_kedro.phantom import Nuisance, fabricate_hand


@pytest.fixture(scope="module")
def hand() -> tuple[np.ndarray, np.ndarray]:
    phantom = fabricate_hand(150, Sex.FEMALE, 4, 256, Nuisance.none())
    inside = phantom.hand_mask
    return to_standard_tone(phantom.image.astype(np.float32) / 255, inside, 0.5, 0.18), inside


@pytest.mark.parametrize(
    "degradation",
    [
        Degradation(scatter=0.4),
        Degradation(dose=800),
        Degradation(blur=0.008),
        Degradation(exposure=-2),
        Degradation(exposure=2),
        Degradation(gradient=0.5),
        Degradation(window_width=0.5, window_level=0.3),
        Degradation(window_width=1.6),
    ],
    ids=repr,
)
def test_every_fault_lowers_the_score(hand: tuple[np.ndarray, np.ndarray], degradation: Degradation):
    image, inside = hand
    worse = degradation.apply(image, inside, np.random.default_rng(1))
    assert exposure_score(worse, inside).score < 0.95 * exposure_score(image, inside).score


def test_noise_and_clipping_are_measured(hand: tuple[np.ndarray, np.ndarray]):
    image, inside = hand
    before = exposure_score(image, inside)
    noisy = image + np.random.default_rng(1).normal(0, 0.05, image.shape).astype(np.float32)
    after = exposure_score(np.clip(noisy, 0.01, 0.99), inside)
    assert after.noise == pytest.approx(np.hypot(0.05, before.noise), rel=0.1)
    assert "noise of 0.05" in after.reason
    white = image.copy()
    rows = np.flatnonzero(inside.any(1))
    lower = inside & (np.arange(len(image)) >= rows[len(rows) * 3 // 4])[:, None]
    white[lower] = 1
    burnt = exposure_score(white, inside)
    assert burnt.clipped == pytest.approx(lower.sum() / inside.sum(), abs=0.01)
    assert burnt.score == pytest.approx((burnt.contrast - burnt.noise) * (1 - burnt.clipped))
    assert "of the hand is black or white" in burnt.reason


def test_spread_is_between_the_outer_twentieths():
    ramp = np.tile(np.linspace(0.1, 0.9, 101, dtype=np.float32), (101, 1))
    assert exposure_score(ramp, np.ones((101, 101), bool)).spread == pytest.approx(0.72, abs=1e-4)


def test_a_slope_over_the_whole_hand_is_no_contrast_of_bone():
    inside = np.ones((128, 128), bool)
    slope = np.tile(np.linspace(0, 1, 128, dtype=np.float32), (128, 1))
    stripes = np.where(np.arange(128) // 4 % 2, 0.6, 0.4).astype(np.float32) * np.ones((128, 1), np.float32)
    assert exposure_score(slope, inside).contrast < 0.03
    assert exposure_score(stripes, inside).contrast == pytest.approx(0.1, abs=0.03)


def test_what_lies_beside_the_hand_does_not_count(hand: tuple[np.ndarray, np.ndarray]):
    image, inside = hand
    other = np.where(inside, image, np.float32(1))
    assert exposure_score(other, inside)[:4] == pytest.approx(exposure_score(image, inside)[:4])


@pytest.mark.parametrize("mask", [np.zeros, np.eye])
def test_a_hand_too_small_to_judge_is_never_gold(mask: Callable[[tuple[int, int]], np.ndarray]):
    inside = (np.eye(64) if mask is np.eye else np.zeros((64, 64))) > 0
    found = exposure_score(np.ones((64, 64), np.float32), inside)
    assert found.score == 0
    assert found.reason == "the hand is too small to judge"
    assert choose_gold({"a": found.score}, 1.0, {}) == []


def test_the_best_share_of_each_stratum_is_gold():
    scores = {"a": 0.1, "b": 0.2, "c": 0.3, "d": 0.4, "young": 0.01, "younger": 0.02}
    bands = {"young": 1, "younger": 1}
    assert choose_gold(scores, 0.5, bands) == ["c", "d", "younger"]
    assert choose_gold(scores, 0.5, {}) == ["b", "c", "d"]
    assert choose_gold(scores, 0.01, bands) == ["d", "younger"]  # at least one
    assert choose_gold({"b": 0.5, "a": 0.5}, 0.5, {}) == ["a"]
