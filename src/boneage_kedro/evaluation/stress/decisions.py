"""What stress does to predicted ages: errors, changes of the prediction, and verdicts that would turn.

An error is clinically significant where it changes the diagnosis (Beheshtian E et al., Radiology 2022;306(2), and the
same group in Santomartino SM et al., Radiology: Artificial Intelligence 2024;6(3):e230240). Here that is: the bone
age as read and the one predicted do not have the same verdict, delayed, normal or advanced by 2 standard deviations
(`boneage_kedro.evaluation.clinical.determination`), at the child's chronological age. Outside the clinical table
nothing is judged.

Where the chronological age is not known, as in the RSNA pictures, for which the paper's abstract gives no such count
either, the reading stands for it: the child is taken to be exactly as mature as usual, and an error is significant
where it exceeds 2 standard deviations at that age. That is a substitute, and a lenient one: a child near the limit,
whose verdict a small error would turn, is not known to be one.
"""

from collections.abc import Hashable
from typing import Any

import numpy as np
import pandas as pd

from boneage_kedro.evaluation.ages.metrics import mean_interval
from boneage_kedro.evaluation.clinical.determination import Centre, Determination, determine, sd_scores
from boneage_kedro.evaluation.studies.paired_tests import holm, mcnemar_p
from boneage_kedro.imaging.changes.stress import UNCHANGED

SIGNIFICANCE = 0.05


def compare_stress(predictions: pd.DataFrame, cases: pd.DataFrame, centre: Centre, seed: int) -> pd.DataFrame:
    """Hold the predictions for changed radiographs against those for the same ones unchanged.

    Args:
        predictions: ``id, kind, transformation, predicted_months, picture_change, reasons``, a row a case and
            transformation, ``unchanged`` among them; the age is nan where the picture could not be read or was
            refused, and ``reasons`` are empty where it may be relied on.
        cases: ``id, sex, bone_age_months`` and, if known, ``chronological_age_months``, for all of these ids.
        centre: what SD scores are 0 at.
        seed: of the bootstrap.

    Returns:
        a row a transformation, in their order, over the cases that have an age with it and without it, in months:
        ``kind, transformation, cases``; ``refused``, the share of the cases read unchanged that have none with it;
        ``mae`` and ``mae_change`` with its paired 95% bootstrap interval ``mae_change_low, mae_change_high``;
        ``bias_change``; ``mean_change``, the mean absolute change of the prediction; ``over_6`` and ``over_12``, the
        shares of predictions that change by more months; ``indeterminate``, the share that must not be relied on,
        and ``over_12_unnoticed``, the share that changes by more than 12 months and is not among them;
        ``picture_change``, mean absolute change of the prepared picture, part of the gray range; ``judged`` cases
        that the clinical table covers, of which ``errors_before`` and ``errors_after`` are clinically significant
        errors, with those ``gained`` and ``lost``, and ``errors_unnoticed``, those after that are not indeterminate;
        and ``p_value`` of McNemar's exact test of these with ``p_holm``, corrected for the number of
        transformations.

    Raises:
        ValueError: the table lacks the unchanged pictures, has a case twice for a transformation, or ids without a
            case, or no unchanged picture has an age.
    """
    pairs = _pair(predictions, cases)
    judged = _significant_errors(pairs, centre)
    rows = [
        _row(key, part, seed)
        for key, part in judged.groupby(["kind", "transformation"], sort=False)
        if key[1] != UNCHANGED
    ]
    table = pd.DataFrame(rows)
    return table.assign(p_holm=holm(table["p_value"].tolist())) if rows else table


def count_changed(comparison: pd.DataFrame) -> dict[str, float]:
    """How many transformations matter: the headline of Santomartino 2024 (19 of 33, 57%).

    Their abstract speaks of no correction for the number of tests, so the figures without one are nearest to theirs.
    Few cases find little: it takes six that change, all in one direction, for a p below 5%, and eleven for that to
    hold after the correction for 37 transformations.

    Args:
        comparison: of `compare_stress`; only the rows of `boneage_kedro.imaging.changes.stress.PAPER_KINDS` compare
            with the paper.

    Returns:
        ``transformations``; ``changed`` and ``changed_share``, those that change the number of clinically significant
        errors significantly, and the same ``_corrected`` by Holm; ``mae_changed``, those whose interval of the change
        of the MAE leaves out 0.
    """
    uncorrected, corrected = (comparison[column] < SIGNIFICANCE for column in ("p_value", "p_holm"))
    return {
        "transformations": len(comparison),
        "changed": int(uncorrected.sum()),
        "changed_share": float(uncorrected.mean()),
        "changed_corrected": int(corrected.sum()),
        "changed_share_corrected": float(corrected.mean()),
        "mae_changed": int(mae_changed(comparison).sum()),
    }


