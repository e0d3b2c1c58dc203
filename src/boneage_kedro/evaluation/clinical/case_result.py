"""The result of one case in the form that is handed out: as a row, on a page, and as DICOM."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from boneage_kedro.cohort.sex import Sex
from boneage_kedro.evaluation.clinical.determination import Determination
from boneage_kedro.evaluation.clinical.interpretation import (
    NOT_INTERPRETED,
    Interpretation,
    age_text,
    interpret,
)

RESEARCH_USE = "For research use only. Not a medical device; not for diagnosis or treatment."

COLUMNS = (
    "id",
    "sex",
    "bone_age_months",
    "bone_age_text",
    "lower_months",
    "upper_months",
    "chronological_age_months",
    "sd_score",
    "determination",
    "status",
    "warnings",
    "hand_score",
    "model_run_id",
)
"""Of ``predictions.csv``, in their order."""


@dataclass(frozen=True)
class CaseResult:
    """What is known of one case once it has been read.

    Attributes:
        sex: ``F`` or ``M`` as it was used; anything else where the table does not say.
        bone_age_months, lower_months, upper_months: the age and its interval; nan where it could not be read.
        coverage: share of children whose age such an interval is made to hold, 0..1.
        chronological_age_months: nan where it is not known.
        status: ``ok``, ``indeterminate`` (an age not to rely on) or ``failed`` (no age).
        warnings: reasons and remarks, a sentence each.
        hand_score: of the hand that was found, nan where none was looked for.
        model_run_id: of the run that trained the network.
    """

    id: str
    sex: str
    bone_age_months: float
    lower_months: float
    upper_months: float
    coverage: float
    chronological_age_months: float
    status: str
    warnings: tuple[str, ...]
    hand_score: float
    model_run_id: str

    @cached_property
    def interpretation(self) -> Interpretation:
        """How the bone age compares with the chronological age; nothing of it is known without a sex."""
        if self.sex not in tuple(Sex):
            return NOT_INTERPRETED
        interval = self.lower_months, self.upper_months
        return interpret(self.sex, self.bone_age_months, interval, self.chronological_age_months)

    @property
    def determination(self) -> Determination:
        """The verdict; an age that is not to be relied on leaves it indeterminate."""
        found = self.interpretation.determination
        relied_on = self.status == "ok" or found == Determination.UNKNOWN
        return found if relied_on else Determination.INDETERMINATE

    @property
    def all_warnings(self) -> tuple[str, ...]:
        """Those of the reading, and those of the comparison with the chronological age."""
        return self.warnings + self.interpretation.remarks

    def row(self) -> dict[str, Any]:
        """The case as a row of ``predictions.csv`` (`COLUMNS`), numbers rounded to two places."""
        values = (
            self.id,
            self.sex,
            round(self.bone_age_months, 2),
            age_text(self.bone_age_months),
            round(self.lower_months, 2),
            round(self.upper_months, 2),
            round(self.chronological_age_months, 2),
            round(self.interpretation.sd_score, 2),
            str(self.determination),
            self.status,
            "; ".join(self.all_warnings),
            round(self.hand_score, 3),
            self.model_run_id,
        )
        return dict(zip(COLUMNS, values, strict=True))
