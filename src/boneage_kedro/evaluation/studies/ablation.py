"""What each stage of the framework of paper 001 brings to the age: an ablation, step by step.

Its factors are the pictures, the strategy of learning, and whether one network reads all children or each sex has one
of its own. All combinations are tested on the same children, so whatever differs is due to the factor.
"""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pandas as pd

from boneage_kedro.evaluation.ages.metrics import mean_interval
from boneage_kedro.evaluation.studies.study import CONSTANT_GUESS, compare_in_groups

FACTORS = ("images", "strategy", "networks")
GROUPS = ("all", "F", "M")
NETWORKS = ("one for all", "one a sex")
AVERAGE = "mean of all"
STEP_NAMES = {
    ("whole", "hand"): "segmentation",
    ("hand", "enhanced"): "enhancement",
    ("whole", "enhanced"): "segmentation and enhancement",
    NETWORKS: "a network for each sex",
}


def errors_of_combinations(predictions: pd.DataFrame, train: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Errors of every combination of the factors, on all children and on those of each sex.

    Networks of girls and of boys together are tested on all children, too, each on its own.

    Args:
        predictions: ``images, strategy, cohort, seed, id, split, sex, bone_age_months, predicted_months``, a row a
            case.
        train: ``sex, bone_age_months`` of the training part, for the constant guess.
        seed: of the bootstrap.

    Returns:
        ``tested_on``, the factors, and what `boneage_kedro.evaluation.studies.study.compare_arms` gives but for
        ``arm``, a row a group, split and combination; the difference is that from the first combination. Of the
        constant guess the strategy is its name, and the other factors are blank.
    """
    tested = pd.concat(
        [part.assign(tested_on=group) for group, part in _tested_groups(predictions)], ignore_index=True
    )
    tested["arm"] = tested[list(FACTORS)].agg(", ".join, axis=1)
    factors = tested.drop_duplicates("arm").set_index("arm")[list(FACTORS)]
    factors.loc[CONSTANT_GUESS] = {"images": "", "strategy": CONSTANT_GUESS, "networks": ""}
    summary = compare_in_groups(tested, train, seed, "tested_on", "arm").join(factors, on="arm")
    first = ["tested_on", *FACTORS]
    return summary[first + [name for name in summary if name not in {*first, "arm"}]]


def gains_of_steps(predictions: pd.DataFrame, seed: int) -> pd.DataFrame:
    """How the error changes with each step, while all else stays as it is, and on the mean of all that there is.

    Differences are taken case by case after the mean over seeds. Their interval is that of other children, the
    standard deviation that of other seeds.

    Args:
        predictions: as of `errors_of_combinations`, of one part of the split.
        seed: of the bootstrap.

    Returns:
        a row a group, step and combination of the other factors, and one of their mean: ``tested_on, step``, the
        factors as ``before > after``, as they stay, or as `AVERAGE`, ``cases, seeds``, ``difference`` of the MAE in
        months, below 0 where the step helps, its 95% interval ``difference_low, difference_high``, and
        ``difference_sd`` over seeds.
    """
    rows = []
    for group, part in _tested_groups(predictions):
        error = (part["predicted_months"] - part["bone_age_months"]).abs()
        errors = part.assign(error=error).pivot_table(
            index="id", columns=[*FACTORS, "seed"], values="error", sort=False
        )
        for factor, before, after in _steps(part):
            others = [name for name in FACTORS if name != factor]
            late, early = (pd.DataFrame(errors.xs(level, axis=1, level=factor)) for level in (after, before))
            change = (late - early).dropna(axis=1)
            step = {"tested_on": group, "step": _step_name(before, after), factor: f"{before} > {after}"}
            means = change.T.groupby(level="seed").mean().T
            rows.append({**step, **dict.fromkeys(others, AVERAGE), **_change(means, seed)})
            for place, of_place in change.T.groupby(level=others, sort=False):
                rows.append({**step, **dict(zip(others, place, strict=True)), **_change(of_place.T, seed)})
    columns = ["tested_on", "step", *FACTORS]
    return pd.DataFrame(rows)[columns + [name for name in rows[0] if name not in columns]]


def _tested_groups(predictions: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """All children and those of each sex, or of the only one, with the combinations that were tried on all."""
    one, own = NETWORKS
    table = predictions.assign(networks=np.where(predictions["cohort"] == "all", one, own))
    sexes = sorted(table["sex"].unique())
    groups = GROUPS if len(sexes) > 1 else sexes
    for group in groups:
        part = table if group == "all" else table[table["sex"] == group]
        complete = part.groupby(list(FACTORS))["id"].transform("nunique") == part["id"].nunique()
        yield group, part[complete]


def _steps(part: pd.DataFrame) -> Iterator[tuple[str, str, str]]:
    """Factor, level before and level after."""
    images, strategies, networks = (list(dict.fromkeys(part[factor])) for factor in FACTORS)
    yield from (("images", before, after) for before, after in pairwise(images))
    if len(images) > 2:
        yield "images", images[0], images[-1]
    yield from (("strategy", strategies[0], other) for other in strategies[1:])
    if len(networks) > 1:
        yield ("networks", *NETWORKS)


def _step_name(before: str, after: str) -> str:
    return STEP_NAMES.get((before, after), f"{after} in place of {before}")


def _change(by_seed: pd.DataFrame, seed: int) -> dict[str, float]:
    """Of differences (cases, seeds)."""
    by_case = by_seed.mean(axis=1)
    low, high = mean_interval(by_case.to_numpy(), seed)
    return {
        "cases": len(by_seed),
        "seeds": by_seed.shape[1],
        "difference": by_case.mean(),
        "difference_low": low,
        "difference_high": high,
        "difference_sd": by_seed.mean().std(),
    }
