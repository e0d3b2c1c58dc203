"""Whether an age lies where the network can tell ages apart."""

from collections.abc import Sequence

import numpy as np


def range_reasons(age: float, chronological_age: float, age_range: Sequence[float]) -> list[str]:
    """Why an age is indeterminate, a sentence each; none for one that can be told.

    Args:
        age: predicted, months.
        chronological_age: months, nan where it is not given.
        age_range: youngest and oldest bone age that the network learnt from, months.
    """
    youngest, oldest = age_range
    reasons = []
    if not youngest <= age <= oldest:
        reasons.append(f"outside {youngest:.0f} to {oldest:.0f} months, the ages the network learnt from")
    if chronological_age < youngest:
        reasons.append(
            f"the chronological age is {chronological_age:.0f} months; bone age is read from {youngest:.0f} on"
        )
    if chronological_age > oldest:
        reasons.append(
            f"the chronological age is {chronological_age / 12:.1f} years; bone age is read up to {oldest / 12:.0f}"
        )
    return reasons


def range_warning(lower: float, upper: float, age_range: Sequence[float]) -> str:
    """What to say of an interval that reaches beyond the ages the network learnt from; empty for others.

    At the upper end growth is over, and the hand of an adult looks like that of the oldest child: no network can tell
    them apart, whatever it was trained on.
    """
    youngest, oldest = age_range
    if np.isfinite(upper) and upper > oldest:
        return f"the interval reaches beyond {oldest:.0f} months: the hand may be fully grown, that of an adult too"
    if np.isfinite(lower) and lower < youngest:
        return f"the interval reaches below {youngest:.0f} months, the youngest the network learnt from"
    return ""
