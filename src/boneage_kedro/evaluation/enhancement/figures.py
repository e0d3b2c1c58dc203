"""Figures of enhancement: methods side by side, the worst changes of structure, and the spread of tone."""

from collections.abc import Mapping, Sequence
from textwrap import wrap

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from boneage_kedro.evaluation.clinical.overlay import overlay_map

_TITLE_WIDTH = 42  # letters over a picture of a sheet
_ZOOM = 4  # of the frame around a change
_DOT_SPREAD = 0.16  # how far dots of one method lie apart
_TONES = {"mean": "mean gray within the hand", "contrast": "contrast within the hand (SD)"}


def enhancement_sheet(
    pictures: Mapping[str, Sequence[np.ndarray]], cases: Sequence[str], title: str
) -> Figure:
    """A row a method, a column a case (paper 001, figure 10).

    Args:
        pictures: by method, in the order of the rows, such as input, clahe, enhanced, gold; each has one picture a
            case, (H, W) float32, 0 to 1. All are drawn from black 0 to white 1, so that tones can be compared.
        cases: what stands over each column.
        title: over the sheet.

    Raises:
        ValueError: a method lacks pictures.
    """
    figure = Figure(figsize=(1.7 * len(cases) + 0.4, 1.75 * len(pictures) + 0.5), layout="constrained")
    axes = figure.subplots(len(pictures), len(cases), squeeze=False)
    for row, (method, shown) in zip(axes, pictures.items(), strict=True):
        if len(shown) != len(cases):
            raise ValueError(f"{method} has {len(shown)} pictures for {len(cases)} cases")
        for axis, picture in zip(row, shown, strict=True):
            axis.imshow(picture, cmap="gray", vmin=0, vmax=1)
            axis.set(xticks=[], yticks=[])
            axis.spines[:].set_visible(False)
        row[0].set_ylabel(method, fontsize=9)
    for axis, case in zip(axes[0], cases, strict=True):
        axis.set_title(case, fontsize=8)
    figure.suptitle(title, fontsize=10)
    return figure


def fidelity_sheet(
    originals: Sequence[np.ndarray],
    enhanced: Sequence[np.ndarray],
    changes: Sequence[np.ndarray],
    table: pd.DataFrame,
    full_colour: float,
    title: str,
) -> Figure:
    """A column a case: the enhanced picture, where it changed most before and after, the change, and the reasons.

    Args:
        originals, enhanced: (H, W) float32, 0 to 1.
        changes: (H, W) float32 of each, as of `fidelity.structure_change`; drawn red where brighter.
        table: a row a picture in the same order: ``id, added, reason`` (`fidelity.fidelity_row`).
        full_colour: the change that gets full colour, in units of the contrast around it.
        title: over the sheet.
    """
    figure = Figure(figsize=(2.3 * max(2, len(table)), 10.4), layout="constrained")
    axes = figure.subplots(4, max(1, len(table)), squeeze=False)
    for axis, name in zip(axes[:, 0], ("enhanced", "original", "enhanced", "change"), strict=True):
        axis.set_ylabel(name, fontsize=9)
    columns = zip(axes.T[: len(table)], _reason_titles(table), strict=True)
    for (column, text), before, after, change in zip(columns, originals, enhanced, changes, strict=True):
        _draw_change(column, before, after, change, full_colour)
        column[0].set_title(text, fontsize=7)
    figure.suptitle(f"{title} (full colour: {full_colour:g})", fontsize=10)
    return figure


def tone_spread(grades: pd.DataFrame, title: str) -> Figure:
    """Mean and contrast within the hand over the images, a box and a dot an image for each method.

    Args:
        grades: ``method, mean, contrast``, a row a picture (`image_quality.grade`).
        title: over both panels.
    """
    methods = list(dict.fromkeys(grades["method"]))
    figure = Figure(figsize=(9, 1.4 + 0.45 * len(methods)), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    for axis, (tone, label) in zip(axes, _TONES.items(), strict=True):
        _draw_spread(axis, [grades.loc[grades["method"] == method, tone].dropna() for method in methods])
        axis.set(xlabel=label, yticks=range(len(methods)), yticklabels=methods)
    axes[0].invert_yaxis()
    figure.suptitle(title, fontsize=10)
    return figure


def _draw_spread(axis: Axes, groups: Sequence[pd.Series]) -> None:
    """A box from quartile to quartile over a dot for each value."""
    for place, values in enumerate(groups):
        offsets = _DOT_SPREAD * np.sin(2.4 * np.arange(len(values)))  # apart, and the same each time
        axis.plot(values, place + offsets, ".", ms=3, color="#20639b", alpha=0.35, zorder=1)
    axis.boxplot(
        [values.to_numpy() for values in groups],
        positions=range(len(groups)),
        orientation="horizontal",
        widths=0.6,
        showfliers=False,
        medianprops={"color": "#d1495b", "lw": 1.5},
    )


def _draw_change(
    axes: np.ndarray, original: np.ndarray, enhanced: np.ndarray, change: np.ndarray, full_colour: float
) -> None:
    """The whole enhanced picture with a frame around its strongest change, and what is in the frame three times."""
    frame = _frame(change)
    levels = np.rint(255 * np.clip(enhanced, 0, 1)).astype(np.uint8)
    details = (original[frame], enhanced[frame], overlay_map(levels[frame], change[frame], full_colour))
    for axis, shown in zip(axes, (enhanced, *details), strict=True):
        axis.imshow(shown, cmap="gray")  # each on its own scale: structure is compared here, not tone
        axis.set(xticks=[], yticks=[])
    rows, columns = frame
    corner, side = (columns.start, rows.start), rows.stop - rows.start
    axes[0].add_patch(Rectangle(corner, columns.stop - columns.start, side, fill=False, ec="#e69f00", lw=1))


def _frame(change: np.ndarray) -> tuple[slice, slice]:
    """A square of a quarter of the longer side around the strongest change, as far as the picture reaches."""
    half = max(change.shape) // (2 * _ZOOM)
    middle = np.unravel_index(np.abs(change).argmax(), change.shape)
    starts = [
        min(max(0, int(place) - half), max(0, side - 2 * half))
        for place, side in zip(middle, change.shape, strict=True)
    ]
    return slice(starts[0], starts[0] + 2 * half), slice(starts[1], starts[1] + 2 * half)


def _reason_titles(table: pd.DataFrame) -> list[str]:
    return [
        "\n".join([f"{row['id']}: added {row['added']:.2f}", *wrap(row["reason"] or "used", _TITLE_WIDTH)])
        for row in table.to_dict("records")
    ]
