"""What a bone age means for a child: how far it lies from what is usual at its age, and the name for that.

The standards are those of the Brush Foundation study as given with the atlas of Greulich WW and Pyle SI,
Radiographic Atlas of Skeletal Development of the Hand and Wrist (2nd ed. 1959): mean and standard deviation of the
bone age of healthy children from Cleveland, born about 1930, by sex and chronological age. The standard deviations
were compared with two public copies of the table, the means were not, and nobody has held either against the book.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Literal, NamedTuple

import numpy as np

from boneage_kedro.cohort.sex import Sex

NORMAL_SD = 2.0  # standard deviations to either side that count as normal

Centre = Literal["chronological_age", "mean_bone_age"]
"""What the SD score is 0 at: the child's own age, as radiologists reckon, or the mean bone age of children of it.

The two differ by up to 0.66 SD (boys of 9 years), enough to turn a verdict; say which one was used.
"""

# Chronological age, mean bone age, standard deviation; months.
_BOYS = (
    (3, 3.01, 0.69),
    (6, 6.09, 1.13),
    (9, 9.56, 1.43),
    (12, 12.74, 1.97),
    (18, 19.36, 3.52),
    (24, 25.97, 3.92),
    (30, 32.40, 4.52),
    (36, 38.21, 5.08),
    (42, 43.89, 5.40),
    (48, 49.04, 6.66),
    (54, 56.00, 8.36),
    (60, 62.43, 8.79),
    (72, 75.46, 9.17),
    (84, 88.20, 8.91),
    (96, 101.38, 9.10),
    (108, 113.90, 9.00),
    (120, 125.68, 9.79),
    (132, 137.32, 10.09),
    (144, 148.82, 10.38),
    (156, 158.39, 10.44),
    (168, 170.02, 10.72),
    (180, 182.72, 11.32),
    (192, 195.32, 12.86),
    (204, 206.21, 13.05),
)
_GIRLS = (
    (3, 3.02, 0.72),
    (6, 6.04, 1.16),
    (9, 9.05, 1.36),
    (12, 12.04, 1.77),
    (18, 18.22, 3.49),
    (24, 24.16, 4.64),
    (30, 30.96, 5.37),
    (36, 36.63, 5.97),
    (42, 43.50, 7.48),
    (48, 50.14, 8.98),
    (54, 60.06, 10.73),
    (60, 66.21, 11.65),
    (72, 78.50, 10.23),
    (84, 89.30, 9.64),
    (96, 100.66, 10.23),
    (108, 113.86, 10.74),
    (120, 125.66, 11.73),
    (132, 137.86, 11.94),
    (144, 149.62, 10.24),
    (156, 162.28, 10.67),
    (168, 174.25, 11.30),
    (180, 183.62, 9.23),
    (192, 189.44, 7.31),
)
_TABLES = {Sex.MALE: np.array(_BOYS), Sex.FEMALE: np.array(_GIRLS)}


class Determination(StrEnum):
    """The verdict on a bone age, in the words of RadElement RDES14 "pediatric bone age"."""

    DELAYED = "delayed"
    NORMAL = "normal"
    ADVANCED = "advanced"
    INDETERMINATE = "indeterminate"
    UNKNOWN = "unknown"


class Standard(NamedTuple):
    """Mean and standard deviation of the bone age at chronological ages, (n,) in months; nan outside the table."""

    mean_months: np.ndarray
    sd_months: np.ndarray


def brush_standard(sex: Sequence[str] | np.ndarray, chronological_age_months: np.ndarray) -> Standard:
    """The standard for each child, linear between the ages of the table.

    Args:
        sex: (n,) ``F`` or ``M``.
        chronological_age_months: (n,); nan where it is not known.

    Returns:
        nan for an age that is not known, under 3 months, or over 16 years for girls and 17 for boys.

    Raises:
        ValueError: there are not as many sexes as ages, or one is not F or M.
    """
    sexes, ages = np.asarray(sex, str), np.asarray(chronological_age_months, float)
    if sexes.shape != ages.shape or sexes.ndim != 1:
        raise ValueError(f"need two equally long rows, got {sexes.shape} sexes and {ages.shape} ages")
    if unknown := set(sexes.tolist()) - set(map(str, _TABLES)):
        raise ValueError(f"sex must be F or M, got {sorted(unknown)}")
    mean, sd = np.full(ages.shape, np.nan), np.full(ages.shape, np.nan)
    for of_sex, table in _TABLES.items():
        mine = sexes == of_sex
        for column, values in ((1, mean), (2, sd)):
            values[mine] = np.interp(ages[mine], table[:, 0], table[:, column], left=np.nan, right=np.nan)
    return Standard(mean, sd)


def sd_scores(
    bone_age_months: np.ndarray,
    chronological_age_months: np.ndarray,
    sex: Sequence[str] | np.ndarray,
    centre: Centre,
) -> np.ndarray:
    """How many standard deviations each bone age lies above what is usual at the child's age.

    The ends of an interval of the bone age give the ends of the interval of its score.

    Args:
        bone_age_months, chronological_age_months: (n,) months.
        sex: (n,) ``F`` or ``M``.
        centre: see `Centre`.

    Returns:
        (n,); nan where an age is not known, or the chronological one is outside the table (`brush_standard`).

    Raises:
        ValueError: as `brush_standard`.
    """
    standard = brush_standard(sex, chronological_age_months)
    usual = standard.mean_months if centre == "mean_bone_age" else np.asarray(chronological_age_months, float)
    return (np.asarray(bone_age_months, float) - usual) / standard.sd_months


def determine(score: float) -> Determination:
    """The verdict on one SD score: within 2 SD, both ends included, is normal; nan is indeterminate."""
    if np.isnan(score):
        return Determination.INDETERMINATE
    if abs(score) <= NORMAL_SD:
        return Determination.NORMAL
    return Determination.ADVANCED if score > 0 else Determination.DELAYED


def determine_between(low: float, high: float) -> list[Determination]:
    """The verdicts that an interval of SD scores leaves open, from delayed to advanced; more than one is borderline.

    Raises:
        ValueError: ``low`` is above ``high``.
    """
    if low > high:
        raise ValueError(f"the interval of SD scores ends below its begin: {low:g} to {high:g}")
    ends = determine(low), determine(high)
    if Determination.INDETERMINATE in ends:
        return [Determination.INDETERMINATE]
    ordered = [Determination.DELAYED, Determination.NORMAL, Determination.ADVANCED]
    return ordered[ordered.index(ends[0]) : ordered.index(ends[1]) + 1]
