"""The guard: silent on changes of tone, loud on changes of structure."""

import cv2
import numpy as np
import pytest

from boneage_kedro.cohort.sex import Sex
from boneage_kedro.evaluation.enhancement.fidelity import (
    Fidelity,
    FidelityLimits,
    FidelitySettings,
    fidelity_row,
    guarded,
    judge,
    measure_fidelity,
    structure_change,
)
from boneage_kedro.evaluation.enhancement.fidelity_study import cut_phantom
from boneage_kedro.evaluation.enhancement.honest_changes import HONEST, enhance_honestly
from boneage_kedro.phantom import Nuisance, Phantom, fabricate_hand
from boneage_kedro.phantom.inventions import add_carpal, erase_growth_plates, shift_bone

SETTINGS: FidelitySettings = {
    "tone": {"window": 0.02, "bands": [0.003, 0.006, 0.0125], "rim": 0.012},
    "fine": 0.002,
    "broad": 0.008,
    "contrast_window": 0.06,
    "least_contrast": 0.3,
    "noise_weight": 3.0,
    "spot": 7.6e-5,
    "structure_window": 0.006,
    "steady_contrast": 0.03,
}
LIMITS: FidelityLimits = {
    "most_fine_change": 0.52,
    "most_broad_change": 0.17,
    "least_edges_kept": 0.75,
    "most_edges_added": 0.12,
    "least_bone_kept": 0.95,
    "most_bone_added": 0.07,
    "least_structure": 0.9,
}


def child(input_px: int = 256) -> Phantom:
    return cut_phantom(fabricate_hand(50, Sex.FEMALE, 3, 640, Nuisance()), 0.04, input_px)


@pytest.fixture(scope="module")
def hand() -> Phantom:
    return child()


def gray(hand: Phantom) -> np.ndarray:
    return hand.image.astype(np.float32) / 255


def reasons(hand: Phantom, enhanced: np.ndarray) -> list[str]:
    return judge(measure_fidelity(gray(hand), enhanced, hand.hand_mask, SETTINGS), LIMITS)


def test_the_same_picture_is_kept_whole(hand: Phantom) -> None:
    facts = measure_fidelity(gray(hand), gray(hand), hand.hand_mask, SETTINGS)
    assert facts.fine_change < 0.05
    assert facts.added < 0.05
    assert facts.edges_kept == pytest.approx(1, abs=0.01)
    assert facts.edges_added == pytest.approx(0, abs=0.01)
    assert facts.bone_kept == pytest.approx(1, abs=0.01)
    assert facts.structure == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("kind", HONEST)
def test_honest_enhancement_passes(hand: Phantom, kind: str) -> None:
    enhanced = enhance_honestly(kind, gray(hand), hand.hand_mask, np.random.default_rng(2))
    assert reasons(hand, enhanced) == []


