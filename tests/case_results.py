"""Results of one case that several test modules hand out in their own form."""

import dataclasses
import math

from boneage_kedro.evaluation.clinical.case_result import CaseResult

GIRL = CaseResult(
    id="h1",
    sex="F",
    bone_age_months=97.512,
    lower_months=88.0,
    upper_months=107.0,
    coverage=0.9,
    chronological_age_months=120.0,
    status="ok",
    warnings=("the hand is rotated",),
    hand_score=0.98765,
    model_run_id="run7",
)
_NOTHING_READ = dict.fromkeys(("bone_age_months", "lower_months", "upper_months", "hand_score"), math.nan)
FAILED = dataclasses.replace(GIRL, **_NOTHING_READ, status="failed", warnings=("h1.png: is empty",))
