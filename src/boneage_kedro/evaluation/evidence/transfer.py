"""The ablation and the ways of transfer learning, beside figures 11 and 12 and the tables of paper 001."""

import numpy as np
import pandas as pd

from boneage_kedro.evaluation.evidence.papers import printed
from boneage_kedro.evaluation.evidence.subject import Found, Subject
from boneage_kedro.evaluation.figures import COHORT_NAMES
from boneage_kedro.evaluation.report import Basis, Column, Table
from boneage_kedro.evaluation.studies.ablation import AVERAGE, FACTORS

_SPREAD = "± standard deviation over seeds; 95% bootstrap interval over children"
_IMAGES = {"whole": "raw", "hand": "segmented", "enhanced": "segmented and enhanced"}


def _ablation(source: str, found: Found) -> list[Table]:
    summary = (
        _test(found["regression_study_summary"])
        .replace({"images": _IMAGES})
        .fillna({"images": "", "networks": ""})
    )
    errors = Table(
        "ablation",
        "Errors of all combinations",
        _basis(source, summary, "tested_on"),
        _side_by_side(summary, [*FACTORS], "tested_on", ("mae", "difference")),
        (
            Column("images", "pictures"),
            Column("strategy", "strategy"),
            Column("networks", "networks"),
            *_of_groups("mae", "MAE, {}", "{:.1f}"),
            Column("difference_all", "all: difference from the first row", "{:+.1f}"),
        ),
    )
    return [errors, _gains(source, found)] if "regression_study_gains" in found else [errors]


def _gains(source: str, found: Found) -> Table:
    gains = found["regression_study_gains"]
    means = gains[(gains[list(FACTORS)] == AVERAGE).any(axis=1)]
    return Table(
        "ablation_steps",
        "What each step brings: change of the MAE, paired, on average over all else",
        _basis(source, means, "tested_on"),
        _side_by_side(means, ["step"], "tested_on", ("difference",)),
        (Column("step", "step"), *_of_groups("difference", "{}", "{:+.1f}")),
    )


def _strategies(source: str, found: Found) -> list[Table]:
    summary = _test(found["ptl_study_summary"])
    ours = _side_by_side(summary, ["strategy"], "cohort", ("mae", "difference")).assign(data=source)
    theirs = printed("strategies")
    paper = theirs.values.rename(columns={group: f"mae_{group}" for group in COHORT_NAMES})
    paper = paper.assign(data=theirs.title, strategy="PTL as printed")
    table = Table(
        "strategies",
        "MAE in months of networks of all children, of girls and of boys, each on its own test children",
        _basis(source, summary, "cohort"),
        pd.concat([ours, paper], ignore_index=True),
        (
            Column("data", "data"),
            Column("strategy", "strategy"),
            *_of_groups("mae", "{}", "{:.1f}"),
            *_of_groups("difference", "{}: difference from the first row", "{:+.1f}"),
        ),
    )
    return [table]


def _methods(source: str, found: Found) -> list[Table]:
    mae = (("mae", "MAE, all (months)"), ("mae_girls", "girls"), ("mae_boys", "boys"))
    columns = [
        Column("data", "data"),
        Column("method", "method"),
        Column("feature", "feature"),
        Column("dataset_size", "radiographs", "{:.0f}"),
        *(Column(key, title, "{:.2f}") for key, title in mae),
        Column("epochs", "epochs"),
        Column("held_out", "held out", "{:.0f}"),
    ]
    tables = [
        Table("methods", "Table 1 of paper 001", *_rows(source, found["paper_methods"], "method"), columns)
    ]
    if "paper_participants" in found:
        columns = [Column("data", "data"), Column("rank", "rank"), Column("user", "user"), *columns[4:7]]
        rows = _rows(source, found["paper_participants"], "user")
        tables.append(Table("participants", "Table 2 of paper 001", *rows, columns))
    return tables


def _rows(source: str, table: pd.DataFrame, name: str) -> tuple[Basis, pd.DataFrame]:
    """Every row says whether it is ours, and of which data."""
    ours = table[name].str.startswith("ours: ")
    data = np.where(ours, f"here: {source}", "as printed")
    return Basis(source, "held-out children, in the table", "one a row", "none"), table.assign(data=data)


def _test(summary: pd.DataFrame) -> pd.DataFrame:
    return summary[summary["split"] == "test"]


def _basis(source: str, table: pd.DataFrame, group: str) -> Basis:
    cases = table.groupby(group, sort=False)["cases"].max()
    named = ", ".join(f"{count:.0f} {COHORT_NAMES[str(name)]}" for name, count in cases.items())
    return Basis(source, f"{named} of the test part", f"{table['seeds'].max():.0f} seeds each", _SPREAD)


def _side_by_side(table: pd.DataFrame, keys: list[str], group: str, figures: tuple[str, ...]) -> pd.DataFrame:
    """A row what is compared, with ``<figure>_<group>`` and its spread for each group of children."""
    wide = table[keys].drop_duplicates().reset_index(drop=True)
    for name, part in table.groupby(group, sort=False):
        renamed = {
            f"{figure}{end}": f"{figure}_{name}{end}"
            for figure in figures
            for end in ("", "_sd", "_low", "_high")
        }
        kept = [column for column in renamed if column in part]
        wide = wide.merge(part[[*keys, *kept]].rename(columns=renamed), on=keys, how="left")
    return wide


def _of_groups(figure: str, title: str, form: str) -> tuple[Column, ...]:
    return tuple(
        Column(f"{figure}_{group}", title.format(name), form) for group, name in COHORT_NAMES.items()
    )


ABLATION = Subject(
    "What each stage brings: the ablation",
    "All combinations of pictures, strategies and networks, with the same epochs, rates, split and test children. "
    "Networks of one sex have half as many pictures, so half as many steps.",
    _ablation,
    ("regression_study_summary",),
    "hand_active_learning,gan_enhance,regression_study",
    uses=("regression_study_gains",),
    figures={
        "regression_study_bars": "Bars: error of all combinations for all children, girls and boys",
        "regression_study_steps": "Points: change of the error with each step, with intervals",
    },
    papers=("framework",),
)
STRATEGIES = Subject(
    "Paced transfer learning and other strategies",
    "All strategies have the same epochs and in each epoch the same rate.",
    _strategies,
    ("ptl_study_summary",),
    "ptl_study",
    figures={
        "ptl_study_curves": "Curves: error over epochs of each strategy, in training and validation, by cohort",
        "ptl_study_bars": "Bars: error of each strategy by cohort",
    },
    papers=("strategies",),
)
METHODS = Subject(
    "Beside the tables of paper 001",
    "MAE in months as others give it, of other children read by other people, so no row can be held against another "
    "strictly. Ours is of the test part of the data of this page.",
    _methods,
    ("paper_methods",),
    "ptl_regression",
    uses=("paper_participants",),
    papers=("methods", "participants"),
)
