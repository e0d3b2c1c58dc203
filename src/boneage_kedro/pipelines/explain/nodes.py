"""Nodes of `explain`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from boneage_kedro.evaluation.attention_placing import PlacedMaps
from boneage_kedro.pipelines.explain.params import Params

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from torch import Tensor

    from boneage_kedro.imaging.store import ImageStore
    from boneage_kedro.training.settings import FitSettings


def map_test_cases(
    store: ImageStore,
    predictions: pd.DataFrame,
    weights: dict[str, Tensor],
    settings: dict[str, Any],
    fit_settings: FitSettings,
    params: Params,
) -> tuple[dict[str, np.ndarray], pd.DataFrame]:
    """Class activation maps of the test part, each checked to add up to the prediction.

    Returns:
        ``{"maps": (n, h, w) float32}`` in months, in the order of the table; and the table ``id, sex,
        bone_age_months, predicted_months, bias_months, map_mean_months``.

    Raises:
        ArithmeticError: a map does not add up, so it would explain another model than the one that predicted.
    """
    from boneage_kedro.training.regression import map_cohort

    test = predictions[predictions["split"] == "test"].reset_index(drop=True)
    maps, biases = map_cohort(store, test, weights, settings, fit_settings)
    table = test.drop(columns="split").assign(bias_months=biases, map_mean_months=maps.mean((1, 2)))
    gap = (table["map_mean_months"] + table["bias_months"] - table["predicted_months"]).abs()
    if gap.max() > params["tolerance_months"]:
        worst = table["id"].iloc[int(gap.argmax())]
        raise ArithmeticError(
            f"case {worst}: map and bias add up to {gap.max():.3f} months off the prediction. The maps belong to "
            "another model than ptl_predictions; run ptl_regression again before explain"
        )
    return {"maps": maps.astype(np.float32)}, table


def locate_map_cells(weights: dict[str, Tensor], settings: dict[str, Any]) -> dict[str, Any]:
    """Where the cells of the maps look, so that whoever draws them needs no network.

    Returns:
        ``first_px, stride_px, picture_px``, the arguments of `boneage_kedro.evaluation.attention_placing.place_maps`.
    """
    from boneage_kedro.training.regression import place_of_cells

    return place_of_cells(weights, settings)


def draw_attention(
    store: ImageStore,
    maps: dict[str, np.ndarray],
    grid: dict[str, Any],
    table: pd.DataFrame,
    params: Params,
    source: str,
) -> tuple[Figure, Figure]:
    """Sheet of pictures with their maps, spread over the ages, and mean maps by sex and age."""
    from boneage_kedro.evaluation.figures import attention_sheet, mean_maps, spread_over_ages

    cases = spread_over_ages(table, params["sheet_cases"])
    placed = PlacedMaps(table["id"], maps["maps"], **grid)
    sheet = attention_sheet(
        [store[key] for key in cases["id"]],
        np.stack([placed[key] for key in cases["id"]]),
        cases,
        _full_colour(maps["maps"]),
        params["sheet_columns"],
        f"Months that each place adds (red) or takes away (blue), {source}",
    )
    groups = mean_map_by_group(maps["maps"], table)
    means = PlacedMaps(list(groups), np.stack(list(groups.values())), **grid)
    return sheet, mean_maps(means, f"Mean activation maps, {source}")


def _full_colour(maps: np.ndarray) -> float:
    """Contribution that gets full colour: one place in a hundred is beyond."""
    return float(np.quantile(np.abs(maps), 0.99)) or 1.0


def mean_map_by_group(maps: np.ndarray, table: pd.DataFrame) -> dict[str, np.ndarray]:
    """Mean maps (h, w) of girls and boys, below and above ten years of read bone age; empty groups left out."""
    groups = {}
    for sex, name in (("F", "girls"), ("M", "boys")):
        for label, old in (("under 10 y", False), ("10 y and over", True)):
            chosen = ((table["sex"] == sex) & ((table["bone_age_months"] >= 120) == old)).to_numpy()
            if chosen.any():
                groups[f"{name} {label} ({chosen.sum()})"] = maps[chosen].mean(0)
    return groups
