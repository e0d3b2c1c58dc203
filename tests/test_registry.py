"""What a plain `kedro run` does in each environment."""

import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]
CODE = """
import sys
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
bootstrap_project(".")
with KedroSession.create(".", env=sys.argv[1]) as session:
    session.load_context()
    print("nodes:", *sorted(node.name for node in pipelines["__default__"].nodes))
"""


@pytest.mark.parametrize(("env", "fabricates"), [("test", True), ("rsna", False)])
def test_hands_are_fabricated_only_where_there_are_no_files(env: str, fabricates: bool) -> None:
    command = [sys.executable, "-c", CODE, env]
    result = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr[-2000:]
    nodes = result.stdout[result.stdout.rindex("nodes:") :].split()
    assert ("fabricate_hands" in nodes) == fabricates
    assert {
        "prepare_radiographs",
        "train_ptl",
        "train_fine_tune",
        "map_test_cases",
        "add_documents",
        "write_report",
    } <= set(nodes)
    assert "assess_new_cases" not in nodes
