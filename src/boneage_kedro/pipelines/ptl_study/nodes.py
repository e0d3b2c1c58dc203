"""Nodes of `ptl_study`. Torch is imported inside them, so that the CLI and kedro viz start quickly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pandas as pd

from boneage_kedro.evaluation.ages.metrics import final_metrics, metric_name
from boneage_kedro.evaluation.studies.study import (
    CONSTANT_GUESS,
    check_cells,
    compare_in_groups,
    errors_by_seed,
)
from boneage_kedro.imaging.store import ImageStore
from boneage_kedro.pipelines.ptl_regression.params import Params as RegressionParams
from boneage_kedro.pipelines.ptl_study.params import Params
from boneage_kedro.training.ages.pacing import pacing_arms

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from boneage_kedro.models.weights import PretrainedWeights
    from boneage_kedro.training.checkpoint import CheckpointFile


def run_strategies(
    images: ImageStore,
    cases: pd.DataFrame,
    splits: pd.DataFrame,
    pretrained: PretrainedWeights,
    checkpoint: CheckpointFile,
    regression: RegressionParams,
    params: Params,
) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    """Train by every strategy on every cohort with every seed.

    Yields:
        after each the tables so far, of cases and of epochs (see
        `boneage_kedro.training.ages.regression_study.run_regression_study`).
    """
    from boneage_kedro.training.ages.regression_study import run_regression_study

    yield from run_regression_study(
        "ptl_study", {"whole": images}, cases, splits, pretrained, regression, params, checkpoint
    )


def summarise_strategies(
    table: pd.DataFrame,
    cases: pd.DataFrame,
    splits: pd.DataFrame,
    params: Params,
    regression: RegressionParams,
) -> pd.DataFrame:
    """Errors of each strategy on each cohort and part, with the spread over seeds and the paired difference from the
    first strategy, and those of a constant guess.

    Raises:
        ValueError: strategies, cohorts or seeds are missing, since the study was interrupted.
    """
    check_cells(table, pacing_arms(params), params["seeds"], "run_strategies")
    labelled = cases.merge(splits, on="id", validate="one_to_one")
    train = labelled[labelled["split"] == "train"]
    return compare_in_groups(table, train, regression["fit"]["seed"], "cohort", "strategy")


def draw_strategies(
    table: pd.DataFrame, histories: pd.DataFrame, summary: pd.DataFrame, source: str
) -> tuple[Figure, Figure]:
    """Curves over epochs, and bars of the errors on the test part."""
    from boneage_kedro.evaluation.studies.pacing_figures import strategy_bars, strategy_curves

    test = table[table["split"] == "test"]
    guess = summary[(summary["split"] == "test") & (summary["strategy"] == CONSTANT_GUESS)]
    return (
        strategy_curves(histories, f"Loss by epoch, mean and range over seeds, {source}"),
        strategy_bars(
            errors_by_seed(test, ["cohort", "strategy", "seed"]),
            dict(zip(guess["cohort"], guess["mae"], strict=True)),
            f"Error on the test part, {source}",
        ),
    )


def collect_strategies(summary: pd.DataFrame) -> dict[str, Any]:
    """Errors in the form MLflow takes."""
    rows = summary.to_dict("records")
    return final_metrics(
        {metric_name(row["split"], row["cohort"], row["strategy"], "mae"): row["mae"] for row in rows}
    )
