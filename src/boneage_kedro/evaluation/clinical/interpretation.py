"""What the bone age of one child, with its interval, says about that child, in numbers and in words."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from boneage_kedro.cohort.sex import Sex
from boneage_kedro.evaluation.clinical.determination import (
    Determination,
    brush_standard,
    determine,
    determine_between,
    sd_scores,
)

STANDARD_NAME = "Brush Foundation standards, as given with the atlas of Greulich and Pyle (2nd ed. 1959)"
_TABLE_ENDS = {Sex.FEMALE: "3 months to 16 years for girls", Sex.MALE: "3 months to 17 years for boys"}


class Interpretation(NamedTuple):
    """How a bone age compares with the chronological age; scores in standard deviations, nan where there is none.

    Attributes:
        sd_score: (bone age - chronological age) / SD of children of that age, as radiologists reckon.
        sd_lower, sd_upper: the same of the ends of the interval of the bone age.
        sd_score_from_mean: (bone age - mean bone age of children of that age) / SD, the other custom.
        mean_months, sd_months: of the bone age of children of that sex and age.
        determination: of ``sd_score``.
        remarks: what a reader must know to take the determination for no more than it is.
    """

    sd_score: float
    sd_lower: float
    sd_upper: float
    sd_score_from_mean: float
    mean_months: float
    sd_months: float
    determination: Determination
    remarks: tuple[str, ...]


_NAN = float("nan")
NOT_INTERPRETED = Interpretation(_NAN, _NAN, _NAN, _NAN, _NAN, _NAN, Determination.UNKNOWN, ())
"""Of a case whose sex is not known."""


def interpret(
    sex: str, bone_age_months: float, interval_months: tuple[float, float], chronological_age_months: float
) -> Interpretation:
    """Compare a bone age with what is usual at the child's age (`boneage_kedro.evaluation.clinical.determination`).

    Without a bone age or a chronological age the determination is unknown, and outside the standards it is
    indeterminate.

    Args:
        sex: ``F`` or ``M``.
        bone_age_months, chronological_age_months: nan where not known.
        interval_months: lower and upper end about the bone age; nan where there is none.

    Raises:
        ValueError: the sex is neither F nor M, or the interval ends below its begin.
    """
    ages = np.array([bone_age_months, *interval_months, bone_age_months])
    given = np.full(3, chronological_age_months)
    score, low, high = sd_scores(ages[:3], given, [sex] * 3, "chronological_age").tolist()
    (from_mean,) = sd_scores(ages[:1], given[:1], [sex], "mean_bone_age").tolist()
    mean, sd = (values.item() for values in brush_standard([sex], given[:1]))
    determination = determine(score)
    if np.isnan(bone_age_months) or np.isnan(chronological_age_months):
        determination = Determination.UNKNOWN
        remarks: list[str] = []
    elif np.isnan(sd):
        remarks = [f"the chronological age lies outside the standards ({_TABLE_ENDS[Sex(sex)]})"]
    else:
        remarks = [*_borderline(low, high), *_other_custom(score, from_mean)]
    return Interpretation(score, low, high, from_mean, mean, sd, determination, tuple(remarks))


def _borderline(low: float, high: float) -> list[str]:
    if np.isnan(low) or np.isnan(high):
        return []
    leaves_open = determine_between(low, high)
    if len(leaves_open) == 1:
        return []
    return [f"borderline: the SD score lies between {low:+.1f} and {high:+.1f}, {' or '.join(leaves_open)}"]


def _other_custom(score: float, from_mean: float) -> list[str]:
    verdict = determine(from_mean)
    if verdict == determine(score):
        return []
    return [f"about the mean bone age of children of this age the SD score is {from_mean:+.1f}, {verdict}"]


def age_text(months: float) -> str:
    """An age in whole months as it is said: ``7 years 4 months``, ``11 months``; empty for nan."""
    if np.isnan(months):
        return ""
    if np.isinf(months):
        return "no limit"
    whole = round(months)
    if whole < 0:
        return "less than 0 months"
    years, rest = divmod(whole, 12)
    parts = [_counted(years, "year")] if years else []
    return " ".join([*parts, _counted(rest, "month")])


def _counted(number: int, unit: str) -> str:
    return f"{number} {unit}" + ("" if number == 1 else "s")


def impression(determination: str, score: float) -> str:
    """The sentence in which a report sums up, for a determination in the words of RadElement RDES14."""
    return _IMPRESSIONS[Determination(determination)].format(score=score)


_IMPRESSIONS: Mapping[Determination, str] = {
    Determination.DELAYED: "Delayed: the bone age is more than 2 SD below the chronological age ({score:+.1f} SD).",
    Determination.NORMAL: "Normal: the bone age is within 2 SD of the chronological age ({score:+.1f} SD).",
    Determination.ADVANCED: "Advanced: the bone age is more than 2 SD above the chronological age ({score:+.1f} SD).",
    Determination.INDETERMINATE: "Indeterminate: the bone age cannot be judged against the chronological age.",
    Determination.UNKNOWN: "Unknown: there is no bone age or no chronological age to compare.",
}
