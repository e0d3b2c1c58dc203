"""What a plain `kedro run` does in each environment."""

import json
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