def mae_changed(comparison: pd.DataFrame) -> pd.Series:
    """Where the 95% interval of the change of the MAE leaves out 0, (n,) bool."""
    return (comparison["mae_change_low"] > 0) | (comparison["mae_change_high"] < 0)


def _pair(predictions: pd.DataFrame, cases: pd.DataFrame) -> pd.DataFrame:
    """Each prediction beside that for the same picture unchanged, and its case; only those read unchanged."""
    if predictions.duplicated(["id", "transformation"]).any():
        twice = predictions[predictions.duplicated(["id", "transformation"])].iloc[0]
        raise ValueError(f"case {twice['id']} is there twice for {twice['transformation']}")
    if strangers := sorted(set(predictions["id"]) - set(cases["id"])):
        raise ValueError(f"{len(strangers)} predicted ids are no cases, such as {strangers[:3]}")
    plain = predictions.loc[predictions["transformation"] == UNCHANGED, ["id", "predicted_months"]]
    if plain.empty:
        raise ValueError(f"there are no predictions for the {UNCHANGED} pictures; run them first")
    before = plain.dropna().rename(columns={"predicted_months": "before"})
    if before.empty:
        raise ValueError(
            f"none of the {len(plain)} unchanged pictures has an age, so there is nothing to compare"
        )
    return predictions.merge(before, on="id").merge(cases, on="id")


def _significant_errors(pairs: pd.DataFrame, centre: Centre) -> pd.DataFrame:
    """Add whether verdicts are wrong ``before`` and after, and whether there are any: ``judged``."""
    known = pairs.get("chronological_age_months", pd.Series(np.nan, pairs.index))
    reference = known.fillna(pairs["bone_age_months"]).to_numpy(float)
    sexes = pairs["sex"].to_numpy(str)

    def verdicts(column: str) -> np.ndarray:
        scores = sd_scores(pairs[column].to_numpy(float), reference, sexes, centre)
        return np.array([determine(score) for score in scores], object)

    read, before, after = map(verdicts, ("bone_age_months", "before", "predicted_months"))
    judged = (read != Determination.INDETERMINATE) & (after != Determination.INDETERMINATE)
    return pairs.assign(
        judged=judged, wrong_before=judged & (before != read), wrong_after=judged & (after != read)
    )


def _row(key: tuple[Hashable, ...], part: pd.DataFrame, seed: int) -> dict[str, Any]:
    read = part.dropna(subset=["predicted_months"])
    change = (read["predicted_months"] - read["before"]).to_numpy()
    errors = (read["predicted_months"] - read["bone_age_months"]).abs().to_numpy()
    worse = errors - (read["before"] - read["bone_age_months"]).abs().to_numpy()
    indeterminate = (read["reasons"] != "").to_numpy()
    low, high = mean_interval(worse, seed)
    gained = int((read["wrong_after"] & ~read["wrong_before"]).sum())
    lost = int((read["wrong_before"] & ~read["wrong_after"]).sum())
    return {
        "kind": key[0],
        "transformation": key[1],
        "cases": len(read),
        "refused": 1 - len(read) / len(part),
        "mae": _mean(errors),
        "mae_change": _mean(worse),
        "mae_change_low": low,
        "mae_change_high": high,
        "bias_change": _mean(change),
        "mean_change": _mean(np.abs(change)),
        "over_6": _mean(np.abs(change) > 6),
        "over_12": _mean(np.abs(change) > 12),
        "indeterminate": _mean(indeterminate),
        "over_12_unnoticed": _mean((np.abs(change) > 12) & ~indeterminate),
        "picture_change": _mean(read["picture_change"].to_numpy()),
        "judged": int(read["judged"].sum()),
        "errors_before": int(read["wrong_before"].sum()),
        "errors_after": int(read["wrong_after"].sum()),
        "errors_unnoticed": int((read["wrong_after"] & ~indeterminate).sum()),
        "gained": gained,
        "lost": lost,
        "p_value": mcnemar_p(gained, lost),
    }


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else float("nan")
