"""Nodes of `stress` around the test itself, which tests/reading covers."""

from typing import Any

import pandas as pd
import pytest

from boneage_kedro.pipelines.stress.nodes import choose_stressed_cases

PREDICTIONS = pd.DataFrame(
    {
        "id": ["d", "c", "b", "a"],
        "split": ["test", "train", "test", "test"],
        "sex": "F",
        "bone_age_months": [40.0, 30.0, 20.0, 10.0],
        "predicted_months": 25.0,
    }
)


@pytest.fixture
def params(parameters: dict[str, Any]) -> dict[str, Any]:
    return parameters["stress"]


def test_cases_are_of_the_test_part_and_keep_the_ages_that_are_known(params: dict[str, Any]) -> None:
    cases = PREDICTIONS[["id", "sex"]]
    chosen = choose_stressed_cases(PREDICTIONS, cases, params)
    assert chosen.to_dict("list") == {
        "id": ["a", "b", "d"],
        "sex": ["F"] * 3,
        "bone_age_months": [10.0, 20.0, 40.0],
    }
    known = choose_stressed_cases(
        PREDICTIONS, cases.assign(chronological_age_months=[44, 33, 22, 11]), params
    )
    assert known["chronological_age_months"].tolist() == [11, 22, 44]
    fewer = [
        choose_stressed_cases(PREDICTIONS, cases, {**params, "cases": 2})["id"].tolist() for _ in range(2)
    ]
    assert fewer[0] == fewer[1] and len(fewer[0]) == 2
