"""What ways of making 90% intervals are worth when calibration cases are few, on errors that are made up.

    python benchmarks/interval_methods.py --draws 200

The errors are like those of the network of docs/results.md: they depend on age, pull to the mean at both ends and
have heavy tails; how far off the networks of an ensemble are together, and how far each for itself, is a guess (3 to
1 in variance). Every row is a way of using the same data: 739 cases to learn from in five folds, 100 for validation
and 100 for calibration. `coverage` is that on 10,000 new cases with its standard deviation over draws; `88-92` the
share of draws in which it is there; `bands` the share of groups (sex by two years of read age, with 3% of the cases
or more) held at 85% or more, and `worst` the coverage of the worst; `aim` the share of tests with 160 cases that find
88 to 92% overall and 85% in each group with 30 cases or more.
"""

import argparse
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

from boneage_kedro.evaluation.ages.intervals import IntervalSettings, Quantile, calibrate, ensemble_factor

AGES = [0, 36, 84, 120, 156, 192, 228]
SPREAD_MONTHS = [8, 11, 15, 11, 9, 8, 11]
PULL_MONTHS = [5, 2, 3, 2, -1, -4, -12]
FOLDS, LEARNING, SPARE, NEW = 5, 739, 100, 10_000
OWN_VARIANCE = 0.25
TAIL = 6  # degrees of freedom
BAND_MONTHS, TEST = 24, 160


class Draw(NamedTuple):
    """One run of the study: errors of the folds on what they left out, and of their mean on the rest."""

    out_of_fold: pd.DataFrame
    validation: pd.DataFrame
    calibration: pd.DataFrame


Maker = Callable[[Draw, pd.DataFrame], tuple[np.ndarray, np.ndarray]]


def settings(
    normalise: bool, bands: bool, shrink: float = 0, quantile: Quantile = "interpolated"
) -> IntervalSettings:
    return {
        "coverage": 0.9,
        "quantile": quantile,
        "normalise": normalise,
        "ridge_cases": 5,
        "by_sex": bands,
        "band_months": 48 if bands else 0,
        "least_cases": 20,
        "shrink_cases": shrink,
    }


