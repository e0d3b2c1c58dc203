"""Nodes of `hand_study`. Torch is imported inside them, so that the CLI and kedro viz start quickly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pandas as pd

from boneage_kedro.evaluation.studies.study import check_cells
from boneage_kedro.imaging.sources import RadiographFolder
from boneage_kedro.imaging.store import ImageStore
from boneage_kedro.pipelines.hand_active_learning.nodes import hand
from boneage_kedro.pipelines.hand_active_learning.params import Params as HandParams
from boneage_kedro.pipelines.hand_study.params import Params
from boneage_kedro.pipelines.mask_steps import gather_masked_data, study_metrics

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from boneage_kedro.models.weights import PretrainedWeights
    from boneage_kedro.training.checkpoint import CheckpointFile


def run_hand_rules(
    images: ImageStore,
    splits: pd.DataFrame,
    masks: ImageStore,
    files: RadiographFolder,
    pretrained: PretrainedWeights,
    checkpoint: CheckpointFile,
    hands: HandParams,
    params: Params,
) -> Iterator[pd.DataFrame]:
    """Teach a committee by every arm with every seed; known masks answer.

    Yields:
        after each the table so far, a row a round (see `boneage_kedro.training.hands.training.run_hand_study`), with
        the number of test ``cases``.
    """
    from boneage_kedro.training.hands.training import run_hand_study

    data = gather_masked_data(images, splits, masks, files, pretrained, hand(hands))
    settings = hands["network"], hands["query"], params["arms"], params["seeds"]
    for table in run_hand_study(data, *settings, checkpoint):
        yield table.assign(cases=len(data.test))


def summarise_hand_rules(table: pd.DataFrame, params: Params) -> pd.DataFrame:
    """Dice on the test part: mean and standard deviation over seeds, a row an arm and number of masks.

    Returns:
        ``arm, labels, cases, seeds, test_dice, test_dice_sd``.

    Raises:
        ValueError: arms or seeds are missing, since the study was interrupted.
    """
    check_cells(table, params["arms"], params["seeds"], "run_hand_rules")
    dice = table.groupby(["arm", "labels", "cases"], sort=False)["test_dice"].agg(["count", "mean", "std"])
    return dice.rename(columns={"count": "seeds", "mean": "test_dice", "std": "test_dice_sd"}).reset_index()


def draw_hand_rules(table: pd.DataFrame, source: str) -> Figure:
    """Dice against the number of masks, a line an arm that asks, a level for those that do not."""
    from boneage_kedro.evaluation.segmentation.figures import label_efficiency_curve

    rounds = table.groupby("arm")["round"].max()
    baselines = rounds.index[rounds == 0].tolist()
    return label_efficiency_curve(table, baselines, f"What masks are worth, {source}")


def collect_hand_rules(table: pd.DataFrame) -> dict[str, Any]:
    """A curve an arm and seed, in the form MLflow takes."""
    return study_metrics(table, "labels")
