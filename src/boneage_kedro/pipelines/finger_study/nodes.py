"""Nodes of `finger_study`. Torch is imported inside them, so that the CLI and kedro viz start quickly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pandas as pd

from boneage_kedro.evaluation.studies.study import check_cells
from boneage_kedro.imaging.sources import RadiographFolder
from boneage_kedro.imaging.store import ImageStore
from boneage_kedro.pipelines.finger_selftrain.nodes import phalanges, teacher
from boneage_kedro.pipelines.finger_selftrain.params import Params as FingerParams
from boneage_kedro.pipelines.finger_study.params import Params
from boneage_kedro.pipelines.mask_steps import gather_masked_data, study_metrics

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from boneage_kedro.models.weights import PretrainedWeights
    from boneage_kedro.training.checkpoint import CheckpointFile


def run_finger_study(
    images: ImageStore,
    splits: pd.DataFrame,
    masks: ImageStore,
    files: RadiographFolder,
    pretrained: PretrainedWeights,
    checkpoint: CheckpointFile,
    finger: FingerParams,
    params: Params,
) -> Iterator[pd.DataFrame]:
    """Train every arm with every seed.

    Yields:
        after each the table so far, a row a round (see `boneage_kedro.training.fingers.training.run_study`), with
        the number of test ``cases``.
    """
    from boneage_kedro.training.fingers.training import run_study

    data = gather_masked_data(images, splits, masks, files, pretrained, phalanges(finger))
    settings = finger["network"], finger["rounds"], teacher(finger), params["arms"], params["seeds"]
    for table in run_study(data, *settings, checkpoint):
        yield table.assign(cases=len(data.test))


def summarise_study(table: pd.DataFrame, params: Params) -> pd.DataFrame:
    """Dice on the test part before and after the rounds: mean and standard deviation over seeds, a row an arm.

    Returns:
        ``arm, seeds, cases``, ``first`` and ``last`` round with ``_sd``, the mean ``gain`` of the last over the first
        with its standard deviation over seeds, and ``pseudo_dice``, the quality of the last round's pseudo-labels.

    Raises:
        ValueError: arms or seeds are missing, since the study was interrupted.
    """
    check_cells(table, params["arms"], params["seeds"], "run_finger_study")
    rows = []
    for arm, part in table.groupby("arm", sort=False):
        by_round = part.pivot_table(index="seed", columns="round", values="test_dice")
        first, last = by_round.iloc[:, 0], by_round.iloc[:, -1]
        gain = last - first
        rows.append(
            {
                "arm": arm,
                "seeds": len(by_round),
                "cases": part["cases"].iloc[0],
                "first": first.mean(),
                "first_sd": first.std(),
                "last": last.mean(),
                "last_sd": last.std(),
                "gain": gain.mean(),
                "gain_sd": gain.std(),
                "pseudo_dice": part.loc[part["round"] == part["round"].max(), "pseudo_dice"].mean(),
            }
        )
    return pd.DataFrame(rows)


def draw_study(table: pd.DataFrame, params: Params, source: str) -> Figure:
    """Dice over rounds, a line an arm that makes pseudo-labels, a level for the last round of the others."""
    from boneage_kedro.evaluation.segmentation.figures import rounds_curve

    baselines = [arm["name"] for arm in params["arms"] if arm["selection"] == "none"]
    over = (table["round"] == table["round"].max()) | ~table["arm"].isin(baselines)
    return rounds_curve(table[over], baselines, f"Self-training on {source}")


def collect_study_metrics(table: pd.DataFrame) -> dict[str, Any]:
    """A curve an arm and seed, in the form MLflow takes."""
    return study_metrics(table, "round")
