"""Groups of cases by sex and predicted age, each with an error quantile of its own (Mondrian conformal)."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd


class Group(NamedTuple):
    """Cases with a radius of their own.

    Attributes:
        sex: ``F``, ``M`` or ``all``.
        from_months: predicted age at which the group begins; it ends where the next one of that sex begins. The
            youngest and the oldest group are open.
        cases: of the calibration in it.
        radius: half the width of the intervals; in months, or with a difficulty in multiples of that.
    """

    sex: str
    from_months: float
    cases: int
    radius: float


def group_starts(
    cases: pd.DataFrame, by_sex: bool, band_months: float, least: int
) -> list[tuple[str, float]]:
    """Sex and youngest predicted age of each group, such that each has enough cases.

    Sexes stay together if one of them has too few in all. Then, while a band has too few, the smallest one (the
    youngest of several) is joined with the smaller of its neighbours in age.

    Args:
        cases: ``sex, predicted_months``.
        by_sex: whether sexes are told apart.
        band_months: width of the bands; 0 for one over all ages.
        least: cases that each group needs.
    """
    counts = cases["sex"].value_counts()
    apart = by_sex and counts.min() >= least
    starts = []
    for sex in sorted(counts.index) if apart else ["all"]:
        ages = cases.loc[(cases["sex"] == sex) | (sex == "all"), "predicted_months"].to_numpy(float)
        starts += [(sex, start) for start in _band_starts(ages, band_months, least)]
    return starts


def place(cases: pd.DataFrame, groups: Sequence[Group]) -> np.ndarray:
    """Index of the group of each case with ``sex, predicted_months``, (n,).

    Raises:
        ValueError: there is no group of a sex.
    """
    found = np.full(len(cases), -1)
    for sex in dict.fromkeys(group.sex for group in groups):
        rows = [i for i, group in enumerate(groups) if group.sex == sex]
        starts = np.array([groups[i].from_months for i in rows])
        mine = ((cases["sex"] == sex) | (sex == "all")).to_numpy()
        ages = cases["predicted_months"].to_numpy(float)[mine]
        found[mine] = np.array(rows)[np.maximum(np.searchsorted(starts, ages, side="right") - 1, 0)]
    if (found < 0).any():
        unknown = sorted(set(cases["sex"][found < 0]))
        raise ValueError(
            f"the intervals were not calibrated for sex {', '.join(unknown)}; calibrate with both"
        )
    return found


def _band_starts(ages: np.ndarray, band_months: float, least: int) -> list[float]:
    if band_months == 0:
        return [0.0]
    band = np.maximum(ages // band_months, 0).astype(int)
    counts = np.bincount(band).tolist()
    starts = [i * band_months for i in range(len(counts))]
    while len(counts) > 1 and min(counts) < least:
        i = counts.index(min(counts))
        neighbours = [j for j in (i - 1, i + 1) if 0 <= j < len(counts)]
        upper = max(i, min(neighbours, key=counts.__getitem__))
        counts[upper - 1 : upper + 1] = [counts[upper - 1] + counts[upper]]
        del starts[upper]
    return starts
