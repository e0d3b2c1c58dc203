"""Runs that must not go through."""

import pytest

from .project import MARKS, runs, session_with

pytestmark = MARKS


def test_a_run_that_fails_is_marked_so(output: str) -> None:
    before = {run.info.run_id for run in runs()}
    with (
        pytest.raises(ArithmeticError, match="map and bias add up"),
        session_with({"explain": {"tolerance_months": 0.0}}) as session,
    ):
        session.run(pipeline_names=["explain"])
    (failed,) = [run for run in runs() if run.info.run_id not in before]
    assert failed.info.status == "FAILED"


def test_wrong_parameters_stop_a_run_before_its_first_node(output: str) -> None:
    before = len(runs())
    with (
        pytest.raises(ValueError, match=r"explain\.tolerance_months = 'none'"),
        session_with({"explain": {"tolerance_months": "none"}}) as session,
    ):
        session.run(pipeline_names=["explain"])
    assert len(runs()) == before
