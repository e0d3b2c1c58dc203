import numpy as np
import pandas as pd
import pytest

from boneage_kedro.evaluation.attention import figures
from boneage_kedro.evaluation.attention.checks import Randomised, changes_by_share, likeness_by_depth
from boneage_kedro.evaluation.attention.frame import MeanHand
from boneage_kedro.evaluation.attention.hand_regions import REGIONS
from boneage_kedro.evaluation.attention.regions import attention_by_region, summarise_regions
from tests.evaluation.test_figures import drawn

IDS = list("abcdef")


@pytest.fixture
def maps() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(6, 4, 4))


@pytest.fixture
def cases() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": IDS,
            "sex": list("FFFMMM"),
            "bone_age_months": [30.0, 60, 90, 100, 150, 200],
            "predicted_months": [39.0, 45, 111, 99, 120, 200],
        }
    )


def test_mean_hands_stand_in_rows_of_sexes_and_columns_of_ages() -> None:
    hand, months = np.full((8, 8), 90.0), np.eye(8)
    months[0, 0] = np.nan
    means = [
        MeanHand("F", "5-10 y", 3, hand, months),
        MeanHand("M", "5-10 y", 4, hand, -2 * months),
        MeanHand("M", "10-15 y", 5, hand, months),
    ]
    figure = figures.mean_hands_figure(means, "mean")
    titles = [axis.get_title().split("\n") for axis in figure.axes[:4]]
    assert [title[0] for title in titles] == ["girls 5-10 y (3)", "", "boys 5-10 y (4)", "boys 10-15 y (5)"]
    assert titles[2][1] == "full colour: 2 months"
    assert [np.abs(axis.images[1].get_array()).max() for axis in figure.axes[2:4]] == [1, 1]
    assert drawn(figure).std() > 5


@pytest.mark.parametrize("cohorts", [[], ["sex"]])
def test_regions_are_drawn_in_their_order(maps: np.ndarray, cohorts: list[str]) -> None:
    regions = np.random.default_rng(1).integers(0, len(REGIONS), (6, 16, 16)).astype(np.uint8)
    by_case = attention_by_region(maps, regions, IDS).assign(sex=np.repeat(list("FFFMMM"), len(REGIONS)))
    figure = figures.regions_figure(summarise_regions(by_case, cohorts), "regions")
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == list(REGIONS)
    assert drawn(figure).std() > 5


def test_panels_sort_cases_by_their_error(cases: pd.DataFrame, maps: np.ndarray) -> None:
    images = {key: np.full((16, 16), 80, np.uint8) for key in IDS}
    figure = figures.error_panels(
        cases, images, dict(zip(IDS, maps, strict=True)), (10, 20), 2, 3, "attention"
    )
    titles = [axis.get_title().split("\n")[-1] for axis in figure.axes]
    small, large = titles[:4], titles[4:]
    assert small == ["(+9 months)", "", "(-1 months)", "(+0 months)"]  # 15 months off is neither
    assert large == ["(+21 months)", "", "(-30 months)", ""]
    assert drawn(figure).std() > 5


def test_likeness_begins_at_one(maps: np.ndarray) -> None:
    noise = np.random.default_rng(2).normal(size=(2, *maps.shape))
    cascade = [Randomised(1, 0.5, 0, maps + noise[0]), Randomised(2, 1.0, 0, noise[1])]
    figure = figures.likeness_figure(likeness_by_depth(maps, cascade, IDS), "likeness")
    for line in figure.axes[0].lines[:2]:
        assert line.get_xdata().tolist() == [0, 0.5, 1]
        assert line.get_ydata()[0] == 1
    assert drawn(figure).std() > 5


def test_deletion_has_a_curve_an_order_and_test() -> None:
    ages = np.random.default_rng(0).normal(100, 10, (6, 5))
    changes = changes_by_share({"attention": (ages, ages), "random": (ages + 1, ages)}, IDS)
    figure = figures.deletion_figure(changes, "deletion")
    deletion, insertion = figure.axes
    np.testing.assert_allclose(deletion.lines[0].get_ydata(), np.abs(ages - ages[:, :1]).mean(0))
    np.testing.assert_allclose(insertion.lines[1].get_ydata(), np.abs(ages - ages[:, -1:]).mean(0))
    assert drawn(figure).std() > 5


def test_one_case_can_be_drawn() -> None:
    changes = changes_by_share({"attention": (np.array([[1.0, 2]]), np.array([[2.0, 1]]))}, ["a"])
    assert drawn(figures.deletion_figure(changes, "one")).std() > 5
