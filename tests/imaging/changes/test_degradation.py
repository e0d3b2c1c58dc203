from dataclasses import replace
from math import log
from typing import Any

import numpy as np
import pytest

from boneage_kedro.imaging.changes.degradation import (
    OPEN_TO_BONE,
    Degradation,
    DegradationSettings,
    degrade,
    draw_degradation,
)

ALL = np.ones((64, 64), bool)


def flat(gray: float) -> np.ndarray:
    return np.full((64, 64), gray, np.float32)


def apply(degradation: Degradation, image: np.ndarray, inside: np.ndarray = ALL) -> np.ndarray:
    return degradation.apply(image, inside, np.random.default_rng(7))


def settings(**changes: Any) -> DegradationSettings:
    never: dict[str, Any] = {
        "shading": {"low": -0.5, "high": 0.5},
        "scatter": {"low": 0.1, "high": 0.3},
        "dose": {"low": 500, "high": 5000},
        "blur": {"low": 0.01, "high": 0.02},
        "exposure": {"low": -1, "high": 1},
        "gradient": {"low": 0.5, "high": 2},
        "gamma": {"low": 0.5, "high": 2},
        "window_width": {"low": 0.5, "high": 2},
        "window_level": {"low": 0.3, "high": 0.7},
        "gray_levels": {"low": 16, "high": 128},
    }
    made = {name: {"probability": 0.0, **effect} for name, effect in never.items()}
    return {**made, "inversion": 0.0, **changes}  # type: ignore[typeddict-item]


def test_no_effect_leaves_an_eight_bit_picture_as_it_is():
    image = (np.arange(64 * 64).reshape(64, 64) % 256).astype(np.float32) / 255
    assert apply(Degradation(), image) == pytest.approx(image, abs=1e-6)


def test_the_background_stays_black_whatever_happens():
    inside = np.zeros((64, 64), bool)
    inside[20:40, 20:40] = True
    worst = Degradation(0.5, 45.0, 0.3, 500, 0.02, -1.0, 0.5, 0.5, 2.0, 0.4, 32, inverted=True)
    degraded = apply(worst, np.where(inside, flat(0.5), 0).astype(np.float32), inside)
    assert (degraded[~inside] == 0).all()
    assert degraded[inside].min() > 0
    assert degraded.dtype == np.float32
    assert degraded.max() <= 1


@pytest.mark.parametrize(("degrees", "brighter", "darker"), [(0, (32, 0), (32, 63)), (90, (0, 32), (63, 32))])
def test_shading_darkens_one_side(degrees: float, brighter: tuple[int, int], darker: tuple[int, int]):
    shaded = apply(Degradation(shading=0.5, shading_deg=degrees), flat(0.5))
    step = 0.25 / OPEN_TO_BONE  # half the logarithm to either side
    assert shaded[brighter] == pytest.approx(0.5 + step, abs=1 / 255)
    assert shaded[darker] == pytest.approx(0.5 - step, abs=1 / 255)
    assert shaded[32, 32] == pytest.approx(0.5, abs=1 / 255)


def test_scatter_takes_contrast_from_bone():
    image = flat(0.4)
    image[:, 30:34] = 0.8
    veiled = apply(Degradation(scatter=0.4), image)
    assert veiled[32, 2] == pytest.approx(0.4, abs=1 / 255)
    assert 0.6 < veiled[32, 32] < 0.7
    assert apply(Degradation(scatter=0.4), flat(0.4)) == pytest.approx(flat(0.4), abs=1 / 255)


def test_noise_is_that_of_counted_photons_and_strongest_behind_bone():
    dose = 2000.0
    soft, bone = (apply(Degradation(dose=dose), flat(gray)) for gray in (0.3, 0.9))
    for seen, gray in ((soft, 0.3), (bone, 0.9)):
        photons = dose * (256 / 64) ** 2 * np.exp(-OPEN_TO_BONE * gray)
        # d(attenuation) = d(photons) / photons, and the variance of a count is the count
        assert seen.std() == pytest.approx(1 / (OPEN_TO_BONE * np.sqrt(photons)), rel=0.15)
        assert seen.mean() == pytest.approx(gray, abs=0.003)
    assert bone.std() > 1.7 * soft.std()


def test_noise_of_a_pixel_grows_with_the_number_of_pixels():
    few, many = (
        Degradation(dose=1000)
        .apply(np.full((side, side), 0.5, np.float32), np.ones((side, side), bool), np.random.default_rng(1))
        .std()
        for side in (64, 128)
    )
    assert many == pytest.approx(2 * few, rel=0.1)


def test_the_same_numbers_give_the_same_noise():
    assert (apply(Degradation(dose=500), flat(0.5)) == apply(Degradation(dose=500), flat(0.5))).all()


