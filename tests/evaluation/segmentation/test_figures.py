import io

import numpy as np
import pandas as pd
import pytest

from boneage_kedro.evaluation.segmentation.figures import (
    CLASS_COLOURS,
    doubt_titles,
    label_efficiency_curve,
    mask_overlay,
    mask_sheet,
    rounds_curve,
)

GRAY = np.full((40, 60), 100, np.uint8)


def blocks() -> np.ndarray:
    mask = np.zeros((40, 60), np.uint8)
    mask[10:30, 10:30], mask[10:30, 35:50] = 1, 3
    return mask


def test_overlay_has_an_outline_a_light_fill_and_an_untouched_rest() -> None:
    drawn = mask_overlay(GRAY, blocks())
    assert drawn.dtype == np.uint8
    assert np.array_equal(drawn[10, 10], CLASS_COLOURS[0])
    assert np.array_equal(drawn[29, 49], CLASS_COLOURS[2])
    assert drawn[11, 11].tolist() == [126, 112, 80]  # 0.8 * 100 + 0.2 * (230, 159, 0)
    assert (drawn[blocks() == 0] == 100).all()
    assert np.array_equal(mask_overlay(GRAY, np.zeros_like(GRAY)), GRAY[..., None].repeat(3, axis=2))


def test_outlines_get_wider_with_the_picture_and_colours_repeat() -> None:
    mask = np.zeros((1400, 300), np.uint8)
    mask[100:200, 100:200] = 6
    drawn = mask_overlay(np.zeros_like(mask), mask)
    assert np.array_equal(drawn[[100, 101], 150], CLASS_COLOURS[[0, 0]])
    assert drawn[102, 150].tolist() == [46, 32, 0]  # the fill on black


def test_overlay_refuses_a_mask_of_another_frame() -> None:
    with pytest.raises(ValueError, match=r"the picture is \(40, 60\), its mask \(39, 60\)"):
        mask_overlay(GRAY, blocks()[1:])


def test_sheet_shows_each_overlay_under_its_title() -> None:
    figure = mask_sheet([GRAY] * 3, [blocks()] * 3, ["a", "b", "c"], 2, "masks")
    assert [axis.get_title() for axis in figure.axes] == ["a", "b", "c", ""]
    assert np.array_equal(figure.axes[0].images[0].get_array(), mask_overlay(GRAY, blocks()))
    with pytest.raises(ValueError, match="argument"):
        mask_sheet([GRAY] * 3, [blocks()] * 2, ["a", "b", "c"], 2, "masks")


@pytest.fixture
def table() -> pd.DataFrame:
    nan = float("nan")
    rows = [
        ("top", 0, 0, 0.90, nan),
        ("top", 1, 0, 0.92, nan),
        ("top", 0, 1, 0.94, 0.97),
        ("top", 1, 1, 0.96, 0.99),
        ("U-Net-89", 0, 0, 0.89, nan),
        ("U-Net-89", 1, 0, 0.91, nan),
    ]
    return pd.DataFrame(rows, columns=["arm", "seed", "round", "test_dice", "pseudo_dice"])


def test_rounds_are_means_over_seeds_with_their_spread(table: pd.DataFrame) -> None:
    student, pseudo = rounds_curve(table, ["U-Net-89"], "rounds").axes
    assert student.lines[0].get_ydata() == pytest.approx([0.91, 0.95])
    assert pseudo.lines[0].get_xdata().tolist() == [1]  # round 0 has no pseudo-labels
    assert pseudo.lines[0].get_ydata() == pytest.approx([0.98])
    band = student.collections[0].get_paths()[0].get_extents()
    assert (band.ymin, band.ymax) == pytest.approx((0.91 - 0.0002**0.5, 0.95 + 0.0002**0.5))


def test_baselines_are_horizontal_lines_and_no_curves(table: pd.DataFrame) -> None:
    figure = rounds_curve(table, ["U-Net-89"], "rounds")
    student, pseudo = figure.axes
    assert len(student.lines) == 2
    assert student.lines[1].get_ydata() == pytest.approx([0.9, 0.9])
    assert len(pseudo.lines) == 1
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["top", "U-Net-89 (0.900)"]


def test_one_seed_has_a_curve_without_a_band(table: pd.DataFrame) -> None:
    figure = rounds_curve(table[table["seed"] == 0], ["U-Net-89"], "rounds")
    figure.savefig(io.BytesIO(), dpi=40)
    band = figure.axes[0].collections[0].get_paths()[0].get_extents()
    assert (band.ymin, band.ymax) == pytest.approx((0.90, 0.94))


@pytest.fixture
def efficiency() -> pd.DataFrame:
    rows = [
        ("committee", 0, 100, 0.90),
        ("committee", 1, 100, 0.92),
        ("committee", 0, 110, 0.95),
        ("committee", 1, 110, 0.97),
        ("random", 0, 100, 0.88),
        ("U-Net, 400 labels", 0, 400, 0.96),
        ("U-Net, 400 labels", 1, 400, 0.98),
    ]
    return pd.DataFrame(rows, columns=["arm", "seed", "labels", "test_dice"])


def test_efficiency_has_a_mean_a_spread_and_the_points_of_all_seeds(efficiency: pd.DataFrame) -> None:
    figure = label_efficiency_curve(efficiency, ["U-Net, 400 labels"], "labels")
    figure.savefig(io.BytesIO(), dpi=40)
    (axis,) = figure.axes
    points, mean = axis.lines[:2]
    assert points.get_xydata().tolist() == [[100, 0.90], [100, 0.92], [110, 0.95], [110, 0.97]]
    assert mean.get_xydata().ravel() == pytest.approx([100, 0.91, 110, 0.96])
    assert points.get_color() == mean.get_color()
    band = axis.collections[0].get_paths()[0].get_extents()
    assert (band.ymin, band.ymax) == pytest.approx((0.91 - 0.0002**0.5, 0.96 + 0.0002**0.5))
    assert axis.lines[-1].get_ydata() == pytest.approx([0.97, 0.97])
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["committee", "random", "U-Net, 400 labels (0.970)"]


def test_doubts_stand_over_their_pictures_in_short_lines() -> None:
    reason = "There are 2 large parts. The committee disagrees by 0.9, more than 0.5."
    quality = pd.DataFrame({"id": ["7", "8"], "disagreement": [0.9, 0.25], "reason": [reason, ""]})
    first, second = doubt_titles(quality)
    assert second == "8: 0.25"
    assert first.startswith("7: 0.9\nThere are 2 large parts.")
    assert " ".join(first.split("\n")[1:]) == reason
    assert max(len(line) for line in first.split("\n")) <= 30
