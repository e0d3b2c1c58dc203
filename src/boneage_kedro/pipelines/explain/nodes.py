"""Nodes of `explain`."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from boneage_kedro.evaluation.ages.metrics import final_metrics
from boneage_kedro.evaluation.attention.checks import changes_by_share, compare_orders, likeness_by_depth
from boneage_kedro.evaluation.attention.frame import CommonFrame, mean_hands, mean_shape
from boneage_kedro.evaluation.attention.placing import PlacedMaps
from boneage_kedro.evaluation.attention.regions import attention_by_region, summarise_regions
from boneage_kedro.phantom import JOINTS
from boneage_kedro.pipelines.explain.params import Params

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from torch import Tensor

    from boneage_kedro.imaging.store import ImageStore
    from boneage_kedro.training.hands.places import Partitions
    from boneage_kedro.training.settings import FitSettings


_UNKNOWN = (
    "no bones are drawn and no joints are known of these cases; give a table hand_joints (docs/data.md)"
)
_NOWHERE = (
    "neither joints nor masks of hands are known of these cases; give a table hand_joints (docs/data.md) or run "
    "hand_active_learning"
)


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
        ``{"maps": (n, k, k) float32}`` in months, in cells that share the picture evenly, in the order of the table;
        and the table ``id, sex, bone_age_months, predicted_months, bias_months, map_mean_months``.

    Raises:
        ArithmeticError: a map does not add up, so it would explain another model than the one that predicted.
        ValueError: the pictures are not those the network was trained on.
    """
    from boneage_kedro.training.ages.regression import check_pictures, map_cohort

    check_pictures(store, predictions["id"].tolist(), settings)
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


def draw_attention(
    store: ImageStore,
    maps: dict[str, np.ndarray],
    settings: dict[str, Any],
    table: pd.DataFrame,
    params: Params,
    source: str,
) -> tuple[Figure, Figure]:
    """Sheet of pictures with their maps, spread over the ages, and mean maps by sex and age."""
    from boneage_kedro.evaluation.figures import attention_sheet, mean_maps, spread_over_ages

    cases = spread_over_ages(table, params["sheet_cases"])
    placed = _placed(table, maps, settings)
    sheet = attention_sheet(
        [store[key] for key in cases["id"]],
        np.stack([placed[key] for key in cases["id"]]),
        cases,
        _full_colour(maps["maps"]),
        params["sheet_columns"],
        f"Months that each place adds (red) or takes away (blue), {source}",
    )
    groups = mean_map_by_group(maps["maps"], table)
    means = PlacedMaps(list(groups), np.stack(list(groups.values())), settings["regressor"]["input_px"])
    return sheet, mean_maps(means, f"Mean activation maps, {source}")


def draw_error_panels(
    store: ImageStore,
    maps: dict[str, np.ndarray],
    settings: dict[str, Any],
    table: pd.DataFrame,
    params: Params,
    source: str,
) -> Figure:
    """Cases read well beside cases read badly (paper 001, figure 13)."""
    from boneage_kedro.evaluation.attention.figures import error_panels

    panels = params["panels"]
    return error_panels(
        table,
        store,
        _placed(table, maps, settings),
        (panels["below_months"], panels["above_months"]),
        panels["columns"],
        _full_colour(maps["maps"]),
        f"Cases read well and badly, {source}",
    )


def choose_checked_cases(table: pd.DataFrame, params: Params) -> pd.DataFrame:
    """Cases whose maps are checked, of the columns of the table, spread over the ages."""
    from boneage_kedro.evaluation.figures import spread_over_ages

    return spread_over_ages(table, params["checks"]["cases"]).reset_index(drop=True)


