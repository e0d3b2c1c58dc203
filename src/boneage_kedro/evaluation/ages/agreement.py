"""Agreement of predicted with read ages: the analysis of Bland and Altman."""

import numpy as np
import pandas as pd

LIMIT = 1.959964
"""Standard deviations from the bias to the limits of agreement, which hold 95% of normal differences."""

_DRAWS = 2000
_LEAST = 3  # cases that a standard deviation means anything of


def bland_altman(truth: np.ndarray, predicted: np.ndarray, seed: int) -> dict[str, float]:
    """Bias, limits of agreement and proportional bias, with 95% percentile bootstrap intervals over cases.

    Bland JM, Altman DG, Lancet 1986;1:307, and Stat Methods Med Res 1999;8:135. Intervals by bootstrap, since errors
    of ages have heavier tails than the normal distribution that the formulas of 1999 assume. A slope of difference
    on mean below 0 is that of a network that guesses towards the mean.

    Args:
        truth, predicted: (n,) in months, n at least 3.
        seed: of the bootstrap.

    Returns:
        ``cases``; ``bias`` (predicted - read), ``lower_limit`` and ``upper_limit`` in months; ``slope`` of the
        difference on the mean of both, in months a month; and ``_low`` and ``_high`` of these four.

    Raises:
        ValueError: there are fewer than three cases, arrays differ in length, or values are not finite.
    """
    truth, predicted = np.asarray(truth, float), np.asarray(predicted, float)
    if truth.shape != predicted.shape or truth.ndim != 1 or len(truth) < _LEAST:
        raise ValueError(
            f"need two equally long rows of at least three ages, got {truth.shape}, {predicted.shape}"
        )
    difference, mean = predicted - truth, (predicted + truth) / 2
    if not np.isfinite(difference).all():
        raise ValueError(
            f"{np.count_nonzero(~np.isfinite(difference))} of {len(difference)} ages are not finite"
        )
    whole = np.arange(len(truth))[None]
    draws = np.random.default_rng(seed).integers(0, len(truth), (_DRAWS, len(truth)))
    found: dict[str, float] = {"cases": len(truth)}
    values, spread = _agreement(difference[whole], mean[whole]), _agreement(difference[draws], mean[draws])
    for name, value in values.items():
        low, high = np.quantile(spread[name], [0.025, 0.975])
        found |= {name: float(value[0]), f"{name}_low": float(low), f"{name}_high": float(high)}
    return found


def agreement_by_sex(cases: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Bland and Altman's figures of all cases and of each sex, a row each; a sex of fewer than three is left out.

    Args:
        cases: ``sex, bone_age_months, predicted_months``, at least three.
        seed: as of `bland_altman`.

    Returns:
        ``cohort`` (``all``, ``F`` or ``M``) and what `bland_altman` gives.
    """
    cohorts = {"all": cases} | {str(sex): part for sex, part in cases.groupby("sex") if len(part) >= _LEAST}
    rows = []
    for cohort, part in cohorts.items():
        read, predicted = (part[name].to_numpy(float) for name in ("bone_age_months", "predicted_months"))
        rows.append({"cohort": cohort, **bland_altman(read, predicted, seed)})
    return pd.DataFrame(rows)


def _agreement(difference: np.ndarray, mean: np.ndarray) -> dict[str, np.ndarray]:
    """Of each row of (draws, n) differences and means, (draws,)."""
    bias, sd = difference.mean(1), difference.std(1, ddof=1)
    off = mean - mean.mean(1, keepdims=True)
    spread = (off**2).sum(1)
    slope = (off * difference).sum(1) / np.where(spread > 0, spread, np.inf)  # 0 where all means are the same
    return {
        "bias": bias,
        "lower_limit": bias - LIMIT * sd,
        "upper_limit": bias + LIMIT * sd,
        "slope": slope,
    }
