import io

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image

from boneage_kedro.evaluation.ages import figures as age_figures
from boneage_kedro.evaluation.ages.agreement import bland_altman
from boneage_kedro.evaluation.ages.coverage import interval_coverage
from tests.evaluation.made_up_errors import error_sd, predictions


@pytest.fixture
def cases() -> pd.DataFrame:
    cases = predictions(120, seed=0)
    radius = 1.5 * error_sd(cases["predicted_months"].to_numpy())
    ages = cases["predicted_months"]
    return cases.assign(lower_months=ages - radius, upper_months=ages + radius)


def drawn(figure: Figure) -> np.ndarray:
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=60)
    return np.asarray(Image.open(buffer).convert("L"))


def test_bland_altman_shows_every_case_and_the_limits(cases: pd.DataFrame) -> None:
    read, predicted = cases["bone_age_months"].to_numpy(), cases["predicted_months"].to_numpy()
    agreement = bland_altman(read, predicted, seed=0)
    figure = age_figures.bland_altman_plot(cases, predicted, agreement, "agreement")
    lines = figure.axes[0].lines
    assert sum(len(line.get_xdata()) for line in lines[:2]) == 120
    assert [line.get_ydata()[0] for line in lines[2:5]] == [
        agreement[name] for name in ("bias", "lower_limit", "upper_limit")
    ]
    assert drawn(figure).std() > 5


def test_coverage_has_a_mark_a_group(cases: pd.DataFrame) -> None:
    table = interval_coverage(cases, 48)
    figure = age_figures.coverage_bars(table, 0.9, 0.85, "coverage")
    assert len(figure.axes[0].texts) == len(table)
    assert drawn(figure).std() > 5


def test_width_shows_every_case_once(cases: pd.DataFrame) -> None:
    figure = age_figures.width_over_age(cases, "width")
    lines = figure.axes[0].lines
    assert sum(len(line.get_xdata()) for line in lines) == 120
    widths = np.concatenate([line.get_ydata() for line in lines])
    assert sorted(set(widths.round(6))) == [12, 36]
    assert drawn(figure).std() > 5


def test_one_sex_can_be_drawn(cases: pd.DataFrame) -> None:
    girls = cases[cases["sex"] == "F"]
    drawn(age_figures.coverage_bars(interval_coverage(girls, 48), 0.9, 0.85, "girls"))
    drawn(age_figures.width_over_age(girls, "girls"))
