"""Figures of predicted ages and their intervals; each function draws one and returns it."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from boneage_kedro.evaluation.figures import SEX_COLOURS, SEX_NAMES

_ALL_COLOUR = "0.35"
_SIDE_BY_SIDE = 0.16  # how far the sexes of a band stand apart


def bland_altman_plot(
    truth: pd.DataFrame, predicted: np.ndarray, agreement: Mapping[str, float], title: str
) -> Figure:
    """Difference against mean, with bias, limits of agreement, their intervals as bands, and the slope.

    Args:
        truth: ``sex, bone_age_months``, a row a case.
        predicted: (n,) months.
        agreement: of the same cases, as of `boneage_kedro.evaluation.ages.agreement.bland_altman`.
        title: over the panel.
    """
    figure = Figure(figsize=(7, 4.4), layout="constrained")
    axis = figure.subplots()
    read = truth["bone_age_months"].to_numpy(float)
    means, differences = (read + predicted) / 24, predicted - read
    for sex, colour in SEX_COLOURS.items():
        mine = (truth["sex"] == sex).to_numpy()
        axis.plot(means[mine], differences[mine], ".", color=colour, alpha=0.7, label=SEX_NAMES[sex])
    for name, style in (("bias", "-"), ("lower_limit", "--"), ("upper_limit", "--")):
        _level(axis, agreement, name, style)
    ends = np.array([means.min(), means.max()])
    trend = agreement["bias"] + 12 * agreement["slope"] * (ends - means.mean())
    axis.plot(ends, trend, color="#d1495b", lw=1.4, label=f"slope {agreement['slope']:+.3f}")
    axis.set(xlabel="mean of predicted and read (years)", ylabel="predicted - read (months)", title=title)
    axis.legend(frameon=False, fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=3)
    return figure


def coverage_bars(coverage: pd.DataFrame, wanted: float, least: float, title: str) -> Figure:
    """Coverage by band of read age and sex with its binomial interval; the number of cases stands below.

    Args:
        coverage: as of `boneage_kedro.evaluation.ages.coverage.interval_coverage`.
        wanted: share that the intervals were calibrated for, drawn as a line.
        least: share that each group is to keep, drawn as a dotted line.
        title: over the panel.
    """
    bands = list(dict.fromkeys(coverage["age_band"]))
    figure = Figure(figsize=(2.4 + 0.85 * len(bands), 3.8), layout="constrained")
    axis = figure.subplots()
    axis.axhline(wanted, color="0.4", lw=1)
    axis.axhline(least, color="0.4", lw=1, ls=":")
    for offset, (sex, colour) in enumerate({"all": _ALL_COLOUR, **SEX_COLOURS}.items(), start=-1):
        part = coverage[coverage["sex"] == sex]
        places = np.array([bands.index(band) for band in part["age_band"]]) + 1.5 * _SIDE_BY_SIDE * offset
        ends = [part["coverage"] - part["coverage_low"], part["coverage_high"] - part["coverage"]]
        name = SEX_NAMES.get(sex, "all")
        axis.errorbar(places, part["coverage"], yerr=ends, fmt="o", ms=4, color=colour, capsize=2, label=name)
        for place, cases in zip(places, part["cases"], strict=True):
            axis.annotate(
                str(cases),
                (place, 0.01),
                xycoords=("data", "axes fraction"),
                fontsize=6,
                color=colour,
                ha="center",
            )
    low = float(coverage["coverage_low"].min())
    axis.set(xticks=range(len(bands)), xticklabels=bands, ylim=(min(low, least) - 0.1, 1.02), title=title)
    axis.set(xlabel="read bone age", ylabel="share of intervals that hold it")
    figure.legend(*axis.get_legend_handles_labels(), frameon=False, fontsize=8, loc="outside right upper")
    return figure


def width_over_age(cases: pd.DataFrame, title: str) -> Figure:
    """Width of the intervals over predicted age; hollow where the interval does not hold the read age.

    Args:
        cases: ``sex, predicted_months, bone_age_months, lower_months, upper_months``, a row a case.
        title: over the panel.
    """
    figure = Figure(figsize=(7, 3.6), layout="constrained")
    axis = figure.subplots()
    held = cases["bone_age_months"].between(cases["lower_months"], cases["upper_months"])
    for sex, colour in SEX_COLOURS.items():
        for inside, face in ((True, colour), (False, "none")):
            part = cases[(cases["sex"] == sex) & (held == inside)]
            width = part["upper_months"] - part["lower_months"]
            label = SEX_NAMES[sex] if inside else f"{SEX_NAMES[sex]}, read age outside"
            axis.plot(
                part["predicted_months"] / 12, width, "o", ms=4, mec=colour, mfc=face, alpha=0.8, label=label
            )
    axis.set(xlabel="predicted bone age (years)", ylabel="width of the interval (months)", title=title)
    axis.set_ylim(bottom=0)
    figure.legend(*axis.get_legend_handles_labels(), frameon=False, fontsize=8, loc="outside right upper")
    return figure


def _level(axis: Axes, agreement: Mapping[str, float], name: str, style: str) -> None:
    """A line across, its interval as a band, and its value at the right."""
    axis.axhline(agreement[name], color="0.4", ls=style, lw=1)
    axis.axhspan(agreement[f"{name}_low"], agreement[f"{name}_high"], color="0.85", lw=0, zorder=0)
    axis.text(
        1.01,
        agreement[name],
        f"{agreement[name]:+.1f}",
        transform=axis.get_yaxis_transform(),
        va="center",
        fontsize=8,
    )