def check_by_deletion(
    store: ImageStore,
    cases: pd.DataFrame,
    weights: dict[str, Tensor],
    settings: dict[str, Any],
    fit_settings: FitSettings,
    params: Params,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Ages while places are deleted and inserted: those of most attention first, random ones, or those of the middle.

    Returns:
        the changes (see `changes_by_share`), and what the areas under them are worth (see `compare_orders`).
    """
    from boneage_kedro.training.ages.attention_runs import age_curves

    checks = params["checks"]
    curves = age_curves(store, cases, weights, settings, fit_settings, checks)
    changes = changes_by_share(curves, cases["id"].tolist())
    others = [order for order in curves if order != "attention"]
    return changes, compare_orders(changes, others, checks["seed"])


def check_by_random_layers(
    store: ImageStore,
    cases: pd.DataFrame,
    weights: dict[str, Tensor],
    settings: dict[str, Any],
    fit_settings: FitSettings,
    params: Params,
) -> pd.DataFrame:
    """How alike the maps stay while the layers lose what they learnt (see `likeness_by_depth`)."""
    from boneage_kedro.training.ages.attention_runs import random_cascade

    maps, cascade = random_cascade(store, cases, weights, settings, fit_settings, params["checks"])
    return likeness_by_depth(maps, cascade, cases["id"].tolist())


def draw_checks(changes: pd.DataFrame, likeness: pd.DataFrame, source: str) -> tuple[Figure, Figure]:
    """Curves of deletion and insertion, and of the likeness under random layers."""
    from boneage_kedro.evaluation.attention.figures import deletion_figure, likeness_figure

    cases = changes["id"].nunique()
    return (
        deletion_figure(changes, f"Change of the age, {cases} cases, {source}"),
        likeness_figure(likeness, f"Maps under random layers, {cases} cases, {source}"),
    )


def collect_checks(areas: pd.DataFrame, likeness: pd.DataFrame) -> dict[str, Any]:
    """Areas under the curves, and likeness under all random layers, in the form MLflow takes."""
    values = {f"{row['test']}.{row['order']}.area_months": row["area"] for row in areas.to_dict("records")}
    deepest = likeness[likeness["depth"] == likeness["depth"].max()]
    values |= {f"random.{kind}": deepest[kind].mean() for kind in ("signed", "absolute")}
    return final_metrics({name: value for name, value in values.items() if np.isfinite(value)})


def locate_joints(
    store: ImageStore, table: pd.DataFrame, joints: pd.DataFrame | None, truth: Partitions | None
) -> pd.DataFrame:
    """Joints of the mapped cases, from a table of them or from the truth of phantoms.

    Returns:
        ``id, joint, x, y`` in pixels of the store's pictures; without rows where nothing is known.
    """
    from boneage_kedro.training.hands.places import joints_of_phantoms, joints_of_table

    ids = table["id"].tolist()
    known = {} if truth is None else joints_of_phantoms(truth, store, ids)
    if joints is not None:
        known |= joints_of_table(joints, store, ids)
    rows = [
        (key, joint, *point)
        for key, points in known.items()
        for joint, point in zip(JOINTS, points, strict=True)
    ]
    located = pd.DataFrame(rows, columns=["id", "joint", "x", "y"])
    return located.astype({"id": str, "joint": str, "x": float, "y": float})


def count_by_region(
    store: ImageStore,
    maps: dict[str, np.ndarray],
    settings: dict[str, Any],
    table: pd.DataFrame,
    joints: pd.DataFrame,
    bones: Partitions | None,
    drawn: Partitions | None,
    found: Partitions | None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Where the attention lies: by bones that are drawn, as in phantoms, else by joints.

    Args:
        drawn, found: masks of hands, of people or truth, and of `hand_active_learning`.

    Returns:
        a row a case and region (see `attention_by_region`) with the sex; and a row a sex and region
        (see `summarise_regions`). Both are without rows where neither bones nor joints are known.
    """
    from boneage_kedro.training.hands.places import regions_of_hands

    placed = _placed(table, maps, settings)
    hands = {**(found or {}), **(drawn or {})}
    regions = regions_of_hands(store, table["id"].tolist(), bones, points_by_id(joints), hands)
    parts = [attention_by_region(placed[key][None], [codes], [key]) for key, codes in regions]
    if not parts:
        logging.getLogger(__name__).info("attention is not counted by region: %s", _UNKNOWN)
        return pd.DataFrame({"id": [], "sex": [], "region": []}), pd.DataFrame({"sex": [], "region": []})
    by_case = table[["id", "sex"]].merge(pd.concat(parts, ignore_index=True), on="id")
    return by_case, summarise_regions(by_case, ["sex"])


def draw_regions(summary: pd.DataFrame, source: str) -> Figure:
    """Attention by region; a line of text where no regions are known."""
    from boneage_kedro.evaluation.attention.figures import missing_figure, regions_figure

    if summary.empty:
        return missing_figure(_UNKNOWN)
    return regions_figure(summary, f"Attention by region, {source}")


def draw_mean_hands(
    store: ImageStore,
    maps: dict[str, np.ndarray],
    settings: dict[str, Any],
    table: pd.DataFrame,
    params: Params,
    source: str,
    joints: pd.DataFrame,
    drawn: Partitions | None,
    found: Partitions | None,
    quality: pd.DataFrame | None,
) -> Figure:
    """Mean maps on mean hands, which lie in a common frame by joints or by masks; a line of text without either.

    Args:
        drawn, found: see `count_by_region`.
        quality: of the found masks, ``id, trusted``; those that are not trusted lay no hand upon another.
    """
    from boneage_kedro.evaluation.attention.figures import mean_hands_figure, missing_figure
    from boneage_kedro.training.hands.places import landmarks_of_hands

    doubted = set() if quality is None else set(quality.loc[~quality["trusted"], "id"])
    trusted = {key: mask for key, mask in (found or {}).items() if key not in doubted}
    hands = {**trusted, **(drawn or {})}
    by, points = landmarks_of_hands(store, table["id"].tolist(), points_by_id(joints), hands)
    if not points:
        return missing_figure(_NOWHERE)
    frame = params["frame"]
    template = mean_shape(np.stack(list(points.values())), frame["side_px"], frame["margin"], frame["below"])
    means = mean_hands(
        CommonFrame(template, frame["side_px"]),
        table[table["id"].isin(points)],
        store,
        _placed(table, maps, settings),
        points,
        frame["edges_years"],
    )
    if not means:
        return missing_figure("no case is of the ages in explain.frame.edges_years")
    return mean_hands_figure(means, f"Mean attention on the mean hand, aligned by {by}, {source}")


def points_by_id(joints: pd.DataFrame) -> dict[str, np.ndarray]:
    """(21, 2) x y by id."""
    return {str(key): own[["x", "y"]].to_numpy() for key, own in joints.groupby("id", sort=False)}


def _placed(table: pd.DataFrame, maps: dict[str, np.ndarray], settings: dict[str, Any]) -> PlacedMaps:
    """The maps of the cases on their pictures, by id."""
    return PlacedMaps(table["id"], maps["maps"], settings["regressor"]["input_px"])


def _full_colour(maps: np.ndarray) -> float:
    """Contribution that gets full colour: one place in a hundred is beyond."""
    return float(np.quantile(np.abs(maps), 0.99)) or 1.0


def mean_map_by_group(maps: np.ndarray, table: pd.DataFrame) -> dict[str, np.ndarray]:
    """Mean maps (k, k) of girls and boys, below and above ten years of read bone age; empty groups left out."""
    groups = {}
    for sex, name in (("F", "girls"), ("M", "boys")):
        for label, old in (("under 10 y", False), ("10 y and over", True)):
            chosen = ((table["sex"] == sex) & ((table["bone_age_months"] >= 120) == old)).to_numpy()
            if chosen.any():
                groups[f"{name} {label} ({chosen.sum()})"] = maps[chosen].mean(0)
    return groups
