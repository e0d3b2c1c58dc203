"""Tables 1 and 2 of paper 001 as it prints them, and our rows below.

None of the rows can be held against another strictly: they are of different children, read by different people, and
the paper's own is not of held-out ones (its public code reports the error over training and validation together).
"""

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

COHORTS = ("all", "F", "M")

_METHODS = [
    ("Zhou et al.", "transfer learning", 1100, 8.63, None, None, "40"),
    ("Spampinato et al.", "BoNet (CNN)", 1400, 9.48, None, None, "150"),
    ("Lee et al.", "transfer learning", 9325, None, 9.84, 11.16, "100"),
    ("Iglovikov et al.", "transfer learning", 12611, None, 6.10, 6.30, ""),
    ("paper 001", "paced transfer learning", 12611, 7.664, 6.263, 5.991, "<75"),
]
_PARTICIPANTS = [
    ("1", "Elmigu", 5.796),
    ("2", "Jeffmenin", 5.830),
    ("3", "Bratta", 5.911),
    ("4", "Alexandrecadrin", 6.102),
    ("5", "s8t", 6.123),
    ("6", "Felipe.kitamura", 6.164),
    ("7", "S.Koitka", 6.180),
    ("8", "Leonchen", 6.209),
    ("9", "Jcrayan", 6.288),
    ("10", "Elmigu", 6.365),
]


class OurMethod(NamedTuple):
    """A row of ours.

    Attributes:
        model: its name in the figures.
        feature: what it is, in the words of the column.
        dataset_size: radiographs that it used in all, for training, validation, calibration and test.
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
        ours: ``model, cohort, cases, mae`` as of `boneage_kedro.evaluation.metrics.compare`, on held-out children.
        methods: which of these are meant.

    Returns:
        ``method, feature, dataset_size, mae, mae_girls, mae_boys`` in months, None where not given, ``epochs`` as
        printed, and ``held_out``: on how many held-out children, None where the paper does not say.

    Raises:
        ValueError: there are no figures of a model.
    """
    rows = []
    for model, feature, dataset_size, epochs in methods:
        errors, cases = _errors(ours, model)
        maes = (errors.get(cohort) for cohort in COHORTS)
        rows.append((f"ours: {model}", feature, dataset_size, *maes, str(epochs), cases))
    names = ["method", "feature", "dataset_size", "mae", "mae_girls", "mae_boys", "epochs", "held_out"]
    return _table([*((*line, None) for line in _METHODS), *rows], names)


def participants_table(ours: pd.DataFrame, models: Sequence[str]) -> pd.DataFrame:
    """Table 2 of paper 001, the first ten of the leader board of RSNA 2017, with the paper's and our rows at its end.

    The board is that of the validation phase: one reading of each of 1,425 children. The best of the test phase, on
    the mean of six readings of 200 children, had 4.2 months (Halabi et al., Radiology 2019;290:498).

    Args:
        ours: as of `methods_table`.
        models: which of these are meant.

    Returns:
        ``rank, user, mae, mae_girls, mae_boys``, the last two where the MAE is by sex.

    Raises:
        ValueError: there are no figures of a model.
    """
    board = [(rank, user, mae, None, None) for rank, user, mae in _PARTICIPANTS]
    paper = ("-", "paper 001", 7.664, 6.263, 5.991)
    rows = []
    for model in models:
        errors, _ = _errors(ours, model)
        rows.append(("-", f"ours: {model}", *(errors.get(cohort) for cohort in COHORTS)))
    return _table([*board, paper, *rows], ["rank", "user", "mae", "mae_girls", "mae_boys"])


def _errors(ours: pd.DataFrame, model: str) -> tuple[dict[str, float], int]:
    """MAE by cohort, and how many children were tested."""
    mine = ours[ours["model"] == model].set_index("cohort")
    if mine.empty:
        raise ValueError(f"no figures of model {model!r}; there are {', '.join(sorted(set(ours['model'])))}")
    return {str(cohort): float(mae) for cohort, mae in mine["mae"].items()}, int(mine["cases"].max())


def _table(rows: Sequence[Sequence[object]], names: list[str]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=names)
    ages = [name for name in names if name.startswith("mae")]
    table[ages] = table[ages].astype(float)
    if "held_out" in names:
        table["held_out"] = table["held_out"].astype("Int64")
    return table
