"""Conformal prediction intervals for ages: a band around each prediction that holds the read age as promised.

Split conformal prediction (Papadopoulos et al. 2002; Lei et al., JASA 113 (2018) 1094): the radius is a quantile of
the errors on calibration cases that the network did not learn from. If new cases come from where these came from, the
interval holds the read age with at least the chosen probability, whatever the network is like. Two ways make the
radius follow the case: errors are divided by a `Difficulty` first, and each group of cases gets a quantile of its own
(Mondrian; Vovk et al., Algorithmic Learning in a Random World, 2005, section 4.5). Groups are by sex and by
**predicted** age, as the true age is not known when an interval is asked for.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import ceil
from typing import Annotated, Any, Literal, Self

import numpy as np
import pandas as pd
from typing_extensions import TypedDict

from boneage_kedro.evaluation.ages.difficulty import Difficulty
from boneage_kedro.evaluation.ages.mondrian import Group, group_starts, place
from boneage_kedro.limits import Count, NotNegative, Within

Quantile = Literal["guaranteed", "interpolated"]

_FOLDS = 5  # in which the difficulty is fitted to score the cases of the others


class IntervalSettings(TypedDict):
    """How intervals are calibrated.

    ``coverage`` is the share of cases whose read age they are to hold. ``quantile`` is ``guaranteed``, the rounded-up
    one that holds at least as many on average, or ``interpolated``, which holds as many and not more; they differ
    where a group has few cases. With ``normalise`` errors are held against their `Difficulty`, which is fitted with
    ``ridge_cases``. Groups are by sex if ``by_sex``, and by bands of ``band_months`` of predicted age, 0 for no
    bands; each has at least ``least_cases``. The radius of a group of n cases is drawn towards that of all, as if
    ``shrink_cases`` more had it; 0 leaves it as it is, and only that keeps the guarantee for each group.
    """

    coverage: Annotated[float, Within(0.5, 0.999)]
    quantile: Quantile
    normalise: bool
    ridge_cases: NotNegative
    by_sex: bool
    band_months: NotNegative
    least_cases: Count
    shrink_cases: NotNegative


@dataclass(frozen=True)
class IntervalCalibration:
    """All that makes intervals for new predictions; `as_dict` gives plain values for JSON."""

    coverage: float
    cases: int
    difficulty: Difficulty | None
    groups: tuple[Group, ...]

    def radius(self, cases: pd.DataFrame) -> np.ndarray:
        """Half the width of the interval in months, (n,).

        Args:
            cases: ``sex, predicted_months``.

        Raises:
            ValueError: a prediction is not finite, or a sex was not calibrated.
        """
        _check_finite(cases, "predicted_months")
        radii = np.array([group.radius for group in self.groups])[place(cases, self.groups)]
        return radii if self.difficulty is None else radii * self.difficulty.expect(cases)

    def interval(self, cases: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper ends in months, (n,) each, the lower not below 0; arguments and errors as `radius`."""
        radius, ages = self.radius(cases), cases["predicted_months"].to_numpy(float)
        return np.maximum(ages - radius, 0), np.maximum(ages + radius, 0)

    def scaled(self, factor: float) -> Self:
        """The same with all radii times a factor (see `ensemble_factor`)."""
        return replace(self, groups=tuple(g._replace(radius=g.radius * factor) for g in self.groups))

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "coverage": self.coverage,
            "cases": self.cases,
            "difficulty": self.difficulty.as_dict() if self.difficulty else None,
            "groups": [group._asdict() for group in self.groups],
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """What `as_dict` gave."""
        difficulty = values["difficulty"]
        return cls(
            values["coverage"],
            values["cases"],
            Difficulty.from_dict(difficulty) if difficulty else None,
            tuple(Group(**group) for group in values["groups"]),
        )


