from pathlib import Path
from typing import Any

import pytest

from boneage_kedro.parameters import ParameterError, check_parameters

PROJECT = Path(__file__).resolve().parents[1]
FOLDERS = [PROJECT / "conf" / "test", PROJECT / "conf" / "base"]


def check(parameters: dict[str, Any]) -> str:
    with pytest.raises(ParameterError) as caught:
        check_parameters(parameters, FOLDERS)
    return str(caught.value)


def test_the_projects_own_parameters_are_right(parameters: dict[str, Any]) -> None:
    check_parameters(parameters, FOLDERS)
    check_parameters(parameters | {"assess_images": "somewhere"}, FOLDERS)


def test_a_wrong_kind_is_told_with_file_and_key(parameters: dict[str, Any]) -> None:
    parameters["ptl_regression"]["fit"]["batch_size"] = "sixteen"
    assert "base/parameters_ptl_regression.yml: ptl_regression.fit.batch_size = 'sixteen'" in check(
        parameters
    )


def test_a_missing_and_an_unknown_key_are_both_told(parameters: dict[str, Any]) -> None:
    del parameters["data_prep"]["splits"]["seed"]
    parameters["data_prep"]["preparation"]["canvas"] = 3
    message = check(parameters)
    assert "data_prep.splits.seed is missing" in message
    assert "data_prep.preparation.canvas is not a known key" in message


def test_the_file_is_the_one_that_sets_the_key(parameters: dict[str, Any]) -> None:
    parameters["ptl_regression"]["input_px"] = "large"
    assert "test/parameters_test.yml: ptl_regression.input_px = 'large'" in check(parameters)


@pytest.mark.parametrize(
    ("block", "keys", "value"),
    [
        ("ptl_regression", ("fit", "batch_size"), 0),
        ("explain", ("sheet_columns",), 0),
        ("data_prep", ("preparation", "confidence"), 0.3),
        ("data_prep", ("splits", "fractions"), {"train": 7.0}),
        ("data_prep", ("splits", "fractions"), {"trian": 0.5}),
        ("fabricate", ("max_age_months",), 400.0),
    ],
)
def test_values_out_of_range_are_told_at_the_start(
    parameters: dict[str, Any], block: str, keys: tuple[str, ...], value: Any
) -> None:
    values = parameters[block]
    for key in keys[:-1]:
        values = values[key]
    values[keys[-1]] = value
    assert ".".join((block, *keys)) in check(parameters)


def test_keys_that_may_be_left_out_are_checked_where_they_are_given(parameters: dict[str, Any]) -> None:
    network = parameters["finger_selftrain"]["network"]
    for value in (12, None):
        check_parameters(parameters | {"finger_selftrain": network_of(parameters, growth=value)}, FOLDERS)
    assert "growth" not in network
    message = check(parameters | {"finger_selftrain": network_of(parameters, growth=0, layer=3)})
    assert "finger_selftrain.network.growth = 0: Value error, must be at least 1" in message
    assert "finger_selftrain.network.layer is not a known key" in message


def network_of(parameters: dict[str, Any], **changes: Any) -> dict[str, Any]:
    block = parameters["finger_selftrain"]
    return {**block, "network": {**block["network"], **changes}}


def test_keys_deep_in_lists_are_named(parameters: dict[str, Any]) -> None:
    parameters["ptl_regression"]["ptl_stages"][1]["free"] = ["head", "exitt"]
    assert "ptl_regression.ptl_stages.1.free.1 = 'exitt'" in check(parameters)


def test_a_misspelt_block_is_told(parameters: dict[str, Any]) -> None:
    assert "data_prepp: no pipeline of that name" in check(parameters | {"data_prepp": {}})
    assert "did you mean data_prep?" in check(parameters | {"data_prepp": {}})


def test_an_unknown_choice_lists_the_known_ones(parameters: dict[str, Any]) -> None:
    parameters["ptl_regression"]["fit"]["optimiser"] = "adam"
    message = check(parameters)
    assert "'adamw'" in message
    assert "'rmsprop'" in message
