"""When each ossification centre appears, grows and fuses, by sex.

The timetable is an approximation for drawing, not a standard for reading. Ages at appearance are medians after
Garn SM, Rohmann CG, Silverman FN, Med Radiogr Photogr 1967;43:45-66, rounded; ages at fusion and the widths of
the epiphyses in between follow the plates and text of Greulich & Pyle, Radiographic Atlas of Skeletal Development
of the Hand and Wrist (2nd ed., 1959) and Gilsanz & Ratib, Hand Bone Age (2005), read to about half a year. What
they agree on, and the tests hold, is the order: girls ahead of boys at every centre; capitate and hamate first;
fusion from the distal phalanges over the first metacarpal, the proximal and middle phalanges and the other
metacarpals to the ulna and last the radius.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from boneage_kedro.cohort.sex import Sex
from boneage_kedro.phantom.bones import Bone


class BySex(NamedTuple):
    """An age in months for girls and for boys."""

    female: float
    male: float

    def of(self, sex: Sex) -> float:
        """Age of one sex, months."""
        return self.female if sex is Sex.FEMALE else self.male


class Timing(NamedTuple):
    """Milestones of one centre: a carpal or the sesamoid has no fusion."""

    onset: BySex
    full_size: BySex
    fusion_start: BySex | None = None
    fusion_end: BySex | None = None


class Stage(NamedTuple):
    """State of one centre at one age.

    Attributes:
        size: 0 before it appears, then 0.2 up to 1 at full width.
        thickness: 0 before it appears, up to 1 when the cap is as thick as it will be.
        gap: openness of the growth plate, 1 for the child's, narrowing to 0.3 before fusion sets in.
        fusion: bridged part of the growth plate, 0 open to 1 fused.
        scar: strength of the dense line a recently closed plate leaves, 0 to 1.
    """

    size: float
    thickness: float
    gap: float
    fusion: float
    scar: float


# Onset and full size, then start and end of fusion; each pair is (girls, boys) in months.
TIMETABLE: dict[Bone, Timing] = {
    Bone.CAPITATE: Timing(BySex(2, 3), BySex(140, 164)),
    Bone.HAMATE: Timing(BySex(2.5, 4), BySex(142, 166)),
    Bone.TRIQUETRUM: Timing(BySex(21, 29), BySex(142, 166)),
    Bone.LUNATE: Timing(BySex(31, 49), BySex(142, 168)),
    Bone.TRAPEZIUM: Timing(BySex(49, 70), BySex(146, 170)),
    Bone.SCAPHOID: Timing(BySex(50, 68), BySex(146, 170)),
    Bone.TRAPEZOID: Timing(BySex(51, 74), BySex(144, 168)),
    Bone.PISIFORM: Timing(BySex(106, 132), BySex(156, 180)),
    Bone.SESAMOID: Timing(BySex(129, 153), BySex(168, 192)),
    Bone.RADIUS: Timing(BySex(10, 13), BySex(96, 120), BySex(188, 204), BySex(203, 217)),
    Bone.ULNA: Timing(BySex(66, 82), BySex(130, 152), BySex(182, 198), BySex(198, 213)),
    Bone.METACARPAL_1: Timing(BySex(19, 31), BySex(92, 116), BySex(160, 184), BySex(172, 196)),
    Bone.METACARPAL_2: Timing(BySex(13, 19), BySex(90, 112), BySex(170, 192), BySex(185, 207)),
    Bone.METACARPAL_3: Timing(BySex(14, 21), BySex(91, 113), BySex(170, 192), BySex(185, 207)),
    Bone.METACARPAL_4: Timing(BySex(15, 24), BySex(92, 114), BySex(171, 193), BySex(186, 208)),
    Bone.METACARPAL_5: Timing(BySex(16, 26), BySex(93, 115), BySex(171, 193), BySex(186, 208)),
    Bone.PROXIMAL_1: Timing(BySex(20, 34), BySex(88, 112), BySex(166, 188), BySex(178, 200)),
    Bone.PROXIMAL_2: Timing(BySex(11, 17), BySex(82, 104), BySex(167, 189), BySex(179, 202)),
    Bone.PROXIMAL_3: Timing(BySex(10, 16), BySex(81, 103), BySex(167, 189), BySex(179, 202)),
    Bone.PROXIMAL_4: Timing(BySex(11, 18), BySex(82, 104), BySex(167, 189), BySex(179, 202)),
    Bone.PROXIMAL_5: Timing(BySex(14, 22), BySex(84, 106), BySex(167, 189), BySex(180, 203)),
    Bone.MIDDLE_2: Timing(BySex(16, 26), BySex(92, 114), BySex(168, 191), BySex(182, 205)),
    Bone.MIDDLE_3: Timing(BySex(15, 24), BySex(90, 112), BySex(168, 191), BySex(182, 205)),
    Bone.MIDDLE_4: Timing(BySex(15, 25), BySex(91, 113), BySex(168, 191), BySex(182, 205)),
    Bone.MIDDLE_5: Timing(BySex(22, 40), BySex(98, 120), BySex(168, 191), BySex(182, 205)),
    Bone.DISTAL_1: Timing(BySex(12, 18), BySex(90, 112), BySex(154, 178), BySex(166, 190)),
    Bone.DISTAL_2: Timing(BySex(30, 38), BySex(100, 120), BySex(155, 180), BySex(167, 192)),
    Bone.DISTAL_3: Timing(BySex(18, 29), BySex(96, 116), BySex(155, 180), BySex(167, 192)),
    Bone.DISTAL_4: Timing(BySex(18, 29), BySex(96, 116), BySex(155, 180), BySex(167, 192)),
    Bone.DISTAL_5: Timing(BySex(24, 40), BySex(102, 124), BySex(155, 180), BySex(168, 193)),
}

# Individual variation: far below Garn's spread, on purpose. With some thirty centres to read, each within these
# limits, the age stays readable to about two months.
ONSET_SD_SHARE = 0.1  # of the age at onset
ONSET_SD_MONTHS = 2.0  # and never more than this
FUSION_SD_MONTHS = 1.5
MAX_SD = 2.0

SMALLEST_NUCLEUS = 0.2
WIDTH_POWER, THICKNESS_POWER = 0.45, 0.5  # of the time between onset and full size: growth is fast at first
NARROWING_MONTHS = 30.0  # the plate narrows this long before it starts to fuse
NARROWED_GAP = 0.3
SCAR_MONTHS = 30.0


@dataclass(frozen=True)
class Variation:
    """How far each centre of one child is ahead (negative) or behind (positive), in standard deviations."""

    z: dict[Bone, float]


NO_VARIATION = Variation(dict.fromkeys(TIMETABLE, 0.0))


def draw_variation(rng: np.random.Generator) -> Variation:
    """Draw one child's deviations from the timetable, normal and cut off at `MAX_SD`."""
    z = np.clip(rng.standard_normal(len(TIMETABLE)), -MAX_SD, MAX_SD)
    return Variation(dict(zip(TIMETABLE, z.tolist(), strict=True)))


