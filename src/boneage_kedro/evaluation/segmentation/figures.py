"""Figures of segmentation: masks over their pictures, and Dice over rounds and numbers of labels."""

from collections.abc import Iterator, Sequence
from itertools import cycle
from textwrap import wrap

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from boneage_kedro.evaluation.figures import image_sheet
from boneage_kedro.evaluation.segmentation.scores import outline

# Of the codes 1, 2, ... in turn; told apart by colour-blind readers too (Okabe and Ito), and by all on gray.
CLASS_COLOURS = np.array([[230, 159, 0], [86, 180, 233], [0, 200, 140], [240, 100, 170], [240, 228, 66]])
_ARM_COLOURS = ("#20639b", "#d1495b", "#3a8f5c", "#8a5aa8", "#c98a1b")
_FILL = 0.2
_TITLE_WIDTH = 30  # letters over a picture of a sheet
_OUTLINE_PER_PX = 1 / 700  # width of the outline: a pixel up to this long a side


def mask_overlay(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Draw a mask over its picture: an outline just inside each class, and a light fill.

    Args:
        image: (H, W) uint8.
        mask: (H, W) uint8 codes; 0 shows the picture unchanged. Colours repeat after five classes.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        ValueError: picture and mask differ in size.
    """
    if image.shape != mask.shape:
        raise ValueError(f"the picture is {image.shape}, its mask {mask.shape}; bring them into one frame")
    drawn = image[..., None].repeat(3, axis=2)
    width = max(1, round(max(image.shape) * _OUTLINE_PER_PX))
    for code in np.unique(mask[mask != 0]).tolist():
        colour, inside = CLASS_COLOURS[(code - 1) % len(CLASS_COLOURS)], mask == code
        drawn[inside] = np.rint((1 - _FILL) * drawn[inside] + _FILL * colour)
        drawn[outline(inside, width)] = colour
    return drawn


def mask_sheet(
    images: Sequence[np.ndarray], masks: Sequence[np.ndarray], titles: Sequence[str], columns: int, title: str
) -> Figure:
    """Pictures side by side with their masks drawn over them, a line of text over each (`mask_overlay`)."""
    overlays = [mask_overlay(image, mask) for image, mask in zip(images, masks, strict=True)]
    return image_sheet(overlays, titles, columns, title)


def doubt_titles(quality: pd.DataFrame) -> list[str]:
    """Id, disagreement and the reasons not to trust the mask, to stand over each picture of a `mask_sheet`.

    Args:
        quality: ``id, disagreement, reason`` (`boneage_kedro.masks.hand.quality.quality_row`).
    """
    return [
        "\n".join([f"{row['id']}: {row['disagreement']:.3g}", *wrap(row["reason"], _TITLE_WIDTH)])
        for row in quality.to_dict("records")
    ]


def rounds_curve(table: pd.DataFrame, baselines: Sequence[str], title: str) -> Figure:
    """Dice over the rounds of self-training beside the quality of the pseudo-labels (paper 000, table II).

    Args:
        table: one row an arm, seed and round: ``arm``, ``seed``, ``round``, ``test_dice`` on the test part, and
            ``pseudo_dice``, that of the pseudo-labels with their truth, nan where there are none.
        baselines: arms without rounds, such as training on all labels; drawn as horizontal lines.
        title: over both panels.
    """
    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for arm, part, colour in _arms(table, baselines):
        _draw_arm(left, part, ("round", "test_dice"), arm, colour)
        _draw_arm(right, part.dropna(subset=["pseudo_dice"]), ("round", "pseudo_dice"), arm, colour)
    _draw_baselines(left, table, baselines)
    left.set(xlabel="round", ylabel="Dice on the test part", title="student")
    right.set(xlabel="round", ylabel="Dice of pseudo-labels with their truth", title="pseudo-labels")
    for axis in (left, right):
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.legend(*left.get_legend_handles_labels(), frameon=False, fontsize=8, loc="outside right upper")
    figure.suptitle(title, fontsize=10)
    return figure


def label_efficiency_curve(table: pd.DataFrame, baselines: Sequence[str], title: str) -> Figure:
    """Dice over the number of labels (paper 001, section 3.2), with the mean and spread over seeds and each seed.

    Args:
        table: one row an arm, seed and number of labels: ``arm``, ``seed``, ``labels``, and ``test_dice`` on the
            test part.
        baselines: arms of one number of labels, such as another network on all; drawn as horizontal lines.
        title: over the panel.
    """
    figure = Figure(figsize=(7, 4), layout="constrained")
    axis = figure.subplots()
    for arm, part, colour in _arms(table, baselines):
        axis.plot(part["labels"], part["test_dice"], ".", ms=4, color=colour, alpha=0.45)
        _draw_arm(axis, part, ("labels", "test_dice"), arm, colour)
    _draw_baselines(axis, table, baselines)
    axis.set(xlabel="labels", ylabel="Dice on the test part")
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.legend(*axis.get_legend_handles_labels(), frameon=False, fontsize=8, loc="outside right upper")
    figure.suptitle(title, fontsize=10)
    return figure


def _arms(table: pd.DataFrame, baselines: Sequence[str]) -> Iterator[tuple[str, pd.DataFrame, str]]:
    """Name, rows and colour of each arm that has a curve, in the order of the table."""
    parts = table[~table["arm"].isin(baselines)].groupby("arm", sort=False)
    for (arm, part), colour in zip(parts, cycle(_ARM_COLOURS), strict=False):
        yield str(arm), part, colour


def _draw_arm(axis: Axes, part: pd.DataFrame, columns: tuple[str, str], arm: str, colour: str) -> None:
    """Mean over seeds as a line, one standard deviation as a band, where there is more than one seed."""
    over, measure = columns
    by_place = part.groupby(over)[measure].agg(["mean", "std"])
    mean, spread = by_place["mean"], by_place["std"].fillna(0)
    axis.plot(by_place.index, mean, "o-", ms=3, color=colour, label=arm)
    axis.fill_between(by_place.index, mean - spread, mean + spread, color=colour, alpha=0.18, lw=0)


def _draw_baselines(axis: Axes, table: pd.DataFrame, baselines: Sequence[str]) -> None:
    """Mean Dice on the test part of each baseline, as a horizontal line."""
    for arm, style in zip(baselines, cycle(("--", ":", "-.")), strict=False):
        level = table.loc[table["arm"] == arm, "test_dice"].mean()
        axis.axhline(level, color="0.35", ls=style, lw=1.2, label=f"{arm} ({level:.3f})")
