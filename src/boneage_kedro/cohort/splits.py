"""The one split of the cohort that every pipeline reads."""

from collections.abc import Collection, Iterator, Mapping
from enum import StrEnum

import numpy as np
import pandas as pd


class Split(StrEnum):
    """What a case is used for."""

    TRAIN = "train"
    VALIDATION = "validation"
    CALIBRATION = "calibration"
    TEST = "test"
    UNUSED = "unused"  # another run tests what is learnt here on it


PARTS = tuple(split for split in Split if split is not Split.UNUSED)
"""What cases are dealt out to."""


def assign_splits(
    cases: pd.DataFrame,
    fractions: Mapping[str, float],
    age_band_months: float,
    seed: int,
    earlier: pd.DataFrame | None = None,
    leave_out_earlier: bool = False,
) -> pd.DataFrame:
    """Split cases by patient, stratified by sex and age band.

    Patients are shuffled within their stratum (sex, band of the median bone age of their radiographs), the
    strata are laid end to end by sex and age, and this deck is dealt out so that every beginning of it holds
    the wanted fractions. The number of patients of a split is therefore off by less than one overall and by
    less than two in any stratum, and small strata do not all fall to the largest split.

    Args:
        cases: ``id``, ``patient_id``, ``sex``, ``bone_age_months``; the order of rows does not matter.
        fractions: share of the patients for each of `PARTS`, summing to 1; one that is left out gets none.
        age_band_months: width of an age band.
        seed: the same cases and seed give the same split.
        earlier: ``id``, ``split`` of another cohort that may share patients with this one. They keep their part,
            so that what one cohort is tested on the other does not learn from; the others are dealt out.
        leave_out_earlier: they are not used here at all, so that every part of the other cohort is new to what is
            learnt here.

    Returns:
        ``id``, ``split``, one row a case, sorted by id. A split is empty when it is due less than one patient
        and gets none.

    Raises:
        ValueError: unknown split, fractions that are negative or do not sum to 1, a band that is not positive,
            no cases, repeated ids, cases without patient, sex or age, or a patient whose cases were in different
            parts earlier.
    """
    _check(cases, fractions, age_band_months)
    kept = _kept_parts(cases, earlier) if earlier is not None else pd.Series(dtype=str)
    if leave_out_earlier:
        kept[:] = Split.UNUSED.value
    new = cases[~cases["patient_id"].isin(kept.index)]
    ordered = {str(split): fractions[split] for split in PARTS if split in fractions}
    parts = pd.concat([kept, _deal_patients(new, ordered, age_band_months, seed)])
    assigned = pd.DataFrame({"id": cases["id"], "split": cases["patient_id"].map(parts)})
    return assigned.sort_values("id", ignore_index=True)


def _kept_parts(cases: pd.DataFrame, earlier: pd.DataFrame) -> pd.Series:
    """The part of each patient who had one earlier."""
    known = cases[["id", "patient_id"]].merge(earlier, on="id").drop_duplicates(["patient_id", "split"])
    across = known["patient_id"][known["patient_id"].duplicated()].unique()
    if len(across):
        raise ValueError(f"the patients {_some(across)} were in more than one part earlier")
    return known.set_index("patient_id")["split"]


def _deal_patients(
    cases: pd.DataFrame, fractions: Mapping[str, float], age_band_months: float, seed: int
) -> pd.Series:
    if cases.empty:
        return pd.Series(dtype=str)
    total = sum(fractions.values())
    shares = {part: fraction / total for part, fraction in fractions.items()}
    patients = cases.groupby("patient_id").agg(sex=("sex", "first"), age=("bone_age_months", "median"))
    patients = patients.iloc[_deck(patients, age_band_months, np.random.default_rng(seed))]
    return pd.Series(list(_deal(len(patients), shares)), index=patients.index, dtype=str)


