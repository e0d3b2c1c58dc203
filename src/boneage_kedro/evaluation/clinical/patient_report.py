"""One page on one case, to print on A4 or to read on a phone: the bone age, what it means, and what it rests on."""

from base64 import b64encode
from datetime import date
from textwrap import shorten
from typing import Literal, NamedTuple

import numpy as np

from boneage_kedro.evaluation.clinical.case_result import RESEARCH_USE, CaseResult
from boneage_kedro.evaluation.clinical.determination import NORMAL_SD
from boneage_kedro.evaluation.clinical.interpretation import STANDARD_NAME, age_text, impression
from boneage_kedro.evaluation.report import render_page

_SEXES = {"F": "female", "M": "male"}
_SIDES = {"L": "left hand", "R": "right hand", None: "side not stated in the file"}
_SCALE_SD = 4.0  # the scale of SD scores ends here on both sides
_MOST_LINES, _LETTERS_A_LINE = 14, 80  # of warnings, so that the page stays one


class _Fact(NamedTuple):
    """A line of the page: what it is called, its value, and a smaller word on it."""

    name: str
    value: str
    note: str = ""


class _Scale(NamedTuple):
    """Where a score and the ends of its interval lie on the scale, in percent from its left end.

    They are no further than its ends; ``beyond`` says whether the score would be.
    """

    score: float
    lower: float
    upper: float
    beyond: bool


def render_patient_report(
    result: CaseResult, picture: bytes | None, side: Literal["L", "R"] | None, made_on: date
) -> str:
    """HTML of the page, which needs nothing else; all text in it is escaped.

    Args:
        picture: a PNG file, the radiograph beside its activation map; none where the case could not be read.
        side: of the body, as the header of the file states it.
    """
    return render_page(
        "patient_report.html.j2",
        result=result,
        picture=picture and b64encode(picture).decode(),
        made_on=made_on.isoformat(),
        facts=_facts(result),
        measures=_measures(result),
        bone_age=_age(result.bone_age_months),
        interval=_interval(result),
        determination=str(result.determination),
        impression=impression(result.determination, result.interpretation.sd_score),
        scale=_scale(result),
        warnings=_fitting(result.all_warnings),
        side=_SIDES[side],
        normal_sd=NORMAL_SD,
        scale_sd=_SCALE_SD,
        standard=STANDARD_NAME,
        notice=RESEARCH_USE,
    )


def _facts(result: CaseResult) -> list[_Fact]:
    """Who it is about."""
    chronological = result.chronological_age_months
    return [
        _Fact("Case", result.id),
        _Fact("Sex", _SEXES.get(result.sex, "not known")),
        _Fact("Chronological age", _age(chronological), _months(chronological)),
    ]


def _measures(result: CaseResult) -> list[_Fact]:
    """What is compared with what, for a child whom the standards cover."""
    found = result.interpretation
    if np.isnan(found.sd_score):
        return []
    normal = (
        result.chronological_age_months - NORMAL_SD * found.sd_months,
        result.chronological_age_months + NORMAL_SD * found.sd_months,
    )
    from_to = "" if np.isnan(found.sd_lower) else f"{found.sd_lower:+.1f} to {found.sd_upper:+.1f}"
    return [
        _Fact("SD score (bone age minus chronological age)", f"{found.sd_score:+.1f}", from_to),
        _Fact("SD score about the mean bone age", f"{found.sd_score_from_mean:+.1f}"),
        _Fact("Mean bone age at this age", _age(found.mean_months), f"SD {found.sd_months:.1f} months"),
        _Fact(f"Normal range, ±{NORMAL_SD:g} SD", f"{_age(normal[0])} to {_age(normal[1])}"),
    ]


def _age(months: float) -> str:
    return age_text(months) or "not known"


def _months(months: float) -> str:
    return "" if np.isnan(months) else f"{months:.1f} months"


def _interval(result: CaseResult) -> str:
    if np.isnan(result.lower_months) or np.isnan(result.upper_months):
        return ""
    return f"{age_text(result.lower_months)} to {age_text(result.upper_months)}"


def _scale(result: CaseResult) -> _Scale | None:
    found = result.interpretation
    ends = np.nan_to_num([found.sd_score, found.sd_lower, found.sd_upper], nan=found.sd_score)
    if np.isnan(ends).any():
        return None
    places = (np.clip(ends, -_SCALE_SD, _SCALE_SD) + _SCALE_SD) / (2 * _SCALE_SD) * 100
    score, lower, upper = np.round(places, 2).tolist()
    return _Scale(score, lower, upper, beyond=bool(abs(ends[0]) > _SCALE_SD))


def _fitting(warnings: tuple[str, ...]) -> list[str]:
    """As many warnings as the page has room for, and how many it has not."""
    lines = np.cumsum([1 + len(warning) // _LETTERS_A_LINE for warning in warnings])
    shown = max(1, int((lines <= _MOST_LINES).sum()))
    left_out = len(warnings) - shown
    more = [f"and {left_out} more, in predictions.csv"] if left_out > 0 else []
    return [shorten(warning, _MOST_LINES * _LETTERS_A_LINE) for warning in warnings[:shown]] + more