def calibrate(cases: pd.DataFrame, settings: IntervalSettings) -> IntervalCalibration:
    """Intervals from the errors on cases that the network did not learn from.

    These may be the calibration part, or the predictions of each case by the network of the fold that left it out
    (cross-conformal; Vovk, Ann Math Artif Intell 74 (2015) 9). Difficulty and errors come from the same cases: each
    is scored with a difficulty that was fitted without its fifth of them.

    Args:
        cases: ``sex, bone_age_months, predicted_months``, one row a child.

    Raises:
        ValueError: ages are not finite, or there are too few cases for the coverage.
    """
    for column in ("bone_age_months", "predicted_months"):
        _check_finite(cases, column)
    needed = least_count(settings["coverage"])
    if len(cases) < needed:
        raise ValueError(
            f"{settings['coverage']:.0%} intervals need at least {needed} calibration cases, got {len(cases)}; give "
            "the calibration part more, or ask for a lower coverage"
        )
    error = (cases["predicted_months"] - cases["bone_age_months"]).abs().to_numpy(float)
    difficulty = None
    if settings["normalise"]:
        error = error / _difficulty_without(cases, settings["ridge_cases"])
        difficulty = Difficulty.fit(cases, settings["ridge_cases"])
    least = max(settings["least_cases"], needed)
    groups = [
        Group(*start, 0, 0.0)
        for start in group_starts(cases, settings["by_sex"], settings["band_months"], least)
    ]
    radii = _radii(error, place(cases, groups), settings)
    groups = [group._replace(cases=n, radius=r) for group, (n, r) in zip(groups, radii, strict=True)]
    return IntervalCalibration(settings["coverage"], len(cases), difficulty, tuple(groups))


def least_count(coverage: float) -> int:
    """The fewest cases whose largest error is a radius of that coverage."""
    return ceil(coverage / (1 - coverage) - 1e-9)


def conformal_quantile(scores: np.ndarray, coverage: float, quantile: Quantile = "guaranteed") -> float:
    """The value that a new score exceeds with a probability of at most 1 - coverage.

    Of n scores in order it is number (n + 1) coverage, counted from 1: the next one (``guaranteed``), or between the
    two neighbours (``interpolated``), so that the probability is that on average.

    Raises:
        ValueError: there are too few scores.
    """
    rank = (len(scores) + 1) * coverage - 1e-9
    if rank > len(scores):
        raise ValueError(f"{coverage:.0%} needs at least {least_count(coverage)} scores, got {len(scores)}")
    ordered = np.sort(scores)
    if quantile == "guaranteed":
        return float(ordered[ceil(rank) - 1])
    return float(np.interp(rank, np.arange(1, len(ordered) + 1), ordered))


def ensemble_factor(truth: np.ndarray, ensemble: np.ndarray, members: np.ndarray) -> float:
    """How much smaller the errors of an ensemble are than those of its members, on cases that none learnt from.

    Errors of folds on what they left out are those of single networks; the mean of the folds does better, and
    intervals calibrated on them are too wide for it. As both are measured on the same cases, few are needed for the
    ratio.

    Args:
        truth, ensemble: (n,) read ages, and ages by the mean of the members.
        members: (n, k) ages by each.

    Returns:
        the ratio of mean absolute errors, for `IntervalCalibration.scaled`.
    """
    single = np.abs(members - truth[:, None]).mean()
    return float(np.abs(ensemble - truth).mean() / single) if single > 0 else 1.0


def _difficulty_without(cases: pd.DataFrame, ridge_cases: float) -> np.ndarray:
    """Expected error of each case by a difficulty that was fitted without it; folds are dealt by predicted age."""
    fold = np.argsort(np.argsort(cases["predicted_months"].to_numpy(), kind="stable")) % _FOLDS
    expected = np.empty(len(cases))
    for i in np.unique(fold):
        out = fold == i
        expected[out] = Difficulty.fit(cases[~out], ridge_cases).expect(cases[out])
    return expected


def _radii(scores: np.ndarray, group: np.ndarray, settings: IntervalSettings) -> list[tuple[int, float]]:
    """Cases and radius of each group, the latter drawn towards that of all in the logarithm."""
    coverage, quantile = settings["coverage"], settings["quantile"]
    common = conformal_quantile(scores, coverage, quantile)
    found = []
    for i in range(group.max() + 1):
        mine = scores[group == i]
        own = conformal_quantile(mine, coverage, quantile)
        share = len(mine) / (len(mine) + settings["shrink_cases"])
        found.append((len(mine), float(own**share * common ** (1 - share))))
    return found


def _check_finite(cases: pd.DataFrame, column: str) -> None:
    bad = ~np.isfinite(cases[column].to_numpy(float))
    if bad.any():
        raise ValueError(f"{column} of {np.count_nonzero(bad)} of {len(cases)} cases is not finite")
