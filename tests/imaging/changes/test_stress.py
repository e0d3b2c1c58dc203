from typing import get_type_hints

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from boneage_kedro.cohort.sex import Sex
from boneage_kedro.imaging.changes.stress import (
    PAPER_KINDS,
    UNCHANGED,
    StressSettings,
    Transformation,
    list_transformations,
)
from boneage_kedro.imaging.formats.decoding import MIN_SIDE_PX
from boneage_kedro.imaging.preparation.prepare import PreparationSettings, prepare
from boneage_kedro.imaging.radiograph import Radiograph
from boneage_kedro.phantom import Nuisance, fabricate_hand
from tests.imaging.changes.stress_settings import AS_SHIPPED, SETTINGS

ALL = list_transformations(SETTINGS)
BY_NAME = {transformation.name: transformation for transformation in ALL}
PREPARATION: PreparationSettings = {**AS_SHIPPED, "canvas_px": 128}


@pytest.fixture(scope="module")
def hand() -> np.ndarray:
    return fabricate_hand(120, Sex.FEMALE, 5, 256, Nuisance(marker=True)).image


def test_every_kind_of_the_settings_is_tried_at_every_level() -> None:
    kinds = [transformation.kind for transformation in ALL]
    assert kinds[0] == UNCHANGED
    assert len(ALL) - 1 == 41
    assert {kind: kinds.count(kind) for kind in ("rotation", "cut", "frame", "inversion")} == {
        "rotation": 8,
        "cut": 4,
        "frame": 2,
        "inversion": 1,
    }
    assert set(PAPER_KINDS) < set(kinds)
    assert set(SETTINGS) == set(get_type_hints(StressSettings))


def test_a_kind_without_levels_is_left_out() -> None:
    empty = {key: [] for key in SETTINGS} | {"seed": 1, "inversion": False, "laterality": False}
    assert [one.name for one in list_transformations(empty)] == [UNCHANGED]  # type: ignore[arg-type]
    two = empty | {"inversion": True, "brightness": [0.1]}
    assert [one.name for one in list_transformations(two)] == [  # type: ignore[arg-type]
        UNCHANGED,
        "negative",
        "brightness +10%",
    ]


def test_levels_that_read_alike_are_refused() -> None:
    with pytest.raises(ValueError, match=r"stress has noise 5% twice; give levels that differ"):
        list_transformations({**SETTINGS, "noise": [0.05, 0.051]})


@pytest.mark.parametrize(
    ("key", "level", "message"),
    [
        ("contrast", 0.0, "at least"),
        ("jpeg_quality", 101, "at most 100"),
        ("cut_bottom", 0.6, "at most 0.45"),
        ("flip", "diagonal", "'horizontal' or 'vertical'"),
        ("resolution", 2.0, "at most 1"),
    ],
)
def test_levels_out_of_range_are_refused(key: str, level: object, message: str) -> None:
    checker = TypeAdapter(StressSettings)
    checker.validate_python(SETTINGS, strict=True)
    with pytest.raises(ValidationError, match=message):
        checker.validate_python({**SETTINGS, key: [level]}, strict=True)


@pytest.mark.parametrize("transformation", ALL, ids=lambda one: one.name)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_each_gives_a_radiograph_of_the_same_type(
    transformation: Transformation, dtype: type, hand: np.ndarray
) -> None:
    given = hand.astype(dtype) * dtype(1 if dtype == np.uint8 else 16)
    kept = given.copy()
    changed = transformation.apply(given, "case")
    assert changed.dtype == dtype
    assert changed.ndim == 2
    assert changed.flags["C_CONTIGUOUS"]
    assert np.isfinite(changed).all()
    assert np.array_equal(given, kept)
    same = changed.shape == given.shape and np.array_equal(changed, given)
    assert same == (transformation.kind == UNCHANGED)


@pytest.mark.parametrize("transformation", ALL, ids=lambda one: one.name)
def test_each_survives_the_smallest_and_the_flattest_picture(transformation: Transformation) -> None:
    least = np.zeros((MIN_SIDE_PX, MIN_SIDE_PX), np.uint8)
    for pixels in (least, np.full((90, 16), 4000, np.uint16), np.ones((16, 40), np.float32)):
        changed = transformation.apply(pixels, "case")
        assert changed.size
        assert np.isfinite(changed).all()


def test_chance_depends_on_the_case_and_the_seed_alone(hand: np.ndarray) -> None:
    noise = BY_NAME["noise 5%"]
    first = noise.apply(hand, "a")
    assert np.array_equal(first, noise.apply(hand, "a"))
    assert not np.array_equal(first, noise.apply(hand, "b"))
    other = {one.name: one for one in list_transformations({**SETTINGS, "seed": 8})}
    assert not np.array_equal(first, other["noise 5%"].apply(hand, "a"))
    fewer = {one.name: one for one in list_transformations({**SETTINGS, "rotation_deg": []})}
    assert np.array_equal(first, fewer["noise 5%"].apply(hand, "a"))


@pytest.mark.parametrize(
    "name",
    [
        "negative",
        "rotated +90 deg",
        "rotated +180 deg",
        "rotated +270 deg",
        "flipped horizontal",
        "flipped vertical",
    ],
)
def test_the_preparation_takes_turns_and_negatives_back(name: str, hand: np.ndarray) -> None:
    plain, changed = (
        prepare(Radiograph(pixels, None, None, None, False), PREPARATION).image.astype(int)
        for pixels in (hand, BY_NAME[name].apply(hand, "case"))
    )
    assert np.abs(changed - plain).mean() < 1
