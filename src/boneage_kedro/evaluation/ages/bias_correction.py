"""Correction of ages that are drawn to the mean: a robust line from predicted to read age.

A network that is trained to small errors guesses the young too old and the old too young. A line that is fitted on
cases it has not learnt from, those of the calibration part, takes that back.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

MIN_CASES = 20  # fewer tell no slope from chance
ALL = "all"


class Line(NamedTuple):
    """Read age = ``intercept_months`` + ``slope`` * predicted age."""

    intercept_months: float
    slope: float


@dataclass(frozen=True)
class BiasCorrection:
    """A line for each sex, ``F`` and ``M``, or one for ``all``."""

    lines: Mapping[str, Line]

    def apply(self, sex: np.ndarray, predicted_months: np.ndarray) -> np.ndarray:
        """Corrected ages in months of cases with these sexes (n,) and predicted ages (n,).

        Raises:
            ValueError: a sex has no line.
        """
        names = np.full(len(sex), ALL) if ALL in self.lines else np.asarray(sex, str)
        if unknown := set(names) - set(self.lines):
            raise ValueError(
                f"the bias correction was fitted for sex {', '.join(sorted(self.lines))}, and there are cases of "
                f"{', '.join(sorted(unknown))}; fit it on both sexes, or by_sex: false"
            )
        intercepts, slopes = np.array([self.lines[name] for name in names]).reshape(-1, 2).T
        return intercepts + slopes * np.asarray(predicted_months, float)


def fit_bias_correction(calibration: pd.DataFrame, by_sex: bool) -> BiasCorrection:
    """Fit the lines on cases that the network has not learnt from.

    Args:
        calibration: ``sex``, ``bone_age_months`` and ``predicted_months``, up to some thousand cases.
        by_sex: a line for each sex that there is; else one for all.

    Raises:
        ValueError: a line would have fewer than `MIN_CASES` cases, an age is not finite, or ages do not rise with
            the predicted ones.
    """
    groups = calibration.groupby("sex") if by_sex else [(ALL, calibration)]
    lines = {
        str(name): _theil_sen(
            group["predicted_months"].to_numpy(float), group["bone_age_months"].to_numpy(float), str(name)
        )
        for name, group in groups
    }
    if not lines:
        raise ValueError(
            "there are no calibration cases to fit a bias correction on; see data_prep.splits.fractions"
        )
    return BiasCorrection(lines)


def _theil_sen(predicted: np.ndarray, read: np.ndarray, name: str) -> Line:
    """The median of the slopes of all pairs, and the line with that slope that leaves a median error of 0.

    P. K. Sen, J Am Stat Assoc 63 (1968) 1379: up to 29% of the cases may be grossly wrong.
    """
    if len(read) < MIN_CASES or not np.isfinite([predicted, read]).all():
        raise ValueError(
            f"a bias correction for {name} needs at least {MIN_CASES} calibration cases, all with finite ages; there "
            f"are {len(read)}, {int(np.isfinite([predicted, read]).all(0).sum())} of them finite"
        )
    first, second = np.triu_indices(len(read), 1)
    run, rise = predicted[second] - predicted[first], read[second] - read[first]
    slope = float(np.median(rise[run != 0] / run[run != 0])) if run.any() else 0.0
    if slope <= 0:
        raise ValueError(
            f"read ages of the {len(read)} calibration cases for {name} do not rise with the predicted ones (slope "
            f"{slope:.2f}), so no line can correct them; train the network longer"
        )
    return Line(float(np.median(read - slope * predicted)), slope)
