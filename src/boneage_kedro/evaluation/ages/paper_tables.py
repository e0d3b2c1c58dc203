"""Tables 1 and 2 of paper 001 as it prints them (see ``evidence/papers.yml``), and our rows below.

None of the rows can be held against another strictly: they are of different children, read by different people, and
the paper's own is not of held-out ones (its public code reports the error over training and validation together).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from boneage_kedro.evaluation.evidence.papers import printed

COHORTS = ("all", "F", "M")


class OurMethod(NamedTuple):
    """A row of ours.

    Attributes:
        model: its name in the figures.
        feature: what it is, in the words of the column.
        dataset_size: radiographs that it used in all, for training (its start's, too, if they are of another source),
            validation, calibration and test.
        epochs: it was trained for.
    """

    model: str
    feature: str
    dataset_size: int
    epochs: int


def methods_table(ours: pd.DataFrame, methods: Sequence[OurMethod]) -> pd.DataFrame:
    """Table 1 of paper 001, MAE and size of the data of methods by deep learning, with our rows at its end.

    The paper prints the MAE of both cohorts in one cell; here each has a column. That of all children of its own
    method, 7.664, is from the text of its section 3.4.

    Args:
        ours: ``model, cohort, cases, mae`` as of `boneage_kedro.evaluation.ages.metrics.compare`, on held-out
        children.
        methods: which of these are meant.

    Returns:
        ``method, feature, dataset_size, mae, mae_girls, mae_boys`` in months, missing where not given, ``epochs`` as
        printed, and ``held_out``: on how many held-out children, missing where the paper
        does not say.

    Raises:
        ValueError: there are no figures of a model.
    """
    rows = []
    for model, feature, dataset_size, epochs in methods:
        errors, cases = _errors(ours, model)
        maes = (errors.get(cohort, np.nan) for cohort in COHORTS)
        rows.append((f"ours: {model}", feature, dataset_size, *maes, str(epochs), cases))
    theirs = printed("methods").values
    mine = pd.DataFrame(rows, columns=[*theirs.columns, "held_out"])
    table = pd.concat([theirs, mine], ignore_index=True)
    return table.astype({"held_out": "Int64"})


def participants_table(ours: pd.DataFrame, models: Sequence[str]) -> pd.DataFrame:
    """Table 2 of paper 001, the first ten of the leader board of RSNA 2017, with the paper's and our rows at its end.

    Args:
        ours: as of `methods_table`.
        models: which of these are meant.

    Returns:
        ``rank, user, mae, mae_girls, mae_boys``, the last two where the MAE is by sex.

    Raises:
        ValueError: there are no figures of a model.
    """
    rows = []
    for model in models:
        errors, _ = _errors(ours, model)
        rows.append(("-", f"ours: {model}", *(errors.get(cohort, np.nan) for cohort in COHORTS)))
    board = printed("participants").values
    return pd.concat([board, pd.DataFrame(rows, columns=board.columns)], ignore_index=True)


def _errors(ours: pd.DataFrame, model: str) -> tuple[dict[str, float], int]:
    """MAE by cohort, and how many children were tested."""
    mine = ours[ours["model"] == model].set_index("cohort")
    if mine.empty:
        raise ValueError(f"no figures of model {model!r}; there are {', '.join(sorted(set(ours['model'])))}")
    return {str(cohort): float(mae) for cohort, mae in mine["mae"].items()}, int(mine["cases"].max())
