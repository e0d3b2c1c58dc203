"""Tests of paired findings, and their correction where there are many."""

from collections.abc import Sequence
from math import comb

import numpy as np


def mcnemar_p(gained: int, lost: int) -> float:
    """Two-sided p of McNemar's exact test: is it as likely for a case to gain a finding as to lose it?

    Cases that have it both times, or neither, do not count (McNemar Q, Psychometrika 1947;12:153, with the binomial
    distribution in place of its approximation, which needs more of them).

    Args:
        gained, lost: cases with the finding only after, and only before.

    Returns:
        1 where no case changed.

    Raises:
        ValueError: a count is negative.
    """
    if gained < 0 or lost < 0:
        raise ValueError(f"counts of cases cannot be negative: {gained} gained, {lost} lost")
    changed = gained + lost
    tail = sum(comb(changed, count) for count in range(min(gained, lost) + 1))
    return min(1.0, 2 * tail / 2**changed)


def holm(p_values: Sequence[float]) -> list[float]:
    """p values of one family of tests, raised so that 5% is the chance of any false finding among them.

    Holm S, Scand J Statist 1979;6:65: the smallest is multiplied by the number of tests, the next by one less, and so
    on; none may come out below one that was smaller.
    """
    order = np.argsort(p_values, kind="stable")
    factors = np.arange(len(order), 0, -1)
    raised = np.minimum(1, np.maximum.accumulate(factors * np.asarray(p_values, float)[order]))
    adjusted = np.empty(len(order))
    adjusted[order] = raised
    return adjusted.tolist()
