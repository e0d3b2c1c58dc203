"""Figures of an ablation: errors of all combinations, and what each step brings (paper 001, section 3.4)."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from boneage_kedro.evaluation.figures import COHORT_NAMES, SEX_COLOURS
from boneage_kedro.evaluation.studies.ablation import AVERAGE, FACTORS, NETWORKS
from boneage_kedro.evaluation.studies.study import CONSTANT_GUESS

IMAGE_NAMES = {"whole": "raw", "hand": "segmented", "enhanced": "segmented,\nenhanced"}
_GROUP_COLOURS = {"all": "0.3", **SEX_COLOURS}


def combination_bars(errors: pd.DataFrame, title: str) -> Figure:
    """MAE of all combinations with the sd over seeds, a panel a group of children, a group of bars a kind of picture.

    Args:
        errors: as of `boneage_kedro.evaluation.studies.ablation.errors_of_combinations`, of one part of the split;
            the constant guess stands above its panel.
        title: over all panels.
    """
    groups = list(dict.fromkeys(errors["tested_on"]))
    figure = Figure(figsize=(3.4 * len(groups) + 2.4, 3.8), layout="constrained")
    axes = figure.subplots(1, len(groups), squeeze=False, sharey=True)[0]
    for axis, group in zip(axes, groups, strict=True):
        part = errors[errors["tested_on"] == group]
        guess = part["strategy"] == CONSTANT_GUESS
        _draw_combinations(axis, part[~guess])
        name = f"{COHORT_NAMES[group]} ({part['cases'].max()})"
        axis.set_title(f"{name}\nconstant guess: {part.loc[guess, 'mae'].mean():.1f}", fontsize=9)
    axes[0].set_ylabel("MAE (months), sd over seeds")
    figure.legend(*axes[0].get_legend_handles_labels(), frameon=False, loc="outside right upper", fontsize=8)
    figure.suptitle(title, fontsize=10)
    return figure


def _draw_combinations(axis: Axes, errors: pd.DataFrame) -> None:
    """Colours are strategies; networks of one sex alone are hatched."""
    images, strategies, networks = (list(dict.fromkeys(errors[factor])) for factor in FACTORS)
    bars = [(strategy, network) for strategy in strategies for network in networks]
    width = 0.86 / len(bars)
    by_bar = errors.set_index(list(FACTORS))
    for number, (strategy, network) in enumerate(bars):
        mine = by_bar.loc[[(kind, strategy, network) for kind in images]]
        drawn = axis.bar(
            np.arange(len(images)) + (number - (len(bars) - 1) / 2) * width,
            mine["mae"],
            width,
            yerr=mine["mae_sd"].fillna(0),
            capsize=2,
            color=f"C{strategies.index(strategy)}",
            alpha=0.75,
            hatch="" if network == NETWORKS[0] else "///",
            edgecolor="white",
            label=f"{strategy}, {network}",
        )
        axis.bar_label(drawn, fmt="%.1f", fontsize=6, padding=2)
    axis.set_xticks(range(len(images)), [IMAGE_NAMES[kind] for kind in images], fontsize=8)
    axis.margins(y=0.1)  # room for the figures over the bars


def step_gains(gains: pd.DataFrame, title: str) -> Figure:
    """How the MAE changes with each step, a row a step, a colour a group of children.

    A ring with its 95% interval is the mean over all other factors, a dot a combination of these.

    Args:
        gains: as of `boneage_kedro.evaluation.studies.ablation.gains_of_steps`.
        title: over the panel.
    """
    steps, groups = (list(dict.fromkeys(gains[key])) for key in ("step", "tested_on"))
    figure = Figure(figsize=(8, 1.3 + 0.75 * len(steps)), layout="constrained")
    axis = figure.subplots()
    axis.axvline(0, color="0.6", lw=1)
    average = (gains[list(FACTORS)] == AVERAGE).any(axis=1)
    for number, group in enumerate(groups):
        mine, colour = gains["tested_on"] == group, _GROUP_COLOURS[group]
        places = gains["step"].map({step: place for place, step in enumerate(steps)}) + 0.25 * (
            number - (len(groups) - 1) / 2
        )
        dots, means = mine & ~average, gains[mine & average]
        axis.plot(gains.loc[dots, "difference"], places[dots], ".", ms=5, color=colour, alpha=0.35)
        spread = [
            means["difference"] - means["difference_low"],
            means["difference_high"] - means["difference"],
        ]
        label = f"{COHORT_NAMES[group]} ({means['cases'].max()})"
        axis.errorbar(
            means["difference"],
            places[means.index],
            xerr=spread,
            fmt="o",
            ms=6,
            mfc="white",
            color=colour,
            label=label,
        )
    axis.set_yticks(range(len(steps)), steps)
    axis.invert_yaxis()
    axis.set(xlabel="change of the MAE (months): left of 0 the step helps", title=title)
    axis.title.set_fontsize(10)
    axis.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
    return figure
