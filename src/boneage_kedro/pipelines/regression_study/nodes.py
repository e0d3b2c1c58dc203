"""Nodes of `regression_study`. Torch is imported inside them, so that the CLI and kedro viz start quickly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pandas as pd

from boneage_kedro.evaluation.metrics import final_metrics
from boneage_kedro.evaluation.study import check_cells, compare_arms
from boneage_kedro.imaging.store import ImageStore
from boneage_kedro.pipelines.ptl_regression.params import Params as RegressionParams
from boneage_kedro.pipelines.regression_study.params import Params

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from boneage_kedro.models.weights import PretrainedWeights
    from boneage_kedro.training.checkpoint import CheckpointFile


def run_regression_arms(
    images: ImageStore,
    hands: ImageStore,
    enhanced: ImageStore | None,
    cases: pd.DataFrame,
    splits: pd.DataFrame,
    pretrained: PretrainedWeights,
    checkpoint: CheckpointFile,
    regression: RegressionParams,
    params: Params,
) -> Iterator[pd.DataFrame]:
    """Train a regressor by every arm with every seed.

    Args:
        enhanced: hands that `gan_enhance` has made, if it was run.

    Raises:
        ValueError: an arm learns from enhanced hands, and there are none.

    Yields:
        after each the table so far (see `boneage_kedro.training.regression_study.run_regression_study`).
    """
    from boneage_kedro.training.regression_study import run_regression_study

    stores = {"whole": images, "hand": hands} | ({} if enhanced is None else {"enhanced": enhanced})
    without = [arm["name"] for arm in params["arms"] if arm["images"] not in stores]
    if without:
        raise ValueError(
            f"there are no enhanced hands for the arms {', '.join(without)} of regression_study.arms; run the "
            "pipeline gan_enhance first, or leave them out"
        )
    yield from run_regression_study(
        stores,
        cases,
        splits,
        pretrained,
        regression,
        {"ptl": regression["ptl_stages"], "fine_tune": regression["fine_tune_stages"]},
        params["arms"],
        params["seeds"],
        checkpoint,
    )


def summarise_regression_arms(
    table: pd.DataFrame, params: Params, regression: RegressionParams
) -> pd.DataFrame:
    """Errors of each arm on each part, with the spread over seeds and the paired difference from the first arm.

    Raises:
        ValueError: arms or seeds are missing, since the study was interrupted.
    """
    check_cells(table, params["arms"], params["seeds"], "run_regression_arms")
    return compare_arms(table, regression["fit"]["seed"])


def draw_regression_arms(summary: pd.DataFrame, source: str) -> Figure:
    """Bars of the arms' errors on the test part."""
    from boneage_kedro.evaluation.figures import arm_bars

    test = summary[summary["split"] == "test"]
    return arm_bars(test, f"Error on the test part over seeds, {source}")


def collect_regression_arms(summary: pd.DataFrame) -> dict[str, Any]:
    """Errors in the form MLflow takes."""
    rows = summary.to_dict("records")
    return final_metrics({f"{row['split']}.{row['arm']}.mae": row["mae"] for row in rows})
