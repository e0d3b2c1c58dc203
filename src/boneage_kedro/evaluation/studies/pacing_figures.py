"""Figures of strategies of transfer learning, with their spread over seeds (paper 001, figures 11 and 12)."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from boneage_kedro.evaluation.figures import COHORT_NAMES

_PARTS = {"train": "training (augmented)", "validation": "validation"}


def strategy_curves(histories: pd.DataFrame, title: str) -> Figure:
    """Training and validation MAE by epoch, a column a cohort, a line a strategy: the mean over seeds.

    Its band goes from the lowest to the highest seed. A ring is an epoch from which more blocks learn.

    Args:
        histories: ``strategy, cohort, seed, epoch, stage, train_mae_months, validation_mae_months``, a row an epoch.
        title: over all panels.
    """
    cohorts = list(dict.fromkeys(histories["cohort"]))
    figure = Figure(figsize=(3.2 * len(cohorts) + 2, 6), layout="constrained")
    axes = figure.subplots(2, len(cohorts), squeeze=False, sharex=True, sharey="row")
    for row, (part, text) in zip(axes, _PARTS.items(), strict=True):
        row[0].set_ylabel(f"MAE in {text}, months")
        for axis, cohort in zip(row, cohorts, strict=True):
            _draw_curves(axis, histories[histories["cohort"] == cohort], f"{part}_mae_months")
    for axis, cohort in zip(axes[0], cohorts, strict=True):
        axis.set_title(COHORT_NAMES[cohort], fontsize=10)
    for axis in axes[1]:
        axis.set_xlabel("epoch")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), frameon=False, loc="outside right upper")
    figure.suptitle(title, fontsize=10)
    return figure


def _draw_curves(axis: Axes, histories: pd.DataFrame, measure: str) -> None:
    for number, (strategy, part) in enumerate(histories.groupby("strategy", sort=False)):
        colour = f"C{number}"
        by_seed = part.pivot_table(index="epoch", columns="seed", values=measure)
        epochs, mean = by_seed.index + 1, by_seed.mean(axis=1)
        axis.plot(epochs, mean, color=colour, lw=1.4, label=strategy)
        axis.fill_between(epochs, by_seed.min(axis=1), by_seed.max(axis=1), color=colour, alpha=0.15, lw=0)
        starts = part.groupby("stage")["epoch"].min()
        starts = starts[starts > 0]
        axis.plot(starts + 1, mean[starts], "o", ms=5, mec=colour, mfc="white")
    axis.set_yscale("log")
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.yaxis.set_major_formatter("{x:g}")
    axis.yaxis.set_minor_formatter("{x:g}")
    axis.tick_params(which="both", labelsize=8)


def strategy_bars(errors: pd.DataFrame, guesses: Mapping[str, float], title: str) -> Figure:
    """MAE of the strategies, a group of bars a cohort: the mean over seeds with its sd, and a dot a seed.

    Args:
        errors: ``strategy, cohort, seed, mae``, a row a training, in months.
        guesses: cohort -> MAE of the constant guess, which stands below the cohort's name.
        title: over the panel.
    """
    cohorts, strategies = (list(dict.fromkeys(errors[key])) for key in ("cohort", "strategy"))
    figure = Figure(figsize=(2.5 + max(1.5, 0.4 * len(strategies)) * len(cohorts), 3.8), layout="constrained")
    axis = figure.subplots()
    width = 0.86 / len(strategies)
    for number, strategy in enumerate(strategies):
        offset = (number - (len(strategies) - 1) / 2) * width
        by_cohort = errors[errors["strategy"] == strategy].groupby("cohort")["mae"]
        for place, cohort in enumerate(cohorts):
            maes = by_cohort.get_group(cohort).to_numpy()
            _draw_bar(axis, place + offset, width, maes, f"C{number}", strategy if place == 0 else "")
    names = [f"{COHORT_NAMES[cohort]}\nconstant guess: {guesses[cohort]:.1f}" for cohort in cohorts]
    axis.set(xticks=range(len(cohorts)), xticklabels=names, ylabel="MAE (months), sd over seeds", title=title)
    axis.margins(y=0.1)  # room for the figures over the bars
    figure.legend(*axis.get_legend_handles_labels(), frameon=False, loc="outside right upper")
    return figure


def _draw_bar(axis: Axes, place: float, width: float, maes: np.ndarray, colour: str, label: str) -> None:
    sd = maes.std(ddof=1) if len(maes) > 1 else 0.0
    axis.bar(place, maes.mean(), width, yerr=sd, capsize=2, color=colour, alpha=0.75, label=label)
    axis.plot(np.full(len(maes), place + width / 4), maes, "o", ms=3, mec="0.15", mfc="white", mew=0.8)
    top = max(maes.mean() + sd, maes.max())
    axis.annotate(
        f"{maes.mean():.1f}", (place, top), (0, 3), textcoords="offset points", ha="center", fontsize=7
    )