def test_blur_spreads_a_point_by_its_share_of_the_long_side():
    image = flat(0.5)
    image[32, 32] = 0.6
    spread = apply(Degradation(blur=1 / 64), image) - 0.5
    assert spread[32, 32] < 0.03
    assert spread[32, 33] > 0.005


@pytest.mark.parametrize(
    ("degradation", "gray", "seen"),
    [
        (Degradation(exposure=log(2)), 0.5, 1 / 3),
        (Degradation(gradient=2), 0.25, 0.1),
        (Degradation(gamma=2), 0.5, 0.25),
        (Degradation(window_width=0.5), 0.6, 0.7),  # 0.25 to 0.75 becomes 0 to 1
        (Degradation(window_width=0.5), 0.8, 1.0),
        (Degradation(window_width=2), 0.0, 0.25),
        (Degradation(window_level=0.7), 0.5, 0.3),
        (Degradation(gray_levels=3), 0.6, 0.5),
        (Degradation(inverted=True), 0.2, 0.8),
    ],
)
def test_hand_computed_grays(degradation: Degradation, gray: float, seen: float):
    assert apply(degradation, flat(gray)) == pytest.approx(flat(seen), abs=0.5 / 255 + 1e-6)


def test_faint_pictures_keep_few_levels_and_all_are_of_eight_bits():
    image = np.linspace(0, 1, 64 * 64, dtype=np.float32).reshape(64, 64)
    assert len(np.unique(apply(Degradation(gray_levels=20), image))) == 20
    levels = apply(Degradation(gray_levels=20), image) * 255
    assert levels == pytest.approx(np.round(levels), abs=1e-4)


def test_effects_that_never_come_do_nothing():
    drawn = draw_degradation(settings(), np.random.default_rng(1))
    assert replace(drawn, shading_deg=0.0) == Degradation()


@pytest.mark.parametrize("name", [name for name in settings() if name != "inversion"])
def test_an_effect_is_drawn_within_its_range_and_alone(name: str):
    low, high = settings()[name]["low"], settings()[name]["high"]  # type: ignore[literal-required]
    chosen = settings(**{name: {"probability": 1.0, "low": low, "high": high}})
    drawn = [draw_degradation(chosen, np.random.default_rng(seed)) for seed in range(30)]
    values = [getattr(one, name) for one in drawn]
    assert low <= min(values) < max(values) <= high
    assert all(
        replace(one, shading_deg=0.0, **{name: getattr(Degradation(), name)}) == Degradation()
        for one in drawn
    )


def test_an_effect_comes_as_often_as_it_is_said_to():
    chosen = settings(blur={"probability": 0.3, "low": 0.01, "high": 0.02}, inversion=0.1)
    rng = np.random.default_rng(3)
    drawn = [draw_degradation(chosen, rng) for _ in range(2000)]
    assert np.mean([one.blur > 0 for one in drawn]) == pytest.approx(0.3, abs=0.04)
    assert np.mean([one.inverted for one in drawn]) == pytest.approx(0.1, abs=0.03)


def test_factors_are_drawn_evenly_in_the_logarithm():
    chosen = settings(
        dose={"probability": 1.0, "low": 500, "high": 5000},
        blur={"probability": 1.0, "low": 0.01, "high": 0.02},
    )
    rng = np.random.default_rng(3)
    drawn = [draw_degradation(chosen, rng) for _ in range(2000)]
    assert np.median([one.dose for one in drawn]) == pytest.approx(np.sqrt(500 * 5000), rel=0.1)
    assert np.median([one.blur for one in drawn]) == pytest.approx(0.015, rel=0.05)


def test_the_chance_of_one_effect_leaves_the_others_as_they_were():
    always = {"probability": 1.0, "low": 0.5, "high": 2.0}
    without, beside = (
        draw_degradation(chosen, np.random.default_rng(5))
        for chosen in (
            settings(gamma=always),
            settings(gamma=always, scatter={"probability": 1.0, "low": 0.1, "high": 0.3}),
        )
    )
    assert without.scatter == 0 < beside.scatter
    assert without.gamma == beside.gamma


def test_degrade_draws_and_applies():
    chosen = settings(dose={"probability": 1.0, "low": 500, "high": 5000})
    rng = np.random.default_rng(2)
    expected = draw_degradation(chosen, rng).apply(flat(0.5), ALL, rng)
    assert (degrade(flat(0.5), ALL, chosen, np.random.default_rng(2)) == expected).all()


def test_a_range_that_ends_below_its_begin_is_refused():
    wrong = settings(scatter={"probability": 0.5, "low": 0.4, "high": 0.1})
    with pytest.raises(ValueError, match=r"degradation scatter: low is 0.4, above high, 0.1; exchange them"):
        draw_degradation(wrong, np.random.default_rng(1))


def test_a_mask_of_another_size_is_refused():
    with pytest.raises(ValueError, match="but its picture is"):
        apply(Degradation(), flat(0.5), np.ones((3, 3), bool))