def stage(bone: Bone, age_months: float, sex: Sex, variation: Variation = NO_VARIATION) -> Stage:
    """State of a bone's centre (a long bone's epiphysis) at an age; every figure is monotone in age."""
    timing, z = TIMETABLE[bone], variation.z[bone]
    onset = timing.onset.of(sex)
    onset += z * min(ONSET_SD_SHARE * onset, ONSET_SD_MONTHS)
    if age_months < onset:
        return Stage(size=0, thickness=0, gap=1, fusion=0, scar=0)
    grown = min(1.0, (age_months - onset) / (timing.full_size.of(sex) - onset))
    size = SMALLEST_NUCLEUS + (1 - SMALLEST_NUCLEUS) * grown**WIDTH_POWER
    if timing.fusion_start is None or timing.fusion_end is None:
        return Stage(size, size, gap=1, fusion=0, scar=0)
    start = timing.fusion_start.of(sex) + z * FUSION_SD_MONTHS
    end = timing.fusion_end.of(sex) + z * FUSION_SD_MONTHS
    narrowing = _progress(age_months, start - NARROWING_MONTHS, start)
    thickness = SMALLEST_NUCLEUS + (1 - SMALLEST_NUCLEUS) * grown**THICKNESS_POWER
    return Stage(
        size,
        thickness,
        gap=1 - (1 - NARROWED_GAP) * narrowing,
        fusion=_progress(age_months, start, end),
        scar=_progress(age_months, start, end) * (1 - _progress(age_months, end, end + SCAR_MONTHS)),
    )


def growth(age_months: float, sex: Sex) -> float:
    """Length of the hand as a part of the adult man's, 0.33 at birth to 1 (a woman's ends at 0.93).

    Rounded from the hand lengths of Feingold M, Bossert WH, Birth Defects Orig Artic Ser 1974;10(13).
    """
    years = age_months / 12
    if sex is Sex.FEMALE:
        return float(np.interp(years, [0, 1, 2, 4, 6, 8, 10, 12, 14, 16], _GROWTH_FEMALE))
    return float(np.interp(years, [0, 1, 2, 4, 6, 8, 10, 12, 14, 16, 18], _GROWTH_MALE))


_GROWTH_FEMALE = [0.33, 0.45, 0.52, 0.60, 0.68, 0.75, 0.82, 0.89, 0.92, 0.93]
_GROWTH_MALE = [0.33, 0.46, 0.53, 0.61, 0.69, 0.755, 0.82, 0.885, 0.955, 0.99, 1.0]


def shaft_maturity(age_months: float, sex: Sex) -> float:
    """How far the shafts have grown into their cartilage ends, 0 at birth to 1 at the end of growth."""
    return min(1.0, age_months / (174 if sex is Sex.FEMALE else 198)) ** 0.6


def _progress(age: float, start: float, end: float) -> float:
    return min(1.0, max(0.0, (age - start) / (end - start)))
