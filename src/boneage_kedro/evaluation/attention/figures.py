"""Figures of attention: mean maps on the mean hand, regions, cases by error, and the checks of the maps."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from boneage_kedro.evaluation.attention.frame import MeanHand
from boneage_kedro.evaluation.clinical.overlay import overlay_map
from boneage_kedro.evaluation.figures import SEX_COLOURS, SEX_NAMES, spread_over_ages

_OPAQUE = 0.75  # of the strongest attention over the mean hand
_ALL_COLOUR = "#444444"
# told apart by colour-blind readers too, and in black and white by their dashes
_ORDER_STYLES = (("#20639b", "-"), ("0.45", "--"), ("#c98a1b", "-."), ("#3a8f5c", ":"))
_LIKENESS = {"signed": ("#20639b", "-", "signed maps"), "absolute": ("#c98a1b", "--", "absolute values")}
_SURE = 1.96  # standard errors of a 95% interval


def missing_figure(reason: str) -> Figure:
    """Says why there is nothing to draw, where a run expects a figure."""
    figure = Figure(figsize=(6.4, 1.2), layout="constrained")
    figure.text(0.5, 0.5, reason, ha="center", va="center", fontsize=9, wrap=True)
    return figure


def mean_hands_figure(means: Sequence[MeanHand], title: str) -> Figure:
    """Mean attention over the mean hand, a row a sex, a column a band of ages.

    Each panel has its own scale, which stands over it: maps of the youngest are many times as strong as others.
    """
    sexes = [sex for sex in SEX_NAMES if any(mean.sex == sex for mean in means)]
    bands = sorted({mean.ages for mean in means}, key=lambda ages: float(ages.split("-")[0]))
    figure = Figure(figsize=(2.5 * len(bands) + 1.2, 2.7 * len(sexes) + 0.5), layout="constrained")
    axes = figure.subplots(len(sexes), len(bands), squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for mean in means:
        axis = axes[sexes.index(mean.sex), bands.index(mean.ages)]
        months = np.nan_to_num(mean.months)
        limit = float(np.abs(months).max()) or 1.0
        axis.imshow(np.nan_to_num(mean.hand), cmap="gray")
        strength = months / limit
        drawn = axis.imshow(strength, cmap="RdBu_r", vmin=-1, vmax=1, alpha=_OPAQUE * np.abs(strength))
        axis.set_title(
            f"{SEX_NAMES[mean.sex]} {mean.ages} ({mean.cases})\nfull colour: {limit:.3g} months", fontsize=8
        )
    label = "months added (red) or taken (blue), as a part of full colour"
    figure.colorbar(drawn, ax=list(axes.flat), label=label, shrink=0.8)
    figure.suptitle(title, fontsize=10)
    return figure


def regions_figure(summary: pd.DataFrame, title: str) -> Figure:
    """Share of attention, enrichment and months by region of the hand: medians with quartiles over cases.

    Args:
        summary: as `boneage_kedro.evaluation.attention.regions.summarise_regions` gives it; with a column ``sex`` the
            sexes are drawn beside each other.
        title: over the panels.
    """
    regions = list(dict.fromkeys(summary["region"]))
    figure = Figure(figsize=(11, 1.4 + 0.42 * len(regions)), layout="constrained")
    axes = figure.subplots(1, 3, sharey=True)
    cohorts = summary["sex"].unique() if "sex" in summary else [None]
    for i, sex in enumerate(cohorts):
        part = summary if sex is None else summary[summary["sex"] == sex]
        places = np.array([regions.index(region) for region in part["region"]], float)
        places += 0.3 * (i - (len(cohorts) - 1) / 2)
        colour = SEX_COLOURS.get(sex, _ALL_COLOUR)
        label = f"{SEX_NAMES.get(sex, 'all')} ({part['cases'].max()})"
        for axis, measure in zip(axes, ("attention", "enrichment", "months"), strict=True):
            _draw_quartiles(axis, part, measure, places, colour, label)
        axes[0].plot(part["area"], places, "D", ms=5, mfc="none", color=colour)
    axes[0].plot([], [], "D", ms=5, mfc="none", color="0.4", label="share of the area")
    axes[0].set(
        xlabel="share of absolute attention", xscale="log", yticks=range(len(regions)), yticklabels=regions
    )
    axes[1].axvline(1, color="0.7", lw=1, zorder=0)
    axes[1].set(xlabel="enrichment (share of attention / of area)", xscale="log")
    for axis in axes[:2]:
        axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.xaxis.set_major_formatter("{x:g}")
        axis.xaxis.set_minor_formatter("")
        axis.tick_params(axis="x", labelsize=7)
    axes[2].axvline(0, color="0.7", lw=1, zorder=0)
    axes[2].set(xlabel="months added to the age")
    axes[0].invert_yaxis()
    axes[0].legend(frameon=False, fontsize=8)
    figure.suptitle(title, fontsize=10)
    return figure


def error_panels(
    cases: pd.DataFrame,
    images: Mapping[str, np.ndarray],
    maps: Mapping[str, np.ndarray],
    limits_months: tuple[float, float],
    columns: int,
    scale_months: float,
    title: str,
) -> Figure:
    """Cases read well beside cases read badly, with their maps, a row a sex (paper 001, figure 13).

    The cases of a panel are spread over the ages; panels that lack cases stay in part empty.

    Args:
        cases: ``id, sex, bone_age_months, predicted_months``.
        images: (P, P) uint8 by id.
        maps: (h, w) months by id.
        limits_months: an absolute error below the first is a small one, above the second a large one; the paper has
            10 and 20.
        columns: cases in each panel.
        scale_months: contribution that gets full colour.
        title: over the panels.
    """
    below, above = limits_months
    error = (cases["predicted_months"] - cases["bone_age_months"]).abs()
    groups = {f"error < {below:g} months": error < below, f"error > {above:g} months": error > above}
    figure = Figure(figsize=(3.1 * columns + 0.6, 4.0), layout="constrained")
    parts = figure.subfigures(1, 2, squeeze=False, wspace=0.03)[0]
    for part, (name, chosen) in zip(parts, groups.items(), strict=True):
        axes = part.subplots(2, columns, squeeze=False)
        part.suptitle(name, fontsize=9)
        for row, sex in zip(axes, SEX_NAMES, strict=True):
            own = cases[chosen & (cases["sex"] == sex)]
            _draw_cases(row, spread_over_ages(own, columns), images, maps, scale_months)
            row[0].set_ylabel(f"{SEX_NAMES[sex]} ({len(own)})", fontsize=9)
    figure.suptitle(f"{title} (full colour: {scale_months:.0f} months)", fontsize=10)
    return figure


def likeness_figure(table: pd.DataFrame, title: str) -> Figure:
    """Likeness of the maps to those of networks with random layers, over the share of layers that are random.

    Lines are means over cases and seeds, bands from quartile to quartile.

    Args:
        table: as `boneage_kedro.evaluation.attention.checks.likeness_by_depth` gives it.
        title: over the panel.
    """
    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    axis = figure.subplots()
    by_depth = table.groupby("depth")
    for measure, (colour, dashes, label) in _LIKENESS.items():
        low, mean, high = (
            pd.concat([pd.Series({0.0: 1.0}), part])  # a map is like itself
            for part in (
                by_depth[measure].quantile(0.25),
                by_depth[measure].mean(),
                by_depth[measure].quantile(0.75),
            )
        )
        axis.plot(mean.index, mean, dashes, marker="o", ms=4, color=colour, label=label)
        axis.fill_between(mean.index, low, high, color=colour, alpha=0.18, lw=0)
    axis.axhline(0, color="0.7", lw=1, zorder=0)
    axis.set(
        xlabel="share of layers with random weights, from the head down",
        ylabel="Spearman correlation with the trained map",
        title=title,
    )
    axis.legend(frameon=False, fontsize=8)
    return figure


def deletion_figure(changes: pd.DataFrame, title: str) -> Figure:
    """Change of the age while places are deleted and inserted, in several orders; means with 95% intervals.

    Args:
        changes: as `boneage_kedro.evaluation.attention.checks.changes_by_share` gives it.
        title: over the panels.
    """
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    orders = list(dict.fromkeys(changes["order"]))
    for axis, test, hint in zip(axes, ("deletion", "insertion"), ("early rise", "early fall"), strict=True):
        for order, (colour, dashes) in zip(orders, _ORDER_STYLES, strict=False):
            chosen = changes[(changes["test"] == test) & (changes["order"] == order)]
            curve = chosen.groupby("share")["change_months"].agg(["mean", "sem"])
            error = _SURE * curve["sem"].fillna(0)
            axis.plot(curve.index, curve["mean"], dashes, color=colour, label=order)
            axis.fill_between(
                curve.index, curve["mean"] - error, curve["mean"] + error, color=colour, alpha=0.15, lw=0
            )
        axis.set(xlabel=f"share of the picture ({test})", title=f"{test}: {hint} is better")
    axes[0].set_ylabel("|change of predicted age| (months)")
    axes[0].legend(frameon=False, fontsize=8)
    figure.suptitle(title, fontsize=10)
    return figure


def _draw_quartiles(
    axis: Axes, part: pd.DataFrame, measure: str, places: np.ndarray, colour: str, label: str
) -> None:
    """Median as a dot, quartiles as a bar."""
    median = part[f"{measure}_median"]
    spread = [median - part[f"{measure}_q1"], part[f"{measure}_q3"] - median]
    axis.errorbar(median, places, xerr=spread, fmt="o", ms=4, capsize=2, color=colour, label=label)


def _draw_cases(
    axes: Sequence[Axes],
    cases: pd.DataFrame,
    images: Mapping[str, np.ndarray],
    maps: Mapping[str, np.ndarray],
    scale_months: float,
) -> None:
    for axis in axes:
        axis.set(xticks=[], yticks=[])
        axis.spines[:].set_visible(False)
    for axis, case in zip(axes, cases.to_dict("records"), strict=False):
        axis.imshow(overlay_map(images[case["id"]], maps[case["id"]], scale_months))
        read, predicted = case["bone_age_months"], case["predicted_months"]
        axis.set_title(
            f"{read / 12:.1f} y, predicted {predicted / 12:.1f}\n({predicted - read:+.0f} months)", fontsize=7
        )
