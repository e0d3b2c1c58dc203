"""Figures of errors on parts of the children."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from boneage_kedro.evaluation.ages.error_groups import ALL
from boneage_kedro.evaluation.figures import SEX_NAMES

_BREADTH = 0.7  # of a group's marks, where groups are 1 apart


def group_errors(groups: pd.DataFrame, title: str) -> Figure:
    """MAE of every arm by age range, a panel a sex, and at the right of all ages by sex and race.

    Args:
        groups: as of `boneage_kedro.evaluation.ages.error_groups.errors_by_group`, of one split; the number of cases
            stands below each group.
        title: over the panels.
    """
    of_all_ages = groups["age_band"] == ALL
    panels = [
        (SEX_NAMES[sex], groups[~of_all_ages & (groups["sex"] == sex)], ["age_band"])
        for sex in SEX_NAMES
        if (groups["sex"] == sex).any()
    ]
    panels.append(("all ages", groups[of_all_ages], [name for name in ("sex", "race") if name in groups]))
    counts = [len(part[columns].drop_duplicates()) for _, part, columns in panels]
    figure = Figure(figsize=(3 + 0.62 * sum(counts), 4.2), layout="constrained")
    axes = figure.subplots(1, len(panels), sharey=True, squeeze=False, width_ratios=counts)[0]
    for axis, (name, part, columns) in zip(axes, panels, strict=True):
        _draw_panel(axis, part, columns)
        axis.set_title(name, fontsize=9)
    axes[0].set_ylabel("MAE (months), standard deviation over folds")
    axes[-1].legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
    figure.suptitle(title, fontsize=10)
    return figure


def _draw_panel(axis: Axes, part: pd.DataFrame, columns: Sequence[str]) -> None:
    """A place a group, and at each a mark an arm."""
    names = part[columns].apply(_name, axis=1)
    places = {name: place for place, name in enumerate(dict.fromkeys(names))}
    arms = list(dict.fromkeys(part["arm"]))
    offsets = (np.arange(len(arms)) - (len(arms) - 1) / 2) * _BREADTH / len(arms)
    for arm, offset in zip(arms, offsets, strict=True):
        mine = part["arm"] == arm
        x = names[mine].map(places) + offset
        axis.errorbar(x, part["mae"][mine], part["mae_sd"][mine].fillna(0), fmt="o", ms=4, lw=1, label=arm)
    cases = part.groupby(names)["cases"].max()
    labels = [f"{name}\n{cases[name]}" for name in places]
    axis.set_xticks(range(len(places)), labels, fontsize=7)
    axis.set(ylim=(0, None), xlim=(-0.6, len(places) - 0.4))
    axis.grid(axis="y", color="0.9", zorder=0)


def _name(group: pd.Series) -> str:
    """The first that the group is of; ``all`` if of none."""
    known = [value for value in group if value != ALL]
    return str(SEX_NAMES.get(known[0], known[0])) if known else ALL
