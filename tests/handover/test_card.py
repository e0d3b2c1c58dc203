from typing import Any

import pandas as pd
import pytest

from boneage_kedro.handover.card import count_cases, measure_performance, write_card

TEST = pd.DataFrame(
    {
        "split": "test",
        "sex": ["F", "F", "M"],
        "bone_age_months": [30.0, 40.0, 100.0],
        "predicted_months": [33.0, 39.0, 88.0],
        "lower_months": [25.0, 31.0, 80.0],
        "upper_months": [41.0, 47.0, 96.0],
    }
)
FACTS: dict[str, Any] = {
    "source": "phantom",
    "notice": "The hands are drawn.",
    "parity": {"cases": 3, "age_months": 2e-5, "map_months": 1e-4},
    "network": "0123",
    "masks": ["hand"],
    "images": "whole",
    "folds": None,
    "data": [{"source": "phantom", "radiographs": 2}, {"source": "small ones", "radiographs": 10475}],
    "coverage": 0.9,
    "calibration_cases": 41,
    "false_alarms": 0.02,
    "regressor": {"backbone": "resnet18", "input_px": 160, "bin_months": None},
    "cohort": "all",
    "weights_from": "random",
    "age_range_months": [6.0, 216.0],
}


def test_errors_and_coverage_are_counted_by_band_and_sex() -> None:
    rows = measure_performance(TEST, 24, seed=0).set_index(["age_band", "sex"])
    assert rows.loc[("all", "all"), ["cases", "mae", "coverage"]].tolist() == pytest.approx(
        [3, 16 / 3, 2 / 3]
    )
    girls = rows.loc[("2-4 y", "F")]
    assert girls[["mae", "bias", "coverage", "mean_width"]].tolist() == pytest.approx([2, 1, 1, 16])
    assert 1 <= girls["mae_low"] <= girls["mae_high"] <= 3
    assert rows.loc[("8-10 y", "M"), ["mae", "coverage"]].tolist() == pytest.approx([12, 0])


def test_cases_are_counted_by_part() -> None:
    learnt = TEST.assign(split=["train", "train", "test"])
    rows = count_cases(learnt, 24).set_index(["age_band", "sex"])
    assert rows.loc[("all", "all")].tolist() == [2, 0, 0, 1]
    assert rows.loc[("2-4 y", "F")].tolist() == [2, 0, 0, 0]


def test_the_card_has_figures_limits_and_what_the_model_is_not_for() -> None:
    card = write_card(FACTS, count_cases(TEST, 24), measure_performance(TEST, 24, seed=0))
    assert "**Research use only.**" in card
    assert "The hands are drawn." in card
    assert "| 8-10 y | M | 1 | 12.0 | -12.0 | 100% | 0% (0% to 79%) | 16.0 |" in card
    assert "| `hand.safetensors`, `hand.json` | the network that masks: hand |" in card
    assert "6 to 216 months" in card
    assert "| radiographs it learnt from | 2: phantom |\n" in card
    assert "| radiographs it learnt from, before that | 10,475: small ones |\n| read ages" in card
    assert "chronological age. Do not use it to tell how old a person is" in card


def test_the_card_says_what_folds_learnt_from_and_how_they_are_one() -> None:
    tables = count_cases(TEST, 24), measure_performance(TEST, 24, seed=0)
    folds = {
        "count": 5,
        "variants": [],
        "combine": "weights",
        "straighten": False,
        "age_band_months": 24,
        "seed": 1,
    }
    alone, folded = (write_card(FACTS | {"folds": kind}, *tables) for kind in (None, folds))
    assert "The network learnt from `train`, its best epoch" in alone and "5 networks" not in alone
    assert "5 networks learnt from `train` and `validation`" in folded and "mean of their weights" in folded
    variants = [{}, {"augment": {"blur_px": 0.8}}]
    varied = write_card(FACTS | {"folds": {**folds, "variants": variants}}, *tables)
    assert 'each variant of the settings: `{}`, `{"augment": {"blur_px": 0.8}}`.' in varied
    assert "averaged" not in varied and "variant" not in folded
    apart = write_card(FACTS | {"folds": {**folds, "variants": [{}, {"initial_weights": "other"}]}}, *tables)
    assert "The ages of those that began with other weights are averaged." in apart
    straight = write_card(FACTS | {"folds": {**folds, "straighten": True}}, *tables)
    assert "A line from those ages" in straight and "A line" not in folded


def test_the_card_says_which_pictures_are_read() -> None:
    tables = count_cases(TEST, 24), measure_performance(TEST, 24, seed=0)
    whole, enhanced = (write_card(FACTS | {"images": kind}, *tables) for kind in ("whole", "enhanced"))
    assert "| pictures it reads | whole radiographs |" in whole
    assert "enhancer" not in whole
    assert "| pictures it reads | cut to the hand and enhanced |" in enhanced
    assert "| `enhancer.safetensors`, `enhancer.json` |" in enhanced


def test_only_groups_of_some_size_have_an_interval_of_their_error() -> None:
    many = pd.concat([TEST.iloc[:1]] * 10)
    card = write_card(FACTS, count_cases(many, 24), measure_performance(many, 24, seed=0))
    assert "| all | all | 10 | 3.0 (3.0 to 3.0) | +3.0 |" in card


def test_a_fact_that_is_missing_is_an_error() -> None:
    facts = {key: value for key, value in FACTS.items() if key != "coverage"}
    with pytest.raises(Exception, match="'coverage' is undefined"):
        write_card(facts, count_cases(TEST, 24), measure_performance(TEST, 24, seed=0))
