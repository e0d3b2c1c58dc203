"""Figures 7 to 9 of paper 002: loss and scores over iterations, one network or several, and by labels."""

from collections.abc import Mapping, Sequence
from itertools import cycle

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from boneage_kedro.evaluation.segmentation.class_scores import OVERALL

_COLOURS = ("#20639b", "#d1495b", "#3a8f5c", "#8a5aa8", "#c98a1b", "#4d4d4d")
_MEASURES = {"precision": "#20639b", "recall": "#c98a1b", "iou": "#d1495b"}


def iteration_curves(history: pd.DataFrame, bones: Sequence[str], title: str) -> Figure:
    """Losses over the iterations of one training, and precision, recall and IoU on the validation part.

    Args:
        history: a row an epoch: ``iteration``, ``train_loss``, ``validation_loss``, and the columns of
            `boneage_kedro.evaluation.segmentation.class_scores.pixel_scores` with ``validation_`` before.
        bones: those of a panel each, beside the overall scores.
    """
    figure, (left, *others) = _panels(2 + len(bones), title)
    losses = {"train_loss": "training", "validation_loss": "validation (cross entropy)"}
    for (column, text), colour in zip(losses.items(), ("0.6", _COLOURS[0]), strict=True):
        left.plot(history["iteration"], history[column], color=colour, label=text)
    left.set(ylabel="loss", yscale="log")
    left.legend(frameon=False, fontsize=8)
    for axis, name in zip(others, (OVERALL, *bones), strict=True):
        for measure, colour in _MEASURES.items():
            values = history[f"validation_{measure}_{name}"]
            axis.plot(history["iteration"], values, color=colour, label=measure)
        axis.set(title=name, ylabel="on the validation part")
    others[-1].legend(frameon=False, fontsize=8)
    return figure


def study_curves(table: pd.DataFrame, bones: Sequence[str], title: str) -> Figure:
    """Losses and IoU over the iterations of several networks, the mean over their seeds.

    Args:
        table: as the history of `iteration_curves`, with ``arm`` and ``seed``.
    """
    names = {f"validation_iou_{name}": f"IoU, {name}" for name in (OVERALL, *bones)}
    panels = {"train_loss": "training loss", "validation_loss": "validation cross entropy", **names}
    figure, axes = _panels(len(panels), title)
    means = table.groupby(["arm", "iteration"], sort=False)[list(panels)].mean().reset_index()
    for (arm, part), colour in zip(means.groupby("arm", sort=False), cycle(_COLOURS), strict=False):
        for axis, column in zip(axes, panels, strict=True):
            axis.plot(part["iteration"], part[column], color=colour, label=str(arm))
    for axis, (column, text) in zip(axes, panels.items(), strict=True):
        axis.set(title=text, yscale="log" if column.endswith("loss") else "linear")
    axes[-1].legend(frameon=False, fontsize=7)
    return figure


def label_curves(
    table: pd.DataFrame, bones: Sequence[str], families: Mapping[str, str], title: str
) -> Figure:
    """IoU on the test part over the number of training pictures, the mean over seeds and each of them.

    Args:
        table: a row an ``arm`` and ``seed``, with ``labels`` and ``test_iou_<bone>``.
        families: which network an arm has; arms of one are joined by a line.
    """
    figure, axes = _panels(len(bones), title)
    grouped = table.assign(family=table["arm"].map(families)).groupby("family", sort=False)
    for (family, part), colour in zip(grouped, cycle(_COLOURS), strict=False):
        for axis, bone in zip(axes, bones, strict=True):
            column = f"test_iou_{bone}"
            axis.plot(part["labels"], part[column], ".", color=colour, alpha=0.5)
            axis.plot(part.groupby("labels")[column].mean(), "-", color=colour, label=str(family))
    for axis, bone in zip(axes, bones, strict=True):
        axis.set(xlabel="training pictures", ylabel="IoU on the test part", title=bone)
    axes[-1].legend(frameon=False, fontsize=8)
    return figure


def _panels(count: int, title: str) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(3.6 * count, 3.4), layout="constrained")
    axes = figure.subplots(1, count, squeeze=False)[0].tolist()
    for axis in axes:
        axis.set_xlabel("iteration")
    figure.suptitle(title, fontsize=10)
    return figure, axes
