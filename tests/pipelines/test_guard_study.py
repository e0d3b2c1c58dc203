from typing import Any

import pandas as pd
import pytest
import torch

from boneage_kedro.models.enhancer import Enhancer, EnhancerConfig
from boneage_kedro.pipelines.guard_study.nodes import collect_guard, rate_guard, score_guard


@pytest.fixture
def params(parameters: dict[str, Any]) -> dict[str, Any]:
    study = parameters["guard_study"]
    few = {"input_px": 64, "plates": [40], "carpal_sizes": [], "shifts": []}
    phantoms = {**study["phantoms"], "count": 3, "min_size_px": 96, "max_size_px": 96}
    return {"phantoms": phantoms, "study": {**study["study"], **few}, "save_every": 2}


@pytest.fixture
def enhancer() -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    generator = {"width": 4, "depth": 2}
    return Enhancer(EnhancerConfig(**generator)).state_dict(), {
        "generator": generator,
        "input_tone": "as_exposed",
    }


def test_a_study_that_was_killed_goes_on_and_ends_with_the_same_scores(
    parameters: dict[str, Any],
    params: dict[str, Any],
    enhancer: tuple[dict, dict],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    enhance = parameters["gan_enhance"]
    saved = list(score_guard(*enhancer, None, enhance, params))
    assert [table["phantom"].nunique() for table in saved] == [2, 3]
    drawn = []
    known = "boneage_kedro.pipelines.guard_study.nodes.fabricate_case"
    from boneage_kedro.pipelines.fabricate.nodes import fabricate_case

    monkeypatch.setattr(
        known, lambda case, settings: drawn.append(case["id"]) or fabricate_case(case, settings)
    )
    *_, resumed = score_guard(*enhancer, saved[0], enhance, params)
    assert drawn == ["p00002"]
    pd.testing.assert_frame_equal(resumed, saved[1])
    (again,) = score_guard(*enhancer, saved[1], enhance, params)
    assert drawn == ["p00002"]
    pd.testing.assert_frame_equal(again, saved[1])


def test_scores_of_other_settings_are_not_gone_on_with(
    parameters: dict[str, Any], params: dict[str, Any], enhancer: tuple[dict, dict]
) -> None:
    enhance = parameters["gan_enhance"]
    one = {**params, "phantoms": {**params["phantoms"], "count": 1}}
    (first,) = score_guard(*enhancer, None, enhance, one)
    other = {**one, "study": {**one["study"], "seed": 2}}
    (second,) = score_guard(*enhancer, first, enhance, other)
    assert second["phantom"].tolist() == first["phantom"].tolist()
    assert second["made_by"].iloc[0] != first["made_by"].iloc[0]


def test_rates_are_told_by_the_limits_in_use_and_by_those_of_phantoms(
    parameters: dict[str, Any], params: dict[str, Any], enhancer: tuple[dict, dict]
) -> None:
    enhance = parameters["gan_enhance"]
    *_, scores = score_guard(*enhancer, None, enhance, params)
    limits = {**enhance["guard"]["limits"], "most_fine_change": 0.02}
    rates = rate_guard(scores, limits, enhance)
    used = rates[rates["limits"] == "in use"]
    assert (
        used.loc[used["kind"] == "invention", "fired"].tolist() == [1] * (used["kind"] == "invention").sum()
    )
    assert (used.loc[used["kind"] == "enhancer", "fired"] == 0).all()  # it starts as the identity
    metrics = collect_guard(rates)
    assert metrics["honest.gamma.gamma.fired"]["value"] <= 1
    assert metrics["enhancer.gan.gan.fired"] == {"step": 0, "value": 0.0}
    assert len(metrics) == len(used)
