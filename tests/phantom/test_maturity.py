"""The timetable: order of centres, girls ahead of boys, nothing ever goes back."""

import numpy as np
import pytest

from boneage_kedro.cohort.sex import Sex
from boneage_kedro.phantom.bones import LONG_BONES, Bone
from boneage_kedro.phantom.maturity import (
    FUSION_SD_MONTHS,
    MAX_SD,
    ONSET_SD_MONTHS,
    TIMETABLE,
    draw_variation,
    growth,
    shaft_maturity,
    stage,
)

AGES = np.arange(1, 229)


def test_every_bone_has_a_timing() -> None:
    assert set(TIMETABLE) == set(Bone)
    assert all((timing.fusion_end is not None) == (bone in LONG_BONES) for bone, timing in TIMETABLE.items())


@pytest.mark.parametrize("bone", list(Bone))
def test_girls_are_ahead_at_every_centre(bone: Bone) -> None:
    for milestone in TIMETABLE[bone]:
        assert milestone is None or milestone.female < milestone.male


@pytest.mark.parametrize("sex", list(Sex))
def test_milestones_of_a_centre_follow_one_another(sex: Sex) -> None:
    for timing in TIMETABLE.values():
        ages = [milestone.of(sex) for milestone in timing if milestone is not None]
        assert ages == sorted(ages)
        assert len(set(ages)) == len(ages)


@pytest.mark.parametrize("sex", list(Sex))
def test_known_order_of_appearance_and_fusion(sex: Sex) -> None:
    def onset(bone: Bone) -> float:
        return TIMETABLE[bone].onset.of(sex)

    def fused(bone: Bone) -> float:
        end = TIMETABLE[bone].fusion_end
        assert end is not None
        return end.of(sex)

    appearing = [Bone.CAPITATE, Bone.HAMATE, Bone.RADIUS, Bone.TRIQUETRUM, Bone.LUNATE, Bone.TRAPEZOID]
    appearing += [Bone.ULNA, Bone.PISIFORM, Bone.SESAMOID]
    assert [onset(b) for b in appearing] == sorted(onset(b) for b in appearing)
    fusing = [Bone.DISTAL_3, Bone.METACARPAL_1, Bone.PROXIMAL_3, Bone.MIDDLE_3, Bone.METACARPAL_3, Bone.ULNA]
    fusing += [Bone.RADIUS]
    assert [fused(b) for b in fusing] == sorted(fused(b) for b in fusing)


@pytest.mark.parametrize("sex", list(Sex))
@pytest.mark.parametrize("bone", list(Bone))
def test_stages_never_go_back(bone: Bone, sex: Sex) -> None:
    variation = draw_variation(np.random.default_rng(3))
    stages = np.array([stage(bone, float(age), sex, variation)[:4] for age in AGES])
    forwards = np.diff(stages, axis=0) * [1, 1, -1, 1]  # the gap closes
    assert forwards.min() >= 0
    assert stages.min() >= 0
    assert stages.max() <= 1


def test_stage_by_hand() -> None:
    before, open_plate, fused = (stage(Bone.RADIUS, age, Sex.MALE) for age in (12.9, 100, 217))
    assert before.size == 0
    # (100 - 13) / (120 - 13) of the way to full width
    assert open_plate.size == pytest.approx(0.2 + 0.8 * (87 / 107) ** 0.45)
    assert (open_plate.gap, open_plate.fusion, open_plate.scar) == (1, 0, 0)
    assert (fused.size, fused.fusion, fused.scar) == (1, 1, 1)


def test_variation_is_small_enough_to_read_the_age() -> None:
    drawn = [draw_variation(np.random.default_rng(seed)) for seed in range(200)]
    for bone in (Bone.TRIQUETRUM, Bone.RADIUS):
        onset = TIMETABLE[bone].onset.female
        limit = MAX_SD * min(0.1 * onset, ONSET_SD_MONTHS)
        assert all(stage(bone, onset - limit - 0.1, Sex.FEMALE, v).size == 0 for v in drawn)
        assert all(stage(bone, onset + limit + 0.1, Sex.FEMALE, v).size > 0 for v in drawn)
    end = TIMETABLE[Bone.RADIUS].fusion_end
    assert end is not None
    late = end.male + MAX_SD * FUSION_SD_MONTHS + 0.1
    assert all(stage(Bone.RADIUS, late, Sex.MALE, v).fusion == 1 for v in drawn)


def test_hands_grow_and_stop() -> None:
    for sex in Sex:
        sizes = [growth(float(age), sex) for age in AGES]
        assert np.diff(sizes).min() >= 0
        assert sizes[-1] == sizes[-12]
    assert growth(228, Sex.MALE) == 1 > growth(228, Sex.FEMALE)
    assert shaft_maturity(228, Sex.MALE) == 1
    assert shaft_maturity(99, Sex.FEMALE) > shaft_maturity(99, Sex.MALE)
