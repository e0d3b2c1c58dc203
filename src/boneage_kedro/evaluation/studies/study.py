"""What came of a study: every arm with every seed or fold, held against each other."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from boneage_kedro.evaluation.ages.metrics import age_errors, guess_training_median, mean_interval

CONSTANT_GUESS = "training median of the sex"
_MEASURES = ["rmse", "bias", "within_12"]


def check_cells(
    table: pd.DataFrame,
    arms: Sequence[Mapping[str, Any]],
    seeds: Sequence[int],
    node: str,
    repetition: str = "seed",
) -> None:
    """See that a study has all its trainings.

    Args:
        table: a row or more an ``arm`` and ``seed``.
        node: that makes them.
        repetition: what the ``seeds`` are called in the table.

    Raises:
        ValueError: some are missing, since the study was interrupted.
    """
    wanted = {(arm["name"], seed) for arm in arms for seed in seeds}
    missing = sorted(wanted - set(zip(table["arm"], table[repetition], strict=True)))
    if missing:
        raise ValueError(
            f"{len(missing)} of {len(wanted)} trainings are missing, such as {missing[0]}: the study was "
            f"interrupted; run the node {node}, it goes on where it was"
        )


def compare_arms(predictions: pd.DataFrame, seed: int, repetition: str = "seed") -> pd.DataFrame:
    """Errors of the arms of a study of ages, and how far each is from the first arm.

    The difference is paired: it is taken case by case, after the mean over seeds, and its interval is that of other
    cases, not of other seeds, whose spread stands beside it. Arms are compared on the cases that both predict.

    Args:
        predictions: ``arm, seed, id, split, bone_age_months, predicted_months``, a row a case.
        seed: of the bootstrap.
        repetition: what ``seed`` is called in the table and ``seeds`` in the result, as ``fold``.

    Returns:
        a row an arm and split: ``arm, split, cases, seeds``, ``mae``, ``mae_sd`` over seeds, its 95% interval over
        cases ``mae_low, mae_high``, ``rmse`` and ``bias`` in months, the share ``within_12`` months, all means over
        seeds; ``difference`` of the MAE from the first arm, and its 95% interval ``difference_low,
        difference_high``, in months.
    """
    error = (predictions["predicted_months"] - predictions["bone_age_months"]).abs()
    table = predictions.assign(error=error)
    first = table["arm"].iloc[0]
    rows = []
    for (split, arm), part in table.groupby(["split", "arm"], sort=False):
        by_case = part.groupby("id")["error"].mean()
        reference = table[(table["arm"] == first) & (table["split"] == split)].groupby("id")["error"].mean()
        mae_low, mae_high = mean_interval(by_case.to_numpy(), seed)
        difference = (by_case - reference).dropna().to_numpy()
        low, high = mean_interval(difference, seed)
        by_repetition = errors_by_seed(part, [repetition])
        rows.append(
            {
                "arm": arm,
                "split": split,
                "cases": len(by_case),
                f"{repetition}s": len(by_repetition),
                "mae": by_repetition["mae"].mean(),
                "mae_sd": by_repetition["mae"].std(),
                "mae_low": mae_low,
                "mae_high": mae_high,
                **by_repetition[_MEASURES].mean(),
                "difference": difference.mean() if len(difference) else np.nan,
                "difference_low": low,
                "difference_high": high,
            }
        )
    return pd.DataFrame(rows)


def compare_in_groups(
    predictions: pd.DataFrame, train: pd.DataFrame, seed: int, group: str, arm: str
) -> pd.DataFrame:
    """Errors of arms group by group, each against the first of its group, and those of a constant guess.

    Args:
        predictions: as of `compare_arms`, with ``sex``.
        train: ``sex, bone_age_months`` of the training part, of which the guess is made.
        seed: of the bootstrap.
        group: the column that names the groups of cases, as ``cohort``.
        arm: the column that names what is compared, as ``strategy``.

    Returns:
        the two columns and what `compare_arms` gives, a row a group, split and arm.
    """
    cases = predictions.drop_duplicates([group, "id"])
    guess = cases.assign(
        **{arm: CONSTANT_GUESS}, seed=0, predicted_months=guess_training_median(train, cases)
    )
    table = pd.concat([predictions, guess], ignore_index=True)
    parts = [
        compare_arms(part.assign(arm=part[arm]), seed).assign(**{group: name})
        for name, part in table.groupby(group, sort=False)
    ]
    summary = pd.concat(parts, ignore_index=True).rename(columns={"arm": arm})
    return summary[[group, *summary.columns.drop(group)]]


def errors_by_seed(predictions: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Errors of each training (`boneage_kedro.evaluation.ages.metrics.age_errors`), by the columns that name it."""
    rows = []
    for key, part in predictions.groupby(keys, sort=False):
        read, predicted = (part[name].to_numpy(float) for name in ("bone_age_months", "predicted_months"))
        rows.append({**dict(zip(keys, key, strict=True)), **age_errors(read, predicted)})
    return pd.DataFrame(rows)
