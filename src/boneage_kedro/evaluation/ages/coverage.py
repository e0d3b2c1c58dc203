"""How often prediction intervals held the read age, and how wide they were."""

from collections.abc import Iterator
from math import sqrt

import numpy as np
import pandas as pd

from boneage_kedro.evaluation.ages.metrics import band_name

_Z = 1.959964  # of the normal distribution, for 95%


def interval_coverage(cases: pd.DataFrame, band_months: float) -> pd.DataFrame:
    """Coverage and width of intervals: all cases, each sex, each band of **read** age, and each band by sex.

    Args:
        cases: ``sex, bone_age_months, lower_months, upper_months``, a row a case; both ends belong to the interval.

    Returns:
        a row a cohort: ``age_band`` (such as ``6-8 y``, or ``all``), ``sex`` (``F``, ``M`` or ``all``), ``cases``,
        ``coverage`` with its 95% binomial interval ``coverage_low, coverage_high`` (shares), ``mean_width`` and
        ``median_width`` in months.

    Raises:
        ValueError: there are no cases, or an interval ends before it begins or is not finite.
    """
    width = cases["upper_months"] - cases["lower_months"]
    if cases.empty or not (np.isfinite(width) & (width >= 0)).all():
        raise ValueError(
            f"need intervals with lower <= upper of at least one case; {int((~(width >= 0)).sum())} of {len(cases)} "
            "are none"
        )
    held = cases["bone_age_months"].between(cases["lower_months"], cases["upper_months"])
    measured = cases.assign(held=held, width=width)
    rows = [
        {"age_band": band, "sex": sex, **_measure(part)}
        for band, sex, part in age_and_sex_groups(measured, band_months)
    ]
    return pd.DataFrame(rows)


def age_and_sex_groups(cases: pd.DataFrame, band_months: float) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """All cases, each sex, each band of read age, and each band by sex, with the names of band and sex."""
    for band, part in _by_band(cases, band_months):
        for sex, of_sex in _by_sex(part):
            yield band, sex, of_sex


def binomial_interval(hits: int, trials: int) -> tuple[float, float]:
    """95% interval of Wilson (JASA 22 (1927) 209) of a probability, seen in so many hits of so many trials."""
    share, weight = hits / trials, _Z**2 / trials
    middle = (share + weight / 2) / (1 + weight)
    half = _Z * sqrt(share * (1 - share) / trials + weight / (4 * trials)) / (1 + weight)
    # at 0 and 1 the end is the share itself, but for rounding
    return min(share, max(0.0, middle - half)), max(share, min(1.0, middle + half))


def _measure(part: pd.DataFrame) -> dict[str, float]:
    low, high = binomial_interval(int(part["held"].sum()), len(part))
    return {
        "cases": len(part),
        "coverage": float(part["held"].mean()),
        "coverage_low": low,
        "coverage_high": high,
        "mean_width": float(part["width"].mean()),
        "median_width": float(part["width"].median()),
    }


def _by_band(cases: pd.DataFrame, band_months: float) -> Iterator[tuple[str, pd.DataFrame]]:
    yield "all", cases
    lower = cases["bone_age_months"] // band_months * band_months
    for start in sorted(lower.unique()):
        yield band_name(start, band_months), cases[lower == start]


def _by_sex(cases: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    yield "all", cases
    for sex, part in cases.groupby("sex"):
        yield str(sex), part
