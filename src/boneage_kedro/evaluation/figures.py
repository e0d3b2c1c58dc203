"""Figures for reports: each function draws one and returns it; nothing is shown or saved here."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from boneage_kedro.evaluation.clinical.overlay import overlay_map

SEX_COLOURS = {"F": "#b0396b", "M": "#2c6fb3"}
SEX_NAMES = {"F": "girls", "M": "boys"}
COHORT_NAMES = {"all": "girls and boys", **SEX_NAMES}


def image_sheet(images: Sequence[np.ndarray], titles: Sequence[str], columns: int, title: str) -> Figure:
    """Pictures side by side with a line of text over each; gray (H, W) or RGB (H, W, 3) uint8."""
    rows = max(1, -(-len(images) // columns))
    figure, axes = _subplots(rows, columns, (1.7 * columns, 2.0 * rows + 0.5))
    for axis in axes.flat:
        axis.axis("off")
    for axis, image, text in zip(axes.flat, images, titles, strict=False):
        axis.imshow(image, cmap="gray", vmin=0, vmax=255)
        axis.set_title(text, fontsize=7)
    figure.suptitle(title, fontsize=10)
    return figure


def spread_over_ages(cases: pd.DataFrame, count: int) -> pd.DataFrame:
    """So many of the cases, or all, evenly from the youngest to the oldest."""
    by_age = cases.sort_values(["bone_age_months", "id"])
    places = np.linspace(0, len(by_age) - 1, min(count, len(by_age)))
    return by_age.iloc[places.round().astype(int)]


def age_titles(cases: pd.DataFrame) -> list[str]:
    """Sex and age in years of each case, to stand over its picture."""
    return [
        f"{sex} {age / 12:.1f} y" for sex, age in zip(cases["sex"], cases["bone_age_months"], strict=True)
    ]


def age_histogram(cases: pd.DataFrame, title: str) -> Figure:
    """Cases by bone age in years and sex (paper 000 figure 3, paper 001 figure 6)."""
    figure, axes = _subplots(1, 1, (7, 3.2))
    axis = axes[0, 0]
    edges = np.arange(0, cases["bone_age_months"].max() / 12 + 1)
    parts = {sex: cases.loc[cases["sex"] == sex, "bone_age_months"] / 12 for sex in SEX_COLOURS}
    axis.hist(
        list(parts.values()),
        bins=list(edges),
        stacked=True,
        color=list(SEX_COLOURS.values()),
        label=[f"{SEX_NAMES[sex]} ({len(ages)})" for sex, ages in parts.items()],
    )
    axis.set(xlabel="bone age (years)", ylabel="cases", title=title, xticks=edges)
    axis.legend(frameon=False)
    return figure


def learning_curves(histories: Mapping[str, pd.DataFrame], title: str) -> Figure:
    """Training and validation MAE by epoch, with the stages of paced transfer learning marked.

    Args:
        histories: by name, a row an epoch of each ``variant`` and ``fold``; each of these networks is a line, and the
            stages are those of the first.
    """
    figure, axes = _subplots(1, len(histories), (5.2 * len(histories), 3.4), sharey=True)
    for axis, (name, history) in zip(axes.flat, histories.items(), strict=True):
        networks = [part for _, part in history.groupby(["variant", "fold"], sort=False)]
        for network in networks:
            _draw_history(axis, network, labelled=network is networks[0])
        _mark_stages(axis, networks[0])
        axis.set(title=name, xlabel="epoch", yscale="log")
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.yaxis.set_major_formatter("{x:g}")
        axis.yaxis.set_minor_formatter("{x:g}")
    axes[0, 0].set_ylabel("MAE (months)")
    axes[0, -1].legend(frameon=False, fontsize=8)
    figure.suptitle(title, fontsize=10)
    return figure


def _draw_history(axis: Axes, history: pd.DataFrame, labelled: bool) -> None:
    epochs, kept = history["epoch"] + 1, int(history["validation_mae_months"].argmin())
    for column, colour, label in (
        ("train_mae_months", "0.6", "training (augmented)"),
        ("validation_mae_months", "#20639b", "validation"),
    ):
        axis.plot(epochs, history[column], "o-", ms=3, color=colour, label=label if labelled else None)
    best = epochs.iloc[kept], history["validation_mae_months"].iloc[kept]
    axis.plot(*best, "*", ms=11, color="#d1495b", label="kept" if labelled else None)


def _mark_stages(axis: Axes, history: pd.DataFrame) -> None:
    for stage, part in history.groupby("stage", sort=False):
        first = part["epoch"].iloc[0]
        axis.axvline(first + 0.5, color="0.85", zorder=0)
        axis.text(first + 0.6, 0.98, str(stage), fontsize=7, va="top", transform=axis.get_xaxis_transform())


def predicted_against_read(truth: pd.DataFrame, predicted: np.ndarray, title: str) -> Figure:
    """Scatter of predicted against read bone age."""
    figure, axes = _subplots(1, 1, (5.5, 4.5))
    axis = axes[0, 0]
    read, guess = truth["bone_age_months"].to_numpy() / 12, np.asarray(predicted) / 12
    for sex, colour in SEX_COLOURS.items():
        mine = (truth["sex"] == sex).to_numpy()
        axis.plot(read[mine], guess[mine], ".", color=colour, alpha=0.7, label=SEX_NAMES[sex])
    ends = [min(read.min(), guess.min()), max(read.max(), guess.max())]
    axis.plot(ends, ends, color="0.5", lw=1)
    axis.set(xlabel="read bone age (years)", ylabel="predicted bone age (years)", aspect="equal")
    axis.legend(frameon=False)
    figure.suptitle(title, fontsize=10)
    return figure


def mae_bars(comparison: pd.DataFrame, title: str) -> Figure:
    """MAE with its bootstrap interval, a group of bars a cohort, a bar a model (paper 001, figure 12)."""
    models = list(dict.fromkeys(comparison["model"]))
    cohorts = list(dict.fromkeys(comparison["cohort"]))
    figure, axes = _subplots(1, 1, (4 + 1.9 * len(cohorts), 3.4))
    axis = axes[0, 0]
    width = 0.8 / len(models)
    for i, model in enumerate(models):
        part = comparison[comparison["model"] == model].set_index("cohort").loc[cohorts]
        spread = [part["mae"] - part["mae_low"], part["mae_high"] - part["mae"]]
        places = np.arange(len(cohorts)) + (i - (len(models) - 1) / 2) * width
        bars = axis.bar(places, part["mae"], width, yerr=spread, capsize=3, label=model)
        axis.bar_label(bars, fmt="%.1f", fontsize=8, padding=2)
    names = [{"all": "all", **SEX_NAMES}[c] for c in cohorts]
    axis.set(xticks=range(len(cohorts)), xticklabels=names, ylabel="MAE (months), 95% interval", title=title)
    axis.margins(y=0.12)  # room for the figures over the bars
    axis.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
    return figure


def worst_first(table: pd.DataFrame, measure: str, count: int) -> pd.DataFrame:
    """So many rows, or all, by a falling measure of doubt, then by id; nan counts as worst."""
    order = table.sort_values([measure, "id"], ascending=[False, True], na_position="first")
    return order.head(count).reset_index(drop=True)


def arm_bars(summary: pd.DataFrame, title: str, repetition: str = "seed") -> Figure:
    """MAE of the arms of a study, with the standard deviation over seeds (paper 001, figure 12).

    Args:
        summary: ``arm, mae, mae_sd``, a row an arm, in months.
        title: over the panel.
        repetition: what the standard deviation is over.
    """
    figure, axes = _subplots(1, 1, (6.4, 1.2 + 0.45 * len(summary)))
    axis = axes[0, 0]
    bars = axis.barh(summary["arm"], summary["mae"], 0.7, xerr=summary["mae_sd"].fillna(0), capsize=3)
    axis.bar_label(bars, fmt="%.1f", fontsize=8, padding=2)
    axis.invert_yaxis()
    axis.margins(x=0.12)  # room for the figures beside the bars
    axis.set(xlabel=f"MAE (months), standard deviation over {repetition}s", title=title)
    return figure


def mean_maps(maps: Mapping[str, np.ndarray], title: str) -> Figure:
    """Mean class activation maps side by side on one scale; each (h, w) in months."""
    figure, axes = _subplots(1, len(maps), (2.6 * len(maps) + 1, 3.2))
    limit = max((float(np.abs(m).max()) for m in maps.values()), default=1.0) or 1.0
    for axis, (name, mean) in zip(axes.flat, maps.items(), strict=True):
        drawn = axis.imshow(mean, cmap="RdBu_r", vmin=-limit, vmax=limit, interpolation="bicubic")
        axis.set_title(name, fontsize=9)
        axis.axis("off")
    figure.colorbar(drawn, ax=list(axes.flat), label="months", shrink=0.8)
    figure.suptitle(title, fontsize=10)
    return figure


def _subplots(
    rows: int, columns: int, size: tuple[float, float], sharey: bool = False
) -> tuple[Figure, np.ndarray]:
    """A figure that pyplot does not know of, so that it needs no closing; axes as (rows, columns)."""
    figure = Figure(figsize=size, layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False, sharey=sharey)


def attention_sheet(
    images: Sequence[np.ndarray],
    maps: np.ndarray,
    cases: pd.DataFrame,
    scale_months: float,
    columns: int,
    title: str,
) -> Figure:
    """Pictures with their class activation maps over them, titled with sex, read and predicted age."""
    titles = [
        f"{SEX_NAMES[case['sex']][:-1]} {case['bone_age_months'] / 12:.1f} y, "
        f"predicted {case['predicted_months'] / 12:.1f}"
        for case in cases.to_dict("records")
    ]
    overlays = [overlay_map(image, m, scale_months) for image, m in zip(images, maps, strict=True)]
    return image_sheet(overlays, titles, columns, f"{title} (full colour: {scale_months:.0f} months)")
