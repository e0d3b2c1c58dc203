"""How far the arms of a study err on parts of the children: by age, by sex, by race."""

import pandas as pd

from boneage_kedro.evaluation.ages.metrics import band_name

ALL = "all"

_GROUPINGS: tuple[tuple[str, ...], ...] = ((), ("sex",), ("age_from",), ("age_from", "sex"), ("race",))


def errors_by_group(predictions: pd.DataFrame, band_months: float, repetition: str) -> pd.DataFrame:
    """MAE of each arm on all children of a part, by sex, by band of **read** age, by both, and by race.

    Args:
        predictions: ``arm, id, split, sex, bone_age_months, predicted_months``, the ``repetition``, and perhaps
            ``race``, a row a case; a case whose race is empty counts in no race.
        band_months: width of a band.
        repetition: what an arm is repeated with, as ``fold``.

    Returns:
        a row an arm, split and group: ``arm, split, age_band`` (such as ``6-8 y``), ``sex``, perhaps ``race``, each
        ``all`` where the group is not of one, ``cases``, ``mae`` (the mean over repetitions) and ``mae_sd`` (over
        them), in months.
    """
    read = predictions["bone_age_months"]
    table = predictions.assign(
        error=(predictions["predicted_months"] - read).abs(),
        age_from=read // band_months * band_months,
        arm=pd.Categorical(predictions["arm"], predictions["arm"].unique()),  # keeps their order
    )
    known = [columns for columns in _GROUPINGS if set(columns) <= set(table)]
    groups = pd.concat([_measure(table, list(columns), repetition) for columns in known], ignore_index=True)
    bands = {start: band_name(start, band_months) for start in groups["age_from"].dropna().unique()}
    labels = ["age_band", *(column for column in ("sex", "race") if column in groups)]
    groups["age_band"] = groups["age_from"].map(bands)
    groups = groups.fillna(dict.fromkeys(labels, ALL)).astype({"arm": str})
    return groups[["arm", "split", *labels, "cases", "mae", "mae_sd"]]


def _measure(table: pd.DataFrame, columns: list[str], repetition: str) -> pd.DataFrame:
    """A row an arm, split and value of the columns."""
    keys = ["arm", "split", *columns]
    chosen = table[(table[columns] != "").all(axis=1)]
    by_repetition = chosen.groupby([*keys, repetition], observed=True)["error"].mean()
    errors = by_repetition.groupby(level=keys, observed=True).agg(mae="mean", mae_sd="std")
    cases = chosen.groupby(keys, observed=True)["id"].nunique().rename("cases")
    return pd.concat([cases, errors], axis=1).reset_index()
