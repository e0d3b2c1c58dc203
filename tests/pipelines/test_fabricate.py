from typing import Any

import numpy as np
import pandas as pd
import pytest

from boneage_kedro.cohort.tables import read_cases
from boneage_kedro.masks.drawn.labelme import read_labelme
from boneage_kedro.masks.forearm.block import FOREARM_LABELS
from boneage_kedro.phantom import BONES
from boneage_kedro.phantom.forearm import forearm_mask
from boneage_kedro.pipelines.fabricate.nodes import draw_phantom_cases, fabricate_hands


@pytest.fixture
def params(parameters: dict[str, Any]) -> dict[str, Any]:
    return parameters["fabricate"] | {"count": 4, "min_size_px": 96, "max_size_px": 128}


def test_cases_are_a_label_table_that_data_prep_reads(params: dict[str, Any]) -> None:
    drawn = draw_phantom_cases(params | {"count": 200})
    cases, findings = read_cases(drawn.astype(str), drawn["id"].tolist(), 0, 228)
    assert findings.empty
    assert len(cases) == 200
    assert cases["bone_age_months"].between(params["min_age_months"], params["max_age_months"]).all()
    assert 0.35 < (cases["sex"] == "M").mean() < 0.65


def test_year_groups_are_of_one_size_and_shuffled(params: dict[str, Any]) -> None:
    paper = {"ages": "year_groups", "count": 209, "min_age_months": 1, "max_age_months": 228}
    ages = draw_phantom_cases(params | paper)["boneage"]
    assert np.bincount((ages // 12).astype(int)).tolist() == [11] * 19
    assert ages.min() >= 1
    assert not ages.is_monotonic_increasing


@pytest.mark.parametrize(
    ("low", "high", "counts"),
    [(30, 50, {2: 4, 3: 3, 4: 3}), (24, 36, {2: 10}), (40, 40, {3: 10}), (0.5, 13, {0: 5, 1: 5})],
)
def test_year_groups_keep_the_limits(params: dict[str, Any], low: float, high: float, counts: dict) -> None:
    limits = {"ages": "year_groups", "count": 10, "min_age_months": low, "max_age_months": high}
    ages = draw_phantom_cases(params | limits)["boneage"]
    assert ages.between(low, high).all()
    assert (ages // 12).value_counts().to_dict() == counts


def test_every_case_has_its_radiograph_and_truth(params: dict[str, Any]) -> None:
    cases = draw_phantom_cases(params)
    made = list(fabricate_hands(cases, params))
    assert [list(part[0]) for part in made] == [[key] for key in cases["id"]]
    for parts in made:
        image, mask, phalanges, bones, outlines, truth = (next(iter(part.values())) for part in parts)
        assert image.size == mask.size == phalanges.size == bones.size
        assert 96 <= max(image.size) <= 128
        assert set(np.unique(np.asarray(mask))) == {0, 255}
        assert set(np.unique(np.asarray(phalanges))) == {0, 1, 2, 3}
        assert set(np.unique(np.asarray(bones))) <= {0, *BONES}
        forearm = read_labelme(outlines.encode(), "", FOREARM_LABELS, image.size[::-1], next(iter(parts[0])))
        drawn = forearm_mask(np.asarray(bones))
        assert (forearm == drawn).mean() > 0.995
        assert np.shape(truth["joints"]) == (21, 2)
        assert isinstance(truth["nuisance"]["inverted"], bool)


def test_a_case_does_not_depend_on_the_others(params: dict[str, Any]) -> None:
    def pictures(cases: pd.DataFrame, settings: dict[str, Any]) -> list[np.ndarray]:
        return [np.asarray(next(iter(part[0].values()))) for part in fabricate_hands(cases, settings)]

    cases = draw_phantom_cases(params)
    alone, whole = pictures(cases.tail(1), params)[0], pictures(cases, params)[-1]
    assert alone.shape == whole.shape
    assert (alone == whole).all()
    other = pictures(cases.tail(1), params | {"seed": params["seed"] + 1})[0]
    assert other.shape != alone.shape or (other != alone).any()
