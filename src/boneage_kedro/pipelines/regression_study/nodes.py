"""Nodes of `regression_study`. Torch is imported inside them, so that the CLI and kedro viz start quickly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pandas as pd

from boneage_kedro.evaluation.ages.metrics import final_metrics, metric_name
from boneage_kedro.evaluation.studies.ablation import AVERAGE, FACTORS, errors_of_combinations, gains_of_steps
from boneage_kedro.evaluation.studies.study import check_cells
from boneage_kedro.imaging.store import ImageStore
from boneage_kedro.pipelines.ptl_regression.params import Params as RegressionParams
from boneage_kedro.pipelines.regression_study.params import Params
from boneage_kedro.training.ages.pacing import pacing_arms

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from boneage_kedro.models.weights import PretrainedWeights
    from boneage_kedro.training.ages.pacing import Images
    from boneage_kedro.training.checkpoint import CheckpointFile


def run_ablation(
    images: ImageStore,
    hands: ImageStore,
    enhanced: ImageStore | None,
    cases: pd.DataFrame,
    splits: pd.DataFrame,
    pretrained: PretrainedWeights,
    checkpoint: CheckpointFile,
    regression: RegressionParams,
    params: Params,
) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    """Train on all pictures, by every strategy, on every cohort, with every seed.

    Args:
        enhanced: hands that `gan_enhance` has made, if it was run.

    Raises:
        ValueError: enhanced hands are to be learnt from, and there are none.

    Yields:
        after each the tables so far, of cases and of epochs (see
        `boneage_kedro.training.ages.regression_study.run_regression_study`).
    """
    from boneage_kedro.training.ages.regression_study import run_regression_study

    stores: dict[Images, ImageStore] = {"whole": images, "hand": hands}
    if enhanced is not None:
        stores["enhanced"] = enhanced
    elif "enhanced" in params["images"]:
        raise ValueError(
            "regression_study.images names enhanced, and there are no enhanced hands; run the pipeline gan_enhance "
            "first, or leave them out"
        )
    chosen = {kind: stores[kind] for kind in params["images"]}
    yield from run_regression_study(
        "regression_study", chosen, cases, splits, pretrained, regression, params, checkpoint
    )


def summarise_ablation(
    table: pd.DataFrame,
    cases: pd.DataFrame,
    splits: pd.DataFrame,
    params: Params,
    regression: RegressionParams,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Errors of every combination with their spread, and what each step brings on the test part.

    Raises:
        ValueError: combinations or seeds are missing, since the study was interrupted.
    """
    check_cells(table, pacing_arms(params, params["images"]), params["seeds"], "run_ablation")
    labelled = cases.merge(splits, on="id", validate="one_to_one")
    seed = regression["fit"]["seed"]
    return (
        errors_of_combinations(table, labelled[labelled["split"] == "train"], seed),
        gains_of_steps(table[table["split"] == "test"], seed),
    )


def draw_ablation(
    summary: pd.DataFrame, gains: pd.DataFrame, histories: pd.DataFrame, source: str
) -> tuple[Figure, Figure, Figure]:
    """Bars of the errors on the test part, what each step brings, and curves over epochs."""
    from boneage_kedro.evaluation.studies.ablation_figures import combination_bars, step_gains
    from boneage_kedro.evaluation.studies.pacing_figures import strategy_curves

    test = summary[summary["split"] == "test"]
    curves = histories.assign(strategy=histories["strategy"] + ", " + histories["images"])
    return (
        combination_bars(test, f"Error on the test part, {source}"),
        step_gains(gains, f"What each step brings on the test part, {source}"),
        strategy_curves(curves, f"Loss by epoch, mean and range over seeds, {source}"),
    )


def collect_ablation(summary: pd.DataFrame, gains: pd.DataFrame) -> dict[str, Any]:
    """Errors, and what each step brings on the mean of all else, in the form MLflow takes."""
    errors = {}
    for row in summary.to_dict("records"):
        factors = (row[name] for name in FACTORS if row[name] and pd.notna(row[name]))  # blank for the guess
        errors[metric_name(row["split"], row["tested_on"], *factors, "mae")] = row["mae"]
    average = (gains[list(FACTORS)] == AVERAGE).sum(axis=1) == len(FACTORS) - 1
    steps = {
        metric_name("test", row["tested_on"], "gain", row["step"]): row["difference"]
        for row in gains[average].to_dict("records")
    }
    return final_metrics(errors | steps)
