"""BoNet, beside paper 003, and how the network stands changed pictures, which no paper asks."""

import pandas as pd

from boneage_kedro.evaluation.evidence.papers import printed
from boneage_kedro.evaluation.evidence.subject import Found, Subject
from boneage_kedro.evaluation.report import Basis, Column, Table


def _bonet(source: str, found: Found) -> list[Table]:
    summary = found["bonet_summary"]
    test = summary[summary["split"] == "test"]
    theirs = printed("bonet")
    paper = theirs.values.assign(data=theirs.title)
    cases, folds = test["cases"].max(), test["folds"].max()
    columns = (
        Column("data", "data"),
        Column("arm", "network"),
        Column("mae", "MAE (months)", "{:.1f}"),
        Column("bias", "bias", "{:+.1f}"),
        Column("within_12", "within 12", "{:.0%}"),
        Column("difference", "difference from the first row", "{:+.1f}"),
    )
    basis = Basis(
        source,
        f"{cases} of the test part",
        f"{folds} folds each",
        "± standard deviation over folds; 95% bootstrap interval over children",
    )
    values = pd.concat([test.assign(data=source), paper], ignore_index=True)
    return [Table("bonet", "Errors of networks trained without one fold each", basis, values, columns)]


def _stress(source: str, found: Found) -> list[Table]:
    columns = (
        Column("kind", "kind"),
        Column("transformation", "change"),
        Column("cases", "cases"),
        Column("mae", "MAE (months)", "{:.1f}"),
        Column("mae_change", "change of the MAE", "{:+.1f}"),
        Column("over_12", "ages moved by over 12 months", "{:.0%}"),
        Column("over_12_unnoticed", "and not indeterminate", "{:.0%}"),
        Column("errors_before", "significant errors before"),
        Column("errors_after", "after"),
        Column("errors_unnoticed", "of which not indeterminate"),
        Column("p_holm", "p (Holm)", "{:.3f}"),
    )
    basis = Basis(source, "of the test part, in the table", "one", "95% bootstrap interval over children")
    return [
        Table("stress", "The same network on changed pictures", basis, found["stress_comparison"], columns)
    ]


BONET = Subject(
    "BoNet, the baseline",
    "Learnt from scratch, with layers of another network, and without its deformation layer.",
    _bonet,
    ("bonet_summary",),
    "bonet",
    figures={
        "bonet_bars": "Bars: error of each way of training",
        "bonet_group_errors": "Points: errors by age, sex and race",
    },
    papers=("bonet",),
)
STRESS = Subject(
    "Changed pictures",
    "Radiographs turned, cut, exposed and scanned in other ways.",
    _stress,
    ("stress_comparison",),
    "stress",
    figures={
        "stress_bars": "Bars: change of the error by kind of change",
        "stress_sheet": "A hand in all its changes",
    },
)
