"""Nodes of `stress`. Torch is imported inside them, so that the CLI and kedro viz start quickly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from boneage_kedro.evaluation.ages.metrics import final_metrics, metric_name
from boneage_kedro.evaluation.stress.decisions import compare_stress, count_changed
from boneage_kedro.imaging.changes.stress import PAPER_KINDS, list_transformations
from boneage_kedro.imaging.ingest import read_content
from boneage_kedro.imaging.reading import read_radiograph
from boneage_kedro.imaging.sources import RadiographFolder
from boneage_kedro.pipelines.gan_enhance.methods import enhancer_in_use
from boneage_kedro.pipelines.stress.params import Params

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from torch import Tensor

    from boneage_kedro.training.checkpoint import CheckpointFile
    from boneage_kedro.training.settings import FitSettings


def choose_stressed_cases(predictions: pd.DataFrame, cases: pd.DataFrame, params: Params) -> pd.DataFrame:
    """Cases of the test part, drawn by the seed if there are more than are wanted.

    Returns:
        ``id, sex, bone_age_months`` and, if cases have them, ``chronological_age_months``; sorted by id.
    """
    test = predictions.loc[predictions["split"] == "test", ["id", "sex", "bone_age_months"]]
    if "chronological_age_months" in cases:
        test = test.merge(cases[["id", "chronological_age_months"]], on="id", validate="one_to_one")
    few = test.sample(min(params["cases"], len(test)), random_state=params["transformations"]["seed"])
    return few.sort_values("id", ignore_index=True)


def run_stress_test(
    cases: pd.DataFrame,
    radiographs: RadiographFolder,
    weights: dict[str, Tensor],
    settings: dict[str, Any],
    intervals: dict[str, Any],
    familiarity_weights: dict[str, Tensor],
    familiarity_settings: dict[str, Any],
    checkpoint: CheckpointFile,
    fit_settings: FitSettings,
    params: Params,
    hand_weights: dict[str, Tensor] | None = None,
    hand_settings: dict[str, Any] | None = None,
    *enhancer: Any,
) -> Iterator[pd.DataFrame]:
    """Predict the age of every case in every transformation, from the file on.

    Args:
        intervals, familiarity_weights, familiarity_settings: what `ptl_regression` has kept of the network, by which
            `assess` would tell that an age must not be relied on.
        hand_weights, hand_settings: of the committee that masks hands, where ages are read from cut hands.
        enhancer: what `enhancer_in_use` takes, where they are read from enhanced ones.

    Yields:
        after each transformation the table so far (see `boneage_kedro.reading.stress.run_stress`).

    Raises:
        ValueError: the pictures that the network reads cannot be made without a network that is missing, or what was
            kept is another network's.
    """
    from boneage_kedro.reading.reliability import Reliability, fingerprint_network
    from boneage_kedro.reading.stress import StressTest, network_predictor, picture_maker, run_stress
    from boneage_kedro.training.ages.regression import build_regressor, views_in
    from boneage_kedro.training.device import device_of

    device = device_of(fit_settings["accelerator"])
    model = build_regressor(weights, settings).to(device)
    reliability = Reliability.of(weights, settings, intervals, familiarity_weights, familiarity_settings)
    committee = (hand_weights, hand_settings) if hand_weights and hand_settings else None
    used = enhancer_in_use(*enhancer) if enhancer else None
    preparation, pictures = picture_maker(settings, committee, used, device)
    networks = [(weights, settings), (familiarity_weights, familiarity_settings)]
    networks += filter(None, [committee, used])
    test = StressTest(
        predict=network_predictor(model, reliability, device, views_in(settings)),
        predictor_name=" ".join(fingerprint_network(*network) for network in networks),
        preparation=preparation,
        batch_size=params["batch_size"],
        workers=params["workers"],
        pictures=pictures,
    )
    transformations = list_transformations(params["transformations"])
    yield from run_stress(cases, radiographs, transformations, test, checkpoint)


def judge_stress(predictions: pd.DataFrame, cases: pd.DataFrame, params: Params) -> pd.DataFrame:
    """What each transformation does to ages and verdicts (see `compare_stress`).

    Raises:
        ValueError: transformations are missing, since the run was interrupted.
    """
    wanted = {transformation.name for transformation in list_transformations(params["transformations"])}
    if missing := sorted(wanted - set(predictions["transformation"])):
        raise ValueError(
            f"{len(missing)} of {len(wanted)} transformations are missing, such as {missing[0]}: the run was "
            "interrupted; run the node run_stress_test, it goes on where it was"
        )
    return compare_stress(predictions, cases, params["centre"], params["transformations"]["seed"])


def draw_stress(
    comparison: pd.DataFrame, cases: pd.DataFrame, radiographs: RadiographFolder, source: str, params: Params
) -> tuple[Figure, Figure]:
    """Bars of the change of the error, and one radiograph in every transformation."""
    from boneage_kedro.evaluation.stress.figures import stress_bars, stress_sheet

    shown = radiographs[cases["id"].iloc[len(cases) // 2]]
    pixels = read_radiograph(read_content(shown), shown.name).pixels
    bars = stress_bars(comparison, f"Change of the error under stress, {len(cases)} cases, {source}")
    transformations = list_transformations(params["transformations"])
    return bars, stress_sheet(
        pixels, transformations, params["sheet_columns"], f"Radiographs under stress, {source}"
    )


def collect_stress(comparison: pd.DataFrame) -> dict[str, Any]:
    """The change of the MAE by each transformation, and how many matter, in the form MLflow takes.

    The counts of the kinds that Santomartino 2024 had stand under ``paper``.
    """
    counts = {"all": comparison, "paper": comparison[comparison["kind"].isin(PAPER_KINDS)]}
    values = {
        **{
            metric_name(kind, name): change
            for kind, name, change in comparison[["kind", "transformation", "mae_change"]].to_numpy()
        },
        **{
            f"{name}.{key}": value
            for name, part in counts.items()
            for key, value in count_changed(part).items()
        },
    }
    return final_metrics({name: value for name, value in values.items() if np.isfinite(value)})
