"""Planted inventions: local, seeded, and true to what they claim."""

from collections.abc import Callable
from functools import partial

import cv2
import numpy as np
import pytest

from boneage_kedro.cohort.sex import Sex
from boneage_kedro.phantom import Bone, Nuisance, Phantom, fabricate_hand
from boneage_kedro.phantom.inventions import (
    CARPALS,
    Invention,
    add_carpal,
    erase_carpal,
    erase_growth_plates,
    shift_bone,
)

Lie = Callable[[np.ndarray, Phantom, np.random.Generator], Invention]

LIES: dict[str, Lie] = {
    "plates": lambda picture, hand, rng: erase_growth_plates(picture, hand, 4, rng),
    "added": lambda picture, hand, rng: add_carpal(picture, hand, 0.6, rng),
    "erased": erase_carpal,
    "shifted": lambda picture, hand, rng: shift_bone(picture, hand, 3.0, rng),
}


def child(years: float = 4, mirrored: bool = False) -> Phantom:
    return fabricate_hand(12 * years, Sex.FEMALE, 3, 384, Nuisance(mirrored=mirrored))


def gray(hand: Phantom) -> np.ndarray:
    return hand.image.astype(np.float32) / 255


@pytest.fixture(scope="module")
def hand() -> Phantom:
    return child()


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
def test_changes_little_of_the_hand_and_keeps_the_range(hand: Phantom, lie: Lie) -> None:
    picture = gray(hand)
    before = picture.copy()
    invention = lie(picture, hand, np.random.default_rng(0))
    np.testing.assert_array_equal(picture, before)
    assert invention.picture.dtype == np.float32
    assert 0 <= invention.picture.min() <= invention.picture.max() <= 1
    assert 4 <= np.count_nonzero(invention.changed) < 0.02 * picture.size
    far = np.abs(invention.picture - picture)[~invention.changed]
    assert far.max() <= 0.02


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
def test_one_seed_one_lie(hand: Phantom, lie: Lie) -> None:
    first, again, other = (lie(gray(hand), hand, np.random.default_rng(seed)).picture for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_filled_growth_plate_is_as_bright_as_the_bone_beside_it(hand: Phantom) -> None:
    picture = gray(hand)
    invention = erase_growth_plates(picture, hand, 99, np.random.default_rng(0))
    assert not (hand.bones[invention.changed] > 0).mean() > 0.7
    assert (invention.picture >= picture - 1e-6).all()
    beside = cv2.dilate(invention.changed.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    bone = picture[beside & (hand.bones > 0) & ~invention.changed].mean()
    change = invention.picture - picture
    middle = change > 0.5 * change.max()  # a plate is a pixel or two thin, most of its pixels are its edges
    before, after = (shown[middle].mean() for shown in (picture, invention.picture))
    assert after > before + 0.5 * (bone - before)


@pytest.mark.parametrize("mirrored", [False, True])
def test_an_added_carpal_lies_where_it_will_appear(mirrored: bool) -> None:
    young, old = child(4, mirrored), child(16, mirrored)
    invention = add_carpal(gray(young), young, 0.6, np.random.default_rng(0))
    missing = [bone for bone in CARPALS if not (young.bones == bone).any()]
    middle = np.argwhere(invention.changed).mean(0)[::-1]

    def from_wrist(
        hand: Phantom, point: np.ndarray
    ) -> np.ndarray:  # in units of the palm, across and along it
        wrist, knuckle = hand.joints[0], hand.joints[9]
        along = (knuckle - wrist) / np.linalg.norm(knuckle - wrist) ** 2
        return np.array([(point - wrist) @ [-along[1], along[0]], (point - wrist) @ along])

    place = from_wrist(young, middle)
    places = [from_wrist(old, np.argwhere(old.bones == bone).mean(0)[::-1]) for bone in missing]
    assert min(np.linalg.norm(place - other) for other in places) < 0.05


def test_no_carpal_is_added_to_a_grown_hand_and_no_plate_erased() -> None:
    grown = child(17.5)
    for lie in (partial(add_carpal, size=0.5), partial(erase_growth_plates, count=3)):
        invention = lie(gray(grown), grown, rng=np.random.default_rng(0))
        assert not invention.changed.any()
        np.testing.assert_array_equal(invention.picture, gray(grown))


def test_no_carpal_is_erased_where_there_is_none() -> None:
    newborn = child(0.1)
    assert not erase_carpal(gray(newborn), newborn, np.random.default_rng(0)).changed.any()


def test_an_erased_carpal_gives_way_to_soft_tissue(hand: Phantom) -> None:
    picture = gray(hand)
    invention = erase_carpal(picture, hand, np.random.default_rng(0))
    assert np.isin(hand.bones[invention.changed], [0, *CARPALS]).all()
    assert invention.picture[invention.changed].mean() < picture[invention.changed].mean()


def test_a_bone_moves_as_far_as_asked() -> None:
    hand = child(6)
    picture = np.where(hand.bones == Bone.MIDDLE_3, 0.8, np.where(hand.hand_mask, 0.3, 0)).astype(np.float32)
    for seed in range(100):  # until the draw falls on this bone
        invention = shift_bone(picture, hand, 4.0, np.random.default_rng(seed))
        if invention.changed.sum() > 20:
            break
    before, after = (np.argwhere(shown > 0.55).mean(0) for shown in (picture, invention.picture))
    assert np.linalg.norm(after - before) == pytest.approx(4, abs=0.5)
