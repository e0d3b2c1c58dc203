"""The ablation on made-up errors that add up from the factors."""

from itertools import product

import numpy as np
import pandas as pd
import pytest

from boneage_kedro.evaluation.studies.ablation import (
    AVERAGE,
    FACTORS,
    NETWORKS,
    errors_of_combinations,
    gains_of_steps,
)
from boneage_kedro.evaluation.studies.ablation_figures import combination_bars, step_gains
from boneage_kedro.evaluation.studies.study import CONSTANT_GUESS

IMAGES = {"whole": 0.0, "hand": -3.0, "enhanced": -4.0}
STRATEGIES = {"all layers": 0.0, "PTL": 2.0}
COHORTS = {"all": 0.0, "F": 1.0, "M": -1.0}
SEEDS = {1: -0.5, 2: 0.5}
TRAIN = pd.DataFrame({"sex": ["F", "M"], "bone_age_months": [100.0, 120.0]})


def ablation(cohorts: dict[str, float] = COHORTS) -> pd.DataFrame:
    """Three girls and five boys of 100 months; each error is 20 months and what the factors and the seed add."""
    cases = pd.DataFrame({"id": list("abcdefgh"), "sex": list("FFFMMMMM"), "bone_age_months": 100.0})
    cells = []
    for (kind, a), (strategy, b), (cohort, c), (seed, d) in product(
        IMAGES.items(), STRATEGIES.items(), cohorts.items(), SEEDS.items()
    ):
        mine = cases if cohort == "all" else cases[cases["sex"] == cohort]
        place = {"images": kind, "strategy": strategy, "cohort": cohort, "seed": seed, "split": "test"}
        cells.append(mine.assign(**place, predicted_months=120 + a + b + c + d))
    return pd.concat(cells, ignore_index=True)


def test_all_combinations_are_tested_on_the_same_children() -> None:
    summary = errors_of_combinations(ablation(), TRAIN, seed=1).set_index(["tested_on", *FACTORS])
    assert len(summary) == 3 * (3 * 2 * 2 + 1)
    one, own = NETWORKS
    raw = summary.loc[("all", "whole", "all layers", one)]
    assert raw[["cases", "seeds", "mae", "difference"]].tolist() == [8, 2, 20.0, 0.0]
    assert raw["mae_sd"] == pytest.approx(np.sqrt(0.5))
    girls = summary.loc[("F", "enhanced", "PTL", own)]
    assert girls[["cases", "mae", "difference", "difference_low"]].tolist() == [3, 19.0, -1.0, -1.0]
    both = summary.loc[("all", "whole", "all layers", own)]
    assert both["cases"] == 8
    assert both["mae"] == pytest.approx(20 + (3 * 1 - 5 * 1) / 8)  # each child by the network of its sex
    guess = summary.loc[("M", "", CONSTANT_GUESS, "")]
    assert guess[["cases", "seeds", "mae"]].tolist() == [5, 1, 20.0]


def test_each_step_is_what_its_factor_adds() -> None:
    gains = gains_of_steps(ablation(), seed=1)
    on_average = gains[(gains[list(FACTORS)] == AVERAGE).any(axis=1)]
    assert on_average.set_index(["tested_on", "step"])["difference"].to_dict() == {
        (group, step): pytest.approx(change)
        for group, own in (("all", -2 / 8), ("F", 1.0), ("M", -1.0))
        for step, change in (
            ("segmentation", -3.0),
            ("enhancement", -1.0),
            ("segmentation and enhancement", -4.0),
            ("PTL in place of all layers", 2.0),
            ("a network for each sex", own),
        )
    }
    assert gains.groupby(["tested_on", "step"], sort=False).size().tolist() == [5, 5, 5, 7, 7] * 3
    assert (gains["difference_sd"] < 1e-9).all()  # the seed adds the same on both sides
    assert gains["cases"].tolist() == [8] * 29 + [3] * 29 + [5] * 29
    assert (gains["seeds"] == 2).all()
    row = gains.query("tested_on == 'F' and strategy == 'all layers > PTL' and images == 'hand'").iloc[0]
    assert row[["networks", "difference_low", "difference_high"]].tolist() == [NETWORKS[0], 2.0, 2.0]


def test_spread_of_a_step_is_over_seeds_and_its_interval_over_children() -> None:
    table = ablation()
    later = (table["images"] == "hand") & (table["seed"] == 2)
    table.loc[later, "predicted_months"] += 4  # segmentation is worth 4 months less with this seed
    table.loc[table["images"].eq("hand") & table["id"].eq("a"), "predicted_months"] += 8
    row = gains_of_steps(table, seed=1).iloc[0]
    assert row[["tested_on", "step", "networks"]].tolist() == ["all", "segmentation", AVERAGE]
    assert row["difference"] == pytest.approx(-3 + 4 / 2 + 8 / 8)
    assert row["difference_sd"] == pytest.approx(np.sqrt(8))
    assert row["difference_low"] == pytest.approx(-1.0)
    assert 0 < row["difference_high"] <= 7


def test_networks_of_one_sex_alone_are_not_tested_on_all_children() -> None:
    table = ablation({"all": 0.0, "F": 1.0})
    summary = errors_of_combinations(table, TRAIN, seed=1)
    counts = summary.groupby(["tested_on", "networks"])["images"].count()
    assert ("all", NETWORKS[1]) not in counts
    assert counts["F", NETWORKS[1]] == 6
    steps = gains_of_steps(table, seed=1).groupby("tested_on")["step"].unique()
    assert "a network for each sex" in steps["F"]
    assert "a network for each sex" not in steps["all"]


def test_a_cohort_of_one_sex_is_one_group() -> None:
    summary = errors_of_combinations(ablation({"F": 0.0}), TRAIN, seed=1)
    assert set(summary["tested_on"]) == {"F"}
    assert (summary["cases"] == 3).all()


def test_figures_name_groups_and_steps() -> None:
    table = ablation()
    bars = combination_bars(errors_of_combinations(table, TRAIN, 1), "Error, phantoms")
    assert bars.get_suptitle() == "Error, phantoms"
    assert [axis.get_title() for axis in bars.axes] == [
        "girls and boys (8)\nconstant guess: 12.5",
        "girls (3)\nconstant guess: 0.0",
        "boys (5)\nconstant guess: 20.0",
    ]
    assert len(bars.axes[0].patches) == 12
    steps = step_gains(gains_of_steps(table, 1), "Steps, phantoms").axes[0]
    assert steps.get_yticklabels()[0].get_text() == "segmentation"
    assert len(steps.get_yticklabels()) == 5