def split(wanted: IntervalSettings, parts: tuple[str, ...]) -> Maker:
    """Calibrate on some of the cases, for the ensemble."""

    def make(draw: Draw, new: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        return calibrate(pd.concat([getattr(draw, part) for part in parts]), wanted).interval(new)

    return make


def folds(wanted: IntervalSettings, corrected: bool) -> Maker:
    """Calibrate on what the folds left out; corrected by what the ensemble gains on the spare cases."""

    def make(draw: Draw, new: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        found = calibrate(draw.out_of_fold, wanted)
        if corrected:
            spare = pd.concat([draw.validation, draw.calibration])
            truth, ensemble = spare["bone_age_months"].to_numpy(), spare["predicted_months"].to_numpy()
            found = found.scaled(ensemble_factor(truth, ensemble, members_of(spare)))
        return found.interval(new)

    return make


def cross_validation_plus(draw: Draw, new: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """CV+ (Barber et al., Annals of Statistics 49 (2021) 486) at 90%."""
    left = draw.out_of_fold
    residual = (left["predicted_months"] - left["bone_age_months"]).abs().to_numpy()
    ends = members_of(new)[:, left["fold"].to_numpy()]  # (m, n)
    place = int(np.floor(0.1 * (len(left) + 1))) - 1
    lower = np.partition(ends - residual, place, axis=1)[:, place]
    upper = np.partition(ends + residual, len(left) - 1 - place, axis=1)[:, len(left) - 1 - place]
    return np.maximum(lower, 0), upper


CAL, BOTH = ("calibration",), ("validation", "calibration")
METHODS: dict[str, Maker] = {
    "calibration: plain": split(settings(False, False), CAL),
    "calibration: plain, guaranteed": split(settings(False, False, quantile="guaranteed"), CAL),
    "calibration: Mondrian": split(settings(False, True), CAL),
    "calibration: Mondrian, guaranteed": split(settings(False, True, quantile="guaranteed"), CAL),
    "calibration: Mondrian, shrunk 20": split(settings(False, True, 20), CAL),
    "calibration: normalised": split(settings(True, False), CAL),
    "calibration: normalised, Mondrian shrunk 20": split(settings(True, True, 20), CAL),
    "both: plain": split(settings(False, False), BOTH),
    "both: Mondrian": split(settings(False, True), BOTH),
    "both: Mondrian, shrunk 20": split(settings(False, True, 20), BOTH),
    "both: normalised": split(settings(True, False), BOTH),
    "both: normalised, Mondrian shrunk 20": split(settings(True, True, 20), BOTH),
    "folds: plain": folds(settings(False, False), False),
    "folds: CV+": cross_validation_plus,
    "folds: normalised": folds(settings(True, False), False),
    "folds: plain, corrected": folds(settings(False, False), True),
    "folds: Mondrian, corrected": folds(settings(False, True), True),
    "folds: normalised, corrected": folds(settings(True, False), True),
    "folds: normalised, Mondrian, corrected": folds(settings(True, True), True),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    found: dict[str, list[list[float]]] = {name: [] for name in METHODS}
    for _ in range(arguments.draws):
        draw = Draw(left_out(rng), ensemble_cases(SPARE, rng), ensemble_cases(SPARE, rng))
        new = ensemble_cases(NEW, rng)
        for name, make in METHODS.items():
            few = new[:1000] if make is cross_validation_plus else new
            found[name].append(measure(few, *make(draw, few), rng))
    for name, rows in found.items():
        table = np.array(rows)
        coverage = table[:, 0]
        near = np.mean(np.abs(coverage - 0.9) <= 0.02)
        bands, worst, aim, width = table[:, 1:].mean(0)
        print(
            f"{name:46}{coverage.mean():6.1%} ±{coverage.std():5.1%}  88-92 {near:4.0%}  bands {bands:4.0%}  "
            f"worst {worst:4.0%}  aim {aim:4.0%}  width {width:5.1f} months"
        )


def ensemble_cases(count: int, rng: np.random.Generator) -> pd.DataFrame:
    """Cases that no network learnt from: the prediction is the mean of the folds."""
    cases, members = errors(count, rng)
    for i in range(FOLDS):
        cases[f"member_{i}"] = members[:, i]
    return cases.assign(predicted_months=members.mean(1))


def left_out(rng: np.random.Generator) -> pd.DataFrame:
    """Cases of the folds: the prediction is that of the network that did not learn from it."""
    cases, members = errors(LEARNING, rng)
    fold = np.arange(LEARNING) % FOLDS
    return cases.assign(fold=fold, predicted_months=members[np.arange(LEARNING), fold])


def errors(count: int, rng: np.random.Generator) -> tuple[pd.DataFrame, np.ndarray]:
    age = np.clip(rng.normal(127, 41, count), 4, 228)
    sex = rng.choice(["F", "M"], count)
    spread = np.interp(age + np.where(sex == "F", 12, -6), AGES, SPREAD_MONTHS)
    unit = np.sqrt((TAIL - 2) / TAIL)
    together = np.sqrt(1 - OWN_VARIANCE) * unit * rng.standard_t(TAIL, count)
    apart = np.sqrt(OWN_VARIANCE) * rng.standard_normal((count, FOLDS))
    members = (age + np.interp(age, AGES, PULL_MONTHS))[:, None] + spread[:, None] * (
        together[:, None] + apart
    )
    return pd.DataFrame({"sex": sex, "bone_age_months": age}), members


def members_of(cases: pd.DataFrame) -> np.ndarray:
    return cases[[f"member_{i}" for i in range(FOLDS)]].to_numpy()


def measure(new: pd.DataFrame, lower: np.ndarray, upper: np.ndarray, rng: np.random.Generator) -> list[float]:
    held = new["bone_age_months"].between(lower, upper)
    group = new["sex"] + (new["bone_age_months"] // BAND_MONTHS).astype(int).astype(str)
    by_group = held.groupby(group).agg(["mean", "size"])
    coverage = by_group.loc[by_group["size"] >= 0.03 * len(new), "mean"]
    tests = [
        meets_aim(held.to_numpy()[rows], group.to_numpy()[rows])
        for rows in rng.integers(0, len(new), (50, TEST))
    ]
    return [
        held.mean(),
        float((coverage >= 0.85).mean()),
        coverage.min(),
        np.mean(tests),
        float((upper - lower).mean()),
    ]


def meets_aim(held: np.ndarray, group: np.ndarray) -> bool:
    _, members = np.unique(group, return_inverse=True)
    counts = np.bincount(members)
    shares = np.bincount(members, held) / counts
    return bool(abs(held.mean() - 0.9) <= 0.02 and (shares[counts >= 30] >= 0.85).all())


if __name__ == "__main__":
    main()