def cross_validation_splits(
    cases: pd.DataFrame, splits: pd.DataFrame, folds: int, age_band_months: float, seed: int
) -> list[pd.DataFrame]:
    """Cut training and validation part together into folds, by patient and stratified as `assign_splits` does.

    Args:
        cases: ``id``, ``patient_id``, ``sex``, ``bone_age_months``.
        splits: ``id``, ``split`` of these cases; the other parts stay as they are.
        folds: how many, 2 or more.

    Returns:
        for each fold a table like ``splits``, in which it is the validation part and the others are the training
        part.

    Raises:
        ValueError: fewer than two folds or fewer patients than folds, or as `assign_splits` and `assert_no_leakage`.
    """
    assert_no_leakage(cases, splits)
    learning = splits["split"].isin([Split.TRAIN, Split.VALIDATION])
    own = cases[cases["id"].isin(splits["id"][learning])]
    if not 2 <= folds <= own["patient_id"].nunique():
        raise ValueError(
            f"cannot cut {own['patient_id'].nunique()} patients of the training and validation part into {folds} "
            "folds; choose 2 or more, and not more than patients"
        )
    names = [str(fold) for fold in range(folds)]
    shares = dict.fromkeys(names, 1 / folds)
    _check_cases(own, age_band_months)
    fold_of = own["patient_id"].map(_deal_patients(own, shares, age_band_months, seed)).set_axis(own["id"])
    fold_of_case = splits["id"].map(fold_of)
    tables = []
    for name in names:
        part = np.where(fold_of_case == name, Split.VALIDATION.value, Split.TRAIN.value)
        tables.append(splits.assign(split=np.where(learning, part, splits["split"])))
    return tables


def assert_no_leakage(cases: pd.DataFrame, splits: pd.DataFrame) -> None:
    """Check that every case has one split and that all radiographs of a patient are in the same.

    Args:
        cases: ``id``, ``patient_id``.
        splits: ``id``, ``split``.

    Raises:
        ValueError: names the ids that are in several splits or in none, or the patients across splits.
    """
    repeated = splits["id"][splits["id"].duplicated()].unique()
    if len(repeated):
        raise ValueError(f"leakage: more than one split for the cases {_some(repeated)}")
    without = cases["id"][~cases["id"].isin(splits["id"])]
    if len(without):
        raise ValueError(f"no split for the cases {_some(without)}; run data_prep again")
    by_patient = cases.merge(splits, on="id").groupby("patient_id")["split"].nunique()
    across = by_patient.index[by_patient > 1]
    if len(across):
        raise ValueError(f"leakage: radiographs in more than one split for the patients {_some(across)}")


def _deck(patients: pd.DataFrame, age_band_months: float, rng: np.random.Generator) -> np.ndarray:
    """Order in which the patients are dealt: stratum after stratum, shuffled within."""
    strata = patients.groupby(["sex", patients["age"] // age_band_months]).ngroup().to_numpy()
    # from a random stratum round to it again: else the first child would be in the same split for every seed
    strata = (strata - rng.integers(strata.max() + 1)) % (strata.max() + 1)
    return np.lexsort([rng.permutation(len(patients)), strata])


def _deal(count: int, shares: Mapping[str, float]) -> Iterator[str]:
    """Deal out places so that after each one every split is less than one away from its share.

    R. Tijdeman, The chairman assignment problem, Discrete Mathematics 32 (1980) 323-330: of the splits that
    are due a place, the one whose share would run furthest ahead first is served. Always taking the largest
    deficit is simpler, but bounds it less well.
    """
    slack = 1 / max(1, 2 * len(shares) - 2)
    dealt = dict.fromkeys(shares, 0)
    for place in range(1, count + 1):
        due = [name for name in shares if shares[name] * place - dealt[name] > slack - 1e-9]
        served = min(due, key=lambda name: (dealt[name] + 1 - slack) / shares[name])
        dealt[served] += 1
        yield served


def _check(cases: pd.DataFrame, fractions: Mapping[str, float], age_band_months: float) -> None:
    unknown = set(fractions) - set(PARTS)
    if unknown:
        raise ValueError(f"unknown splits {sorted(unknown)}; they are {', '.join(PARTS)}")
    if min(fractions.values(), default=0) < 0 or not np.isclose(
        sum(fractions.values()), 1, atol=1e-6, rtol=0
    ):
        raise ValueError(f"fractions {dict(fractions)} must not be negative and must sum to 1")
    _check_cases(cases, age_band_months)


def _check_cases(cases: pd.DataFrame, age_band_months: float) -> None:
    if not age_band_months > 0:
        raise ValueError(f"age_band_months = {age_band_months} must be positive")
    if cases.empty:
        raise ValueError("there are no cases to split")
    if cases["id"].duplicated().any():
        raise ValueError(f"repeated ids {_some(cases['id'][cases['id'].duplicated()])}")
    blank = cases[["patient_id", "sex", "bone_age_months"]].isna().any(axis=1)
    if blank.any():
        raise ValueError(f"no patient, sex or age for the cases {_some(cases['id'][blank])}")


def _some(names: Collection[str]) -> str:
    shown = ", ".join(list(names)[:5])
    return f"{shown} and {len(names) - 5} more" if len(names) > 5 else shown
