import json

import numpy as np
import pandas as pd
import pytest

from boneage_kedro.evaluation.ages.difficulty import Difficulty
from tests.evaluation.made_up_errors import predictions


def cases_with(error: np.ndarray) -> pd.DataFrame:
    count = len(error)
    ages = np.linspace(20, 200, count)
    table = {"sex": np.where(np.arange(count) % 2, "F", "M"), "predicted_months": ages}
    return pd.DataFrame(table | {"bone_age_months": ages + error})


def test_equal_errors_are_expected_of_all() -> None:
    cases = cases_with(np.resize([7.0, 7, -7, -7], 40))
    assert Difficulty.fit(cases, 1).expect(cases) == pytest.approx(np.full(40, 7.0))


def test_it_follows_age_and_sex() -> None:
    ages = np.linspace(20, 200, 400)
    boys = np.resize([2.0, 1], 400)  # boys first, twice as hard
    hard = boys * np.exp(-(((ages - 110) / 90) ** 2))
    cases = cases_with(hard)
    assert Difficulty.fit(cases, 0).expect(cases) == pytest.approx(hard, rel=1e-4)


def test_the_ridge_draws_towards_the_same_error_for_all() -> None:
    cases = predictions(300, seed=1)
    spreads = [np.ptp(Difficulty.fit(cases, ridge).expect(cases)) for ridge in (0, 100, 1e9)]
    assert spreads[0] > spreads[1] > spreads[2]
    assert spreads[2] < 1e-3


def test_ages_beyond_those_seen_count_as_the_last_ones() -> None:
    difficulty = Difficulty.fit(predictions(300, seed=1), 0)
    ends = [difficulty.youngest, difficulty.oldest]
    asked = pd.DataFrame({"sex": "F", "predicted_months": [*ends, -50.0, 900.0]})
    found = difficulty.expect(asked)
    assert found[2:] == pytest.approx(found[:2])


def test_it_goes_through_json() -> None:
    cases = predictions(100, seed=1)
    difficulty = Difficulty.fit(cases, 1)
    written = json.loads(json.dumps(difficulty.as_dict()))
    assert Difficulty.from_dict(written) == difficulty
    earlier = written | {"typical_uncertainty": None}  # as versions wrote that knew of one
    assert Difficulty.from_dict(earlier) == difficulty
    with pytest.raises(ValueError, match="calibrated with uncertainties"):
        Difficulty.from_dict(earlier | {"typical_uncertainty": 3.0})


def test_perfect_predictions_and_a_single_age_are_no_trouble() -> None:
    perfect = cases_with(np.zeros(12))
    assert (Difficulty.fit(perfect, 1).expect(perfect) >= 0).all()
    same = pd.DataFrame({"sex": "F", "predicted_months": 100.0, "bone_age_months": [90.0, 110, 105, 95]})
    assert Difficulty.fit(same, 1).expect(same) == pytest.approx(np.full(4, 7.5))
