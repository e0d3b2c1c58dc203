"""Radius and ulna, beside paper 002."""

import pandas as pd

from boneage_kedro.evaluation.evidence.hands import scores_table, tested_cases
from boneage_kedro.evaluation.evidence.papers import printed
from boneage_kedro.evaluation.evidence.subject import Found, Subject
from boneage_kedro.evaluation.report import Basis, Column, Table

_SCORES = ("precision", "recall", "iou")
_STRUCTURES = ("overall", "radius", "ulna")


def _masks(source: str, found: Found) -> list[Table]:
    summary = found["dru_summary"].set_index("measure")
    theirs = printed("forearm")
    ours = pd.DataFrame(
        {"structure": structure, **_scores_of(summary, structure)} for structure in _STRUCTURES
    )
    paper = theirs.values.assign(data=theirs.title)
    columns = (
        Column("data", "data"),
        Column("structure", "structure"),
        *(
            Column(score, title, "{:.3f}")
            for score, title in zip(_SCORES, ("precision", "recall", "IoU"), strict=True)
        ),
    )
    masks = Table(
        "forearm",
        "Scores on the test part; ours are the mean over radiographs",
        Basis(
            source,
            f"{summary['cases'].max()} of the test part",
            "one",
            "95% bootstrap interval over radiographs",
        ),
        pd.concat([ours.assign(data=source), paper], ignore_index=True),
        columns,
    )
    if "dru_detector_summary" not in found:
        return [masks]
    detector = scores_table("forearm_detector", source, found["dru_detector_summary"])
    return [masks, detector]


def _scores_of(summary: pd.DataFrame, structure: str) -> dict[str, float]:
    return {
        f"{score}{end}": summary[column][f"{score}_{structure}"]
        for score in _SCORES
        for end, column in (("", "mean"), ("_low", "low"), ("_high", "high"))
    }


def _networks(source: str, found: Found) -> list[Table]:
    summary = found["dru_study_summary"]
    basis = Basis(
        source,
        tested_cases(summary),
        f"{summary['seeds'].max()} seeds each",
        "± standard deviation over seeds",
    )
    columns = (
        Column("arm", "network"),
        Column("labels", "training masks"),
        *(
            Column(f"{score}_{bone}", f"{score.replace('iou', 'IoU')}, {bone}", "{:.3f}")
            for bone in ("radius", "ulna")
            for score in _SCORES
        ),
    )
    title = "Scores on the test part, all pixels taken together"
    return [Table("forearm_networks", title, basis, summary, columns)]


MASKS = Subject(
    "Radius and ulna",
    "The forearm is found first, so errors of the detector are in the figures.",
    _masks,
    ("dru_summary",),
    "dru_segmentation",
    uses=("dru_detector_summary",),
    figures={
        "dru_curves": "Curves: loss and scores over iterations",
        "dru_sheet": "Forearms with the masks of radius and ulna",
    },
    papers=("forearm",),
)
NETWORKS = Subject(
    "Networks for radius and ulna, and fewer training pictures",
    "",
    _networks,
    ("dru_study_summary",),
    "dru_study",
    figures={
        "dru_study_curves": "Curves: losses and scores of each network over iterations",
        "dru_study_labels": "Curves: scores over the number of training pictures",
    },
    papers=("forearm_networks",),
)
