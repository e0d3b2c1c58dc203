"""Figures of enhancement: what is drawn where."""

import io

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from boneage_kedro.evaluation.enhancement.figures import (
    enhancement_sheet,
    fidelity_sheet,
    tone_spread,
)
from boneage_kedro.evaluation.figures import worst_first

GRAY = np.linspace(0, 1, 64 * 48, dtype=np.float32).reshape(64, 48)


def drawn(figure: Figure) -> bool:
    return figure.savefig(io.BytesIO(), dpi=30) is None


def table(count: int) -> pd.DataFrame:
    reasons = ["", "9.0% of the edges are new, more than 5%."]
    return pd.DataFrame(
        [{"id": str(i), "added": 0.1 * i, "reason": reasons[i % 2]} for i in range(count)],
        columns=["id", "added", "reason"],
    )


def test_a_row_a_method_and_a_column_a_case() -> None:
    figure = enhancement_sheet({"input": [GRAY] * 3, "gold": [GRAY] * 3}, ["a", "b", "c"], "Enhancement")
    assert len(figure.axes) == 6
    assert [axis.get_ylabel() for axis in figure.axes] == ["input", "", "", "gold", "", ""]
    assert figure.axes[0].images[0].get_clim() == (0, 1)
    assert drawn(figure)


def test_a_method_without_all_pictures_is_named() -> None:
    with pytest.raises(ValueError, match="gold has 1 pictures for 2 cases"):
        enhancement_sheet({"input": [GRAY] * 2, "gold": [GRAY]}, ["a", "b"], "Enhancement")


def test_the_frame_lies_around_the_strongest_change_and_the_reason_over_it() -> None:
    change = np.zeros_like(GRAY)
    change[40, 20] = -0.7
    figure = fidelity_sheet([GRAY] * 2, [GRAY] * 2, [change] * 2, table(2), 0.5, "Changes")
    frame = figure.axes[0].patches[0]
    assert (frame.get_x(), frame.get_y(), frame.get_width(), frame.get_height()) == (12, 32, 16, 16)
    titles = [axis.get_title() for axis in figure.axes[:2]]
    assert titles[0] == "0: added 0.00\nused"
    assert titles[1].replace("\n", " ") == "1: added 0.10 9.0% of the edges are new, more than 5%."
    assert drawn(figure)


def test_a_frame_at_the_corner_stays_in_the_picture() -> None:
    change = np.zeros_like(GRAY)
    change[0, 47] = 1
    figure = fidelity_sheet([GRAY], [GRAY], [change], table(1), 0.5, "Changes")
    frame = figure.axes[0].patches[0]
    assert (frame.get_x(), frame.get_y()) == (32, 0)


def test_no_case_gives_an_empty_sheet() -> None:
    assert drawn(fidelity_sheet([], [], [], table(0), 0.5, "Changes"))


def test_worst_first_by_added_structure() -> None:
    facts = pd.DataFrame({"id": ["a", "b", "c", "d"], "added": [0.1, 0.4, np.nan, 0.4]})
    assert list(worst_first(facts, "added", 3)["id"]) == ["c", "b", "d"]


def test_a_box_a_method_on_one_axis_of_gray() -> None:
    grades = pd.DataFrame({"method": ["input"] * 4 + ["clahe"] * 4, "mean": range(8), "contrast": range(8)})
    figure = tone_spread(grades, "Tone")
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["input", "clahe"]
    assert drawn(figure)
