"""Nodes of `gan_study`. Torch is imported inside them, so that the CLI and kedro viz start quickly."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from boneage_kedro.evaluation.ages.metrics import final_metrics
from boneage_kedro.evaluation.enhancement.fidelity import FidelityLimits
from boneage_kedro.evaluation.enhancement.image_quality import compare_methods
from boneage_kedro.evaluation.studies.study import check_cells
from boneage_kedro.imaging.store import ImageStore
from boneage_kedro.pipelines.gan_enhance.methods import gold_pairs, graded_hands, plain_methods
from boneage_kedro.pipelines.gan_enhance.params import Params as EnhanceParams
from boneage_kedro.pipelines.gan_study.params import Params

if TYPE_CHECKING:
    from boneage_kedro.training.checkpoint import CheckpointFile
    from boneage_kedro.training.enhancement.gan_settings import GuardSettings

_FIGURES = ("psnr", "ssim", "mean_sd", "contrast_sd", "kept")


def grade_plain_methods(
    hands: ImageStore,
    masks: ImageStore,
    exposure: pd.DataFrame,
    splits: pd.DataFrame,
    folder: Path,
    limits: FidelityLimits,
    enhance: EnhanceParams,
) -> pd.DataFrame:
    """Grade what needs no training, as arms with a single seed.

    Returns:
        ``arm, seed`` and what `boneage_kedro.training.enhancement.gan_study.grade_method` gives.
    """
    from boneage_kedro.training.enhancement.gan_study import grade_method

    gold = gold_pairs(hands, masks, exposure, splits, folder, enhance)
    test = graded_hands(exposure, enhance)
    guard: GuardSettings = {**enhance["guard"], "limits": limits}
    return pd.concat(
        [
            grade_method(method, gold, hands, masks, test, guard).assign(arm=name, seed=0)
            for name, method in plain_methods(gold, enhance).items()
        ],
        ignore_index=True,
    )


def run_gan_arms(
    hands: ImageStore,
    masks: ImageStore,
    exposure: pd.DataFrame,
    splits: pd.DataFrame,
    folder: Path,
    limits: FidelityLimits,
    checkpoint: CheckpointFile,
    enhance: EnhanceParams,
    params: Params,
) -> Iterator[pd.DataFrame]:
    """Teach an enhancer by every arm with every seed.

    Yields:
        after each the table so far (see `boneage_kedro.training.enhancement.gan_study.run_gan_study`).
    """
    from boneage_kedro.training.enhancement.gan_study import run_gan_study

    yield from run_gan_study(
        gold_pairs(hands, masks, exposure, splits, folder, enhance),
        hands,
        masks,
        graded_hands(exposure, enhance),
        enhance["pairs"],
        enhance["gan"],
        enhance["tiles"],
        {**enhance["guard"], "limits": limits},
        params["arms"],
        params["seeds"],
        checkpoint,
    )


def summarise_gan_arms(plain: pd.DataFrame, grades: pd.DataFrame, params: Params) -> pd.DataFrame:
    """Figures of merit of plain methods and of each arm, with the spread over seeds (see `compare_methods`).

    Raises:
        ValueError: arms or seeds are missing, since the study was interrupted.
    """
    check_cells(grades, params["arms"], params["seeds"], "run_gan_arms")
    return compare_methods(pd.concat([plain, grades], ignore_index=True))


def collect_gan_arms(summary: pd.DataFrame) -> dict[str, Any]:
    """Figures in the form MLflow takes."""
    rows = summary.to_dict("records")
    return final_metrics({f"{row['arm']}.{figure}": row[figure] for row in rows for figure in _FIGURES})
