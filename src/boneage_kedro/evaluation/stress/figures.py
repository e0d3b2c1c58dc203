"""Figures of stress: what each change does to the error, and what it looks like."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from boneage_kedro.evaluation.figures import image_sheet
from boneage_kedro.evaluation.stress.decisions import SIGNIFICANCE, mae_changed
from boneage_kedro.imaging.changes.alterations import GrayScale
from boneage_kedro.imaging.changes.stress import Transformation

_COLOURS = {"worse": "#d1495b", "better": "#3a8f5c", "same": "0.7"}


def stress_bars(comparison: pd.DataFrame, title: str) -> Figure:
    """Change of the MAE by each transformation with its interval, coloured where that leaves out 0.

    Beside the bars stand the clinically significant errors before and after, with one star where McNemar's test finds
    a change and two where it does so after Holm's correction, and those after that are not told to be indeterminate.

    Args:
        comparison: of `boneage_kedro.evaluation.stress.decisions.compare_stress`.
    """
    figure = Figure(figsize=(8.5, 1.4 + 0.24 * len(comparison)), layout="constrained")
    axis = figure.subplots()
    change = comparison["mae_change"]
    spread = [change - comparison["mae_change_low"], comparison["mae_change_high"] - change]
    axis.barh(
        range(len(comparison)), change, 0.7, xerr=spread, color=_colours(comparison), error_kw={"lw": 0.8}
    )
    axis.axvline(0, color="0.3", lw=0.8)
    axis.set(yticks=range(len(comparison)), yticklabels=comparison["transformation"])
    axis.tick_params(axis="y", labelsize=8)
    axis.invert_yaxis()
    axis.margins(y=0.01)
    for place, text in enumerate(_remarks(comparison)):
        axis.text(1.02, place, text, transform=axis.get_yaxis_transform(), fontsize=7, va="center")
    axis.text(
        1.02,
        -1,
        "significant errors (unnoticed)",
        transform=axis.get_yaxis_transform(),
        fontsize=7,
        va="center",
    )
    axis.set(xlabel="change of the MAE (months), paired 95% interval")
    figure.suptitle(title, fontsize=10)
    return figure


def stress_sheet(
    pixels: np.ndarray, transformations: Sequence[Transformation], columns: int, title: str
) -> Figure:
    """One radiograph, (H, W) as read, in each of its transformations; each is drawn over its whole gray range."""
    changed = [transformation.apply(pixels, "sheet") for transformation in transformations]
    shown = [np.rint(255 * GrayScale.of(picture).levels(picture)).astype(np.uint8) for picture in changed]
    return image_sheet(shown, [transformation.name for transformation in transformations], columns, title)


def _colours(comparison: pd.DataFrame) -> list[str]:
    changed = mae_changed(comparison)
    names = np.where(changed, np.where(comparison["mae_change"] > 0, "worse", "better"), "same")
    return [_COLOURS[name] for name in names]


def _remarks(comparison: pd.DataFrame) -> list[str]:
    """Errors before, after and unnoticed, with their stars, and the share refused where there is any."""
    remarks = []
    for row in comparison.to_dict("records"):
        stars = "*" * (int(row["p_value"] < SIGNIFICANCE) + int(row["p_holm"] < SIGNIFICANCE))
        refused = f", {row['refused']:.0%} refused" if row["refused"] else ""
        errors = f"{row['errors_before']} → {row['errors_after']}{stars} ({row['errors_unnoticed']})"
        remarks.append(f"{errors}{refused}")
    return remarks
