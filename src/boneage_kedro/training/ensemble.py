"""Several trained networks that answer as one."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from torch import Tensor

from boneage_kedro.imaging.store import ImageStore
from boneage_kedro.training.regression import predict_cohort
from boneage_kedro.training.settings import FitSettings


class Member(NamedTuple):
    """A trained network: its weights, and the settings that training kept beside them."""

    weights: Mapping[str, Tensor]
    settings: Mapping[str, Any]


def predict_ensemble(
    store: ImageStore, cases: pd.DataFrame, members: Sequence[Member], fit_settings: FitSettings
) -> tuple[np.ndarray, np.ndarray]:
    """Mean age of all members and their standard deviation, both (n,) in months, in the order of the table.

    Members may differ in backbone, size, head and training cases. For an honest error, no case may be one that a
    member has learnt from.

    Raises:
        ValueError: there is no member, one learnt from pictures that were prepared in another way, or one learnt
            from one sex and there are cases of the other.
    """
    if not members:
        raise ValueError("an ensemble needs at least one trained network")
    for number, member in enumerate(members):
        _check(store, cases, member.settings, number)
    ages = np.stack(
        [predict_cohort(store, cases, dict(m.weights), dict(m.settings), fit_settings) for m in members]
    )
    return ages.mean(0), ages.std(0)


def _check(store: ImageStore, cases: pd.DataFrame, settings: Mapping[str, Any], number: int) -> None:
    if settings["preparation"] != store.header.preparation:
        raise ValueError(
            f"member {number} of the ensemble has learnt from pictures that were prepared in another way "
            "(data_prep.preparation) than those of the store"
        )
    cohort = settings["cohort"]
    if cohort != "all" and (cases["sex"] != cohort).any():
        raise ValueError(
            f"member {number} of the ensemble has learnt from sex {cohort} alone, and there are cases of the other; "
            "predict the cohorts one by one"
        )
