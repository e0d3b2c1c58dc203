"""What a plain `kedro run` does in each environment."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).resolve().parents[1]
CODE = """
import json
import sys
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
bootstrap_project(".")
with KedroSession.create(".", env=sys.argv[1], runtime_params=json.loads(sys.argv[2])) as session:
    session.load_context()
    print("nodes:", *sorted(node.name for node in pipelines["__default__"].nodes))
"""
PICTURES = (
    CODE.rpartition("    print")[0]
    + """
    readers = pipelines["__default__"] + pipelines["stress"]
    print(json.dumps({node.name: node.inputs for node in readers.nodes}))
"""
)


HANDS = {"teach_hand_committee", "store_hands", "train_enhancer", "enhance_hands"}
ASK = {"hand_active_learning": {"query": {"labels": 400}}}
LACK = {"hand_active_learning": {"query": {"labels": 0}, "network": {"initial_weights": "nobody_has_this"}}}


@pytest.mark.parametrize(
    ("env", "changes", "fabricates", "masks_hands"),
    [("test", {}, True, True), ("rsna", ASK, False, True), ("rsna", LACK, False, False)],
)
def test_the_chain_begins_with_what_there_is(
    env: str, changes: dict[str, Any], fabricates: bool, masks_hands: bool
) -> None:
    command = [sys.executable, "-c", CODE, env, json.dumps(changes)]
    result = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr[-2000:]
    nodes = set(result.stdout[result.stdout.rindex("nodes:") :].split())
    assert ("fabricate_hands" in nodes) == fabricates
    assert HANDS & nodes == (HANDS if masks_hands else set())
    assert {
        "prepare_radiographs",
        "train_ptl",
        "train_fine_tune",
        "map_test_cases",
        "add_documents",
        "write_report",
    } <= nodes
    assert "assess_new_cases" not in nodes


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--pipelines=asess"], "there is no pipeline 'asess'; did you mean assess?"),
        (["--pipelines=assess"], "name yours with --params=assess_images=..."),
        (["--env=rsna", "--pipelines=data_prep"], "set the environment variable BONEAGE_DATA"),
    ],
)
def test_a_mistyped_pipeline_and_missing_files_are_told(arguments: list[str], words: str) -> None:
    command = [sys.executable, "-m", "kedro", "run", *arguments]
    unset = {name: value for name, value in os.environ.items() if name != "BONEAGE_DATA"}
    result = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False, env=unset)
    assert result.returncode != 0
    assert words in " ".join(result.stderr.split())


COMMITTEE = {"hand_weights@tensors", "hand_settings@json"}
ENHANCER = {"enhancer_weights@tensors", "enhancer_settings@json", "guard_limits", "params:gan_enhance"}
STORES = {"image_store", "hand_store", "enhanced_store@store"}
READERS = (
    "train_ptl",
    "predict_fine_tune",
    "learn_familiarity",
    "map_test_cases",
    "draw_mean_hands",
    "export_age_network",
)


@pytest.mark.parametrize(
    ("images", "store", "for_stress", "for_package"),
    [
        ("whole", "image_store", set(), set()),
        ("hand", "hand_store", COMMITTEE, set()),
        ("enhanced", "enhanced_store@store", COMMITTEE | ENHANCER, ENHANCER),
    ],
)
def test_all_that_reads_ages_is_wired_to_the_pictures_of_the_parameter(
    images: str, store: str, for_stress: set[str], for_package: set[str]
) -> None:
    changes = json.dumps({"ptl_regression": {"images": images}})
    command = [sys.executable, "-c", PICTURES, "test", changes]
    result = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr[-2000:]
    inputs = {name: set(names) for name, names in json.loads(result.stdout.splitlines()[-1]).items()}
    assert {name: inputs[name] & STORES for name in READERS} == {name: {store} for name in READERS}
    assert inputs["run_stress_test"] & (COMMITTEE | ENHANCER) == for_stress
    assert inputs["pack_model"] & ENHANCER == for_package


def test_a_kind_of_pictures_that_is_none_is_told_with_the_key() -> None:
    changes = json.dumps({"ptl_regression": {"images": "hands"}})
    command = [sys.executable, "-c", CODE, "test", changes]
    result = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert result.returncode != 0
    assert "ptl_regression.images = 'hands': Input should be 'whole', 'hand' or 'enhanced'" in " ".join(
        result.stderr.split()
    )