@pytest.mark.parametrize("input_px", [256, 512])
@pytest.mark.parametrize("lie", ["plates", "carpal", "shift"])
def test_inventions_after_a_change_of_tone_are_seen_where_they_are(lie: str, input_px: int) -> None:
    hand, rng = child(input_px), np.random.default_rng(4)
    enhanced = enhance_honestly("percentiles", gray(hand), hand.hand_mask, rng)
    planted = {
        "plates": lambda: erase_growth_plates(enhanced, hand, 4, rng),
        "carpal": lambda: add_carpal(enhanced, hand, 0.5, rng),
        "shift": lambda: shift_bone(enhanced, hand, input_px / 85, rng),
    }[lie]()
    assert reasons(hand, planted.picture)
    change = structure_change(gray(hand), planted.picture, hand.hand_mask, SETTINGS)
    near = cv2.dilate(planted.changed.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    assert near[np.unravel_index(np.abs(change).argmax(), change.shape)]


def test_an_added_nucleus_counts_as_added_and_an_erased_plate_less_so(hand: Phantom) -> None:
    def added(planted: np.ndarray) -> Fidelity:
        return measure_fidelity(gray(hand), planted, hand.hand_mask, SETTINGS)

    nucleus = added(add_carpal(gray(hand), hand, 0.5, np.random.default_rng(0)).picture)
    plate = added(erase_growth_plates(gray(hand), hand, 1, np.random.default_rng(0)).picture)
    assert nucleus.added > 0.8 * nucleus.fine_change
    assert plate.added < 0.8 * plate.fine_change


def test_a_blur_loses_edges_and_noise_adds_some(hand: Phantom) -> None:
    blurred = cv2.GaussianBlur(gray(hand), (0, 0), 4)
    assert measure_fidelity(gray(hand), blurred, hand.hand_mask, SETTINGS).edges_kept < 0.8
    noise = np.random.default_rng(0).normal(0, 0.05, blurred.shape).astype(np.float32)
    noisy = np.clip(gray(hand) + noise, 0, 1)
    assert measure_fidelity(gray(hand), noisy, hand.hand_mask, SETTINGS).edges_added > 0.15


def test_what_lies_outside_the_hand_does_not_count(hand: Phantom) -> None:
    littered = np.where(hand.hand_mask, gray(hand), 1)
    assert measure_fidelity(gray(hand), littered, hand.hand_mask, SETTINGS) == measure_fidelity(
        gray(hand), gray(hand), hand.hand_mask, SETTINGS
    )


def test_the_guard_falls_back_and_says_so(hand: Phantom) -> None:
    plain = np.zeros_like(gray(hand))
    kept = guarded(gray(hand), plain, gray(hand), hand.hand_mask, SETTINGS, LIMITS)
    assert kept.picture is not plain
    assert kept.reasons == []
    lie = erase_growth_plates(gray(hand), hand, 99, np.random.default_rng(0)).picture
    fallen = guarded(gray(hand), plain, lie, hand.hand_mask, SETTINGS, LIMITS)
    assert fallen.picture is plain
    assert fallen.reasons[0].startswith("A thin change of structure has ")
    row = fidelity_row("7", fallen.fidelity, LIMITS)
    assert (row["id"], row["used"], row["reason"]) == ("7", False, " ".join(fallen.reasons))


@pytest.mark.parametrize("fact", [fact for fact in Fidelity._fields[:-1] if fact != "added"])
def test_each_limit_has_its_sentence(fact: str) -> None:
    good = Fidelity(0.1, 0.1, 0.1, 0.99, 0.01, 0.99, 0.01, 0.99, 0.9)
    assert judge(good, LIMITS) == []
    bad = 0.1 if fact in ("edges_kept", "bone_kept", "structure") else 0.9
    assert len(judge(good._replace(**{fact: bad}), LIMITS)) == 1


def test_no_hand_flat_pictures_and_no_numbers(hand: Phantom) -> None:
    original = gray(hand)
    nowhere = np.zeros_like(hand.hand_mask)
    assert judge(measure_fidelity(original, original, nowhere, SETTINGS), LIMITS) == [
        "There is no hand to compare, or the enhanced picture holds values that are no numbers."
    ]
    assert not structure_change(original, original, nowhere, SETTINGS).any()
    broken = original.copy()
    broken[hand.hand_mask.nonzero()[0][0], hand.hand_mask.nonzero()[1][0]] = np.nan
    assert reasons(hand, broken)
    flat = np.full_like(original, 0.5)
    assert np.isfinite(measure_fidelity(flat, flat, hand.hand_mask, SETTINGS)).all()
    assert reasons(hand, flat)  # nothing of the hand is left


def test_pictures_of_two_sizes_cannot_be_compared(hand: Phantom) -> None:
    with pytest.raises(ValueError, match=r"original is \(256, 256\), the enhanced picture \(128, 128\)"):
        measure_fidelity(gray(hand), gray(hand)[::2, ::2], hand.hand_mask, SETTINGS)
