"""Masks of the phalanges by self-training, beside paper 000."""

import pandas as pd

from boneage_kedro.evaluation.evidence.hands import scores_table, tested_cases
from boneage_kedro.evaluation.evidence.papers import printed
from boneage_kedro.evaluation.evidence.subject import Found, Subject
from boneage_kedro.evaluation.report import Basis, Column, Table


def _rounds(source: str, found: Found) -> list[Table]:
    summary = found["finger_study_summary"]
    seeds = f"{summary['seeds'].max()} seeds each; of the paper one"
    theirs = printed("self_training")
    ours = _dice_by_round(found["finger_study"])
    paper = theirs.values.assign(data=theirs.title)
    values = pd.concat([ours.assign(data=source), paper], ignore_index=True)
    rounds = max(int(name.split("_")[1]) for name in map(str, values) if name.startswith("round_"))
    columns = (
        Column("data", "data"),
        Column("arm", "training"),
        *(Column(f"round_{number}", f"iteration {number}", "{:.3f}") for number in range(1, rounds + 1)),
    )
    basis = Basis(source, tested_cases(summary), seeds, "± standard deviation over seeds; of the paper none")
    return [Table("self_training", "Dice on the test part after each iteration", basis, values, columns)]


def _dice_by_round(table: pd.DataFrame) -> pd.DataFrame:
    """``arm`` and for each round ``round_<number from 1>`` with ``_sd`` over seeds."""
    by_round = table.groupby(["arm", "round"], sort=False)["test_dice"].agg(["mean", "std"]).unstack()
    wide = pd.DataFrame({"arm": by_round.index})
    for number in sorted(table["round"].unique()):
        name = f"round_{number + 1}"
        wide[name], wide[f"{name}_sd"] = by_round["mean", number].values, by_round["std", number].values
    return wide


def _masks(source: str, found: Found) -> list[Table]:
    return [scores_table("phalanx_masks", source, found["finger_summary"])]


def _crf(source: str, found: Found) -> list[Table]:
    tried = found["finger_crf_tried"]
    theirs = printed("crf")
    best = tried.loc[[tried["dice"].idxmax()]].assign(data=f"{source}: best of {len(tried)} tried")
    known = theirs.values.dropna(axis=1)
    same = tried.merge(known, on=list(known.columns)).assign(data=f"{source}: the paper's settings")
    paper = theirs.values.assign(data=theirs.title)
    columns = (
        Column("data", "data"),
        Column("bilateral_sigma_px", "bilateral reach (px)", "{:g}"),
        Column("bilateral_sigma_gray", "bilateral reach (gray levels)", "{:g}"),
        Column("bilateral_weight", "bilateral weight", "{:g}"),
        Column("gaussian_sigma_px", "Gaussian reach (px)", "{:g}"),
        Column("gaussian_weight", "Gaussian weight", "{:g}"),
        Column("dice", "Dice", "{:.3f}"),
    )
    basis = Basis(source, "masks of the training part", "none", "none")
    rows = pd.concat([best, same, paper], ignore_index=True)
    return [Table("crf", "Settings of the dense CRF", basis, rows, columns)]


STUDY = Subject(
    "Self-training on phalanges",
    "All trainings of ours take equally many steps, with pseudo-labels or without.",
    _rounds,
    ("finger_study_summary", "finger_study"),
    "finger_study",
    figures={"finger_study_curve": "Curves: Dice over rounds of self-training, a line an arm"},
    papers=("self_training",),
)
MASKS = Subject(
    "Masks of the phalanges",
    "",
    _masks,
    ("finger_summary",),
    "finger_selftrain",
    figures={
        "finger_curve": "Curve: Dice over rounds",
        "finger_sheet": "Hands with the masks of their phalanges",
    },
)
CRF = Subject(
    "The dense CRF",
    "Best is what brings predictions nearest to the masks of the training part.",
    _crf,
    ("finger_crf_tried",),
    "finger_selftrain,finger_crf",
    papers=("crf",),
)
