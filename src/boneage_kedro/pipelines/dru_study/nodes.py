"""Nodes of `dru_study`. Torch is imported inside them, so that the CLI and kedro viz start quickly."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from boneage_kedro.evaluation.ages.metrics import final_metrics, metric_name
from boneage_kedro.evaluation.studies.study import check_cells
from boneage_kedro.imaging.store import ImageStore
from boneage_kedro.masks.forearm.block import FOREARM_LABELS
from boneage_kedro.pipelines.dru_segmentation.nodes import gather_forearms
from boneage_kedro.pipelines.dru_segmentation.params import Params as ForearmParams
from boneage_kedro.pipelines.dru_study.params import Params

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from boneage_kedro.models.weights import PretrainedWeights
    from boneage_kedro.training.checkpoint import CheckpointFile

_BONES = tuple(FOREARM_LABELS)


def run_dru_arms(
    images: ImageStore,
    forearms: ImageStore,
    splits: pd.DataFrame,
    masks: ImageStore,
    folder: Path,
    pretrained: PretrainedWeights,
    checkpoint: CheckpointFile,
    forearm: ForearmParams,
    params: Params,
) -> Iterator[pd.DataFrame]:
    """Train every arm with every seed.

    Yields:
        after each the table so far, a row an epoch (see `boneage_kedro.training.forearm.study.run_forearm_study`),
        with the number of test ``cases``.
    """
    from boneage_kedro.training.forearm.study import run_forearm_study

    data = gather_forearms(images, forearms, splits, masks, folder, pretrained)
    settings = forearm["presets"], forearm["input_px"], params["arms"], params["seeds"]
    for table in run_forearm_study(data, images, *settings, checkpoint):
        yield table.assign(cases=len(data.test))


def summarise_dru_arms(table: pd.DataFrame, params: Params) -> pd.DataFrame:
    """Scores on the test part, all pixels taken together: mean and standard deviation over seeds, a row an arm.

    Returns:
        ``arm, labels, cases, seeds`` and for each score ``<measure>_<class>`` and ``<measure>_<class>_sd``.

    Raises:
        ValueError: arms or seeds are missing, since the study was interrupted.
    """
    check_cells(table, params["arms"], params["seeds"], "run_dru_arms")
    scores = [column for column in table.columns if column.startswith("test_")]
    rows = []
    for arm, part in table.dropna(subset=scores).groupby("arm", sort=False):
        row = {
            "arm": arm,
            "labels": part["labels"].iloc[0],
            "cases": part["cases"].iloc[0],
            "seeds": len(part),
        }
        for column in scores:
            name = column.removeprefix("test_")
            row |= {name: part[column].mean(), f"{name}_sd": part[column].std()}
        rows.append(row)
    return pd.DataFrame(rows)


def draw_dru_arms(table: pd.DataFrame, params: Params, source: str) -> tuple[Figure, Figure]:
    """Losses and scores over the iterations of the arms that learn from all pictures, and scores by their number."""
    from boneage_kedro.evaluation.segmentation.forearm_figures import label_curves, study_curves

    whole = [arm["name"] for arm in params["arms"] if not arm["labelled"]]
    last = table.dropna(subset=[f"test_iou_{bone}" for bone in _BONES])
    families = {arm["name"]: _family(arm) for arm in params["arms"]}
    return (
        study_curves(table[table["arm"].isin(whole)], _BONES, f"Networks for radius and ulna, {source}"),
        label_curves(last, _BONES, families, f"Fewer training pictures, {source}"),
    )


def collect_dru_arms(summary: pd.DataFrame) -> dict[str, Any]:
    """Scores in the form MLflow takes."""
    scores = [f"iou_{bone}" for bone in _BONES]
    rows = summary.to_dict("records")
    return final_metrics({metric_name(row["arm"], score): row[score] for row in rows for score in scores})


def _family(arm: Any) -> str:
    """What arms have in common that differ in the number of their pictures alone."""
    return str(arm.get("network", {}).get("architecture", arm["preset"]))
