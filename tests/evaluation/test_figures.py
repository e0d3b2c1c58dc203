import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from boneage_kedro.evaluation import figures
from boneage_kedro.evaluation.ages.metrics import compare
from boneage_kedro.evaluation.clinical.overlay import overlay_map


def test_overlay_colours_by_sign_and_leaves_nothing_unchanged() -> None:
    gray = np.full((40, 60), 100, np.uint8)
    contribution = np.array([[-20.0, 0, 20]])
    coloured = overlay_map(gray, contribution, 10).astype(int)
    assert coloured.shape == (40, 60, 3)
    assert coloured[20, 2, 2] > 150 > coloured[20, 2, 0]  # blue takes months away
    assert coloured[20, -3, 0] > 150 > coloured[20, -3, 2]  # red adds them
    assert np.array_equal(overlay_map(gray, np.zeros((2, 2)), 10), np.full((40, 60, 3), 100))
    with pytest.raises(ValueError, match="must be positive, got 0"):
        overlay_map(gray, contribution, 0)


@pytest.fixture
def cases() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    ages = rng.uniform(10, 220, 30)
    return pd.DataFrame(
        {
            "id": [str(i) for i in range(30)],
            "sex": rng.choice(["F", "M"], 30),
            "bone_age_months": ages,
            "predicted_months": ages + 5,
        }
    )


def history(count: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "epoch": range(count),
            "variant": 1,
            "fold": 1,
            "stage": ["head"] + ["all"] * (count - 1),
            "train_mae_months": np.linspace(40, 9, count),
            "validation_mae_months": np.linspace(35, 12, count),
        }
    )


def drawn(figure: figures.Figure) -> np.ndarray:
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=60)
    return np.asarray(Image.open(buffer).convert("L"))


def test_every_figure_draws_something(cases: pd.DataFrame) -> None:
    picture = np.tile(np.arange(64, dtype=np.uint8), (64, 1))
    predicted = cases["predicted_months"].to_numpy()
    all_figures = [
        figures.image_sheet([picture] * 5, list("abcde"), 3, "sheet"),
        figures.age_histogram(cases, "ages"),
        figures.learning_curves({"a": history(6), "b": history(3)}, "curves"),
        figures.predicted_against_read(cases, predicted, "scatter"),
        figures.mae_bars(compare(cases, {"a": predicted, "b": predicted + 3}, 0), "bars"),
        figures.mean_maps({"girls": np.eye(4), "boys": -np.eye(4)}, "maps"),
        figures.attention_sheet([picture] * 3, np.ones((3, 4, 4)), cases[:3], 5, 3, "attention"),
    ]
    for figure in all_figures:
        assert drawn(figure).std() > 5


def test_histogram_counts_every_case(cases: pd.DataFrame) -> None:
    axis = figures.age_histogram(cases, "ages").axes[0]
    assert sum(patch.get_height() for patch in axis.patches) == 30


def test_a_single_case_can_be_plotted(cases: pd.DataFrame) -> None:
    assert drawn(figures.predicted_against_read(cases[:1], np.array([50.0]), "one")).std() > 5
