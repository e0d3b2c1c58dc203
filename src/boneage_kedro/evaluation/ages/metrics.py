"""Figures of merit of predicted bone ages, in months."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

_BOOTSTRAP_DRAWS = 2000


def age_errors(truth: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """Errors of predicted ages against read ages, both (n,) in months.

    Returns:
        ``cases``; ``mae``, ``rmse``, ``bias`` (predicted - read) and ``sd`` of the difference in months;
        ``within_6``, ``within_12`` and ``within_24`` months as shares from 0 to 1.

    Raises:
        ValueError: the arrays differ in length, are empty, or hold values that are not finite.
    """
    truth, predicted = np.asarray(truth, float), np.asarray(predicted, float)
    if truth.shape != predicted.shape or truth.ndim != 1 or not len(truth):
        raise ValueError(
            f"need two equally long, non-empty rows of ages, got {truth.shape} and {predicted.shape}"
        )
    error = predicted - truth
    if not np.isfinite(error).all():
        raise ValueError(f"{np.count_nonzero(~np.isfinite(error))} of {len(error)} ages are not finite")
    return {
        "cases": len(error),
        "mae": float(np.abs(error).mean()),
        "rmse": float(np.sqrt((error**2).mean())),
        "bias": float(error.mean()),
        "sd": float(error.std(ddof=1)) if len(error) > 1 else float("nan"),
        **{f"within_{months}": float((np.abs(error) <= months).mean()) for months in (6, 12, 24)},
    }


def mae_interval(truth: np.ndarray, predicted: np.ndarray, seed: int) -> tuple[float, float]:
    """95% percentile bootstrap interval of the mean absolute error, in months.

    Cases are drawn one by one; with several radiographs of one patient the interval is too narrow.
    """
    return mean_interval(np.abs(np.asarray(predicted, float) - np.asarray(truth, float)), seed)


def mean_interval(values: np.ndarray, seed: int) -> tuple[float, float]:
    """95% percentile bootstrap interval of the mean of (n,) values, one of each case; nan of fewer than two."""
    if len(values) < 2:  # one case tells nothing of another
        return float("nan"), float("nan")
    draws = np.random.default_rng(seed).integers(0, len(values), (_BOOTSTRAP_DRAWS, len(values)))
    low, high = np.quantile(values[draws].mean(1), [0.025, 0.975])
    return float(low), float(high)


def guess_training_median(train: pd.DataFrame, cases: pd.DataFrame) -> np.ndarray:
    """The constant guess every model must beat: the median bone age of the training children of that sex.

    Args:
        train, cases: columns ``sex`` and, in ``train``, ``bone_age_months``.
    """
    medians = train.groupby("sex")["bone_age_months"].median()
    return cases["sex"].map(medians).fillna(train["bone_age_months"].median()).to_numpy()


def compare(truth: pd.DataFrame, predictions: Mapping[str, np.ndarray], seed: int) -> pd.DataFrame:
    """One row a model and cohort (all, and F and M if there are both): errors with the interval of the MAE.

    Args:
        truth: columns ``sex`` and ``bone_age_months``, one row a case.
        predictions: model -> ages in months, in the order of ``truth``.
    """
    rows = []
    cohorts = ("all", "F", "M") if truth["sex"].nunique() > 1 else ("all",)
    for model, ages in predictions.items():
        for cohort in cohorts:
            chosen = np.ones(len(truth), bool) if cohort == "all" else (truth["sex"] == cohort).to_numpy()
            read = truth["bone_age_months"].to_numpy()[chosen]
            low, high = mae_interval(read, ages[chosen], seed)
            errors = age_errors(read, ages[chosen])
            rows.append({"model": model, "cohort": cohort, **errors, "mae_low": low, "mae_high": high})
    return pd.DataFrame(rows)


def band_name(start_months: float, band_months: float) -> str:
    """A band of ages by its years, as in ``6-8 y``."""
    return f"{start_months / 12:g}-{(start_months + band_months) / 12:g} y"


def errors_by_age_band(truth: pd.DataFrame, predicted: np.ndarray, band_months: float) -> pd.DataFrame:
    """Errors by sex and band of read bone age (see `band_name`)."""
    lower = truth["bone_age_months"] // band_months * band_months
    rows = []
    for start in sorted(lower.unique()):
        for sex in ("F", "M"):
            chosen = ((lower == start) & (truth["sex"] == sex)).to_numpy()
            if chosen.any():
                read = truth["bone_age_months"].to_numpy()[chosen]
                band = band_name(start, band_months)
                rows.append({"age_band": band, "sex": sex, **age_errors(read, predicted[chosen])})
    return pd.DataFrame(rows)


def metric_name(*parts: str) -> str:
    """The parts with dots between, without what MLflow does not take in a name."""
    return re.sub(r"[^\w ./-]", "", ".".join(parts))


def final_metrics(values: Mapping[str, float]) -> dict[str, Any]:
    """Final figures by name in the form MLflow takes: one ``{step, value}`` each."""
    return {name: {"step": 0, "value": float(value)} for name, value in values.items()}


def metric_curve(steps: Iterable[int], values: Iterable[float]) -> list[dict[str, float]]:
    """A metric over steps in the form MLflow takes: one ``{step, value}`` each."""
    return [{"step": int(step), "value": float(value)} for step, value in zip(steps, values, strict=True)]
