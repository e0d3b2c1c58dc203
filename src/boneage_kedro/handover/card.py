"""The model card: what a person must know before using a model (Mitchell et al., FAT* 2019)."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from boneage_kedro.evaluation.ages.coverage import age_and_sex_groups, interval_coverage
from boneage_kedro.evaluation.ages.metrics import age_errors, mae_interval

LEAST_CASES = 10
"""Of a group whose error gets an interval: the bootstrap of fewer knows too little."""

SPLITS = ("train", "validation", "calibration", "test")


def write_card(facts: Mapping[str, Any], labelled: pd.DataFrame, measured: pd.DataFrame) -> str:
    """The card as Markdown.

    Args:
        facts: what ``templates/model_card.md.j2`` names.
        labelled: of `count_cases`.
        measured: of `measure_performance`.
    """
    environment = Environment(
        loader=PackageLoader("boneage_kedro.handover"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701  (Markdown, of our own tables)
    )
    facts = {**facts, "least_cases": LEAST_CASES}
    template = environment.get_template("model_card.md.j2")
    tables = {"cases": _markdown(labelled), "performance": _markdown(_printed(measured))}
    return template.render(**facts, **tables)


def count_cases(cases: pd.DataFrame, band_months: float) -> pd.DataFrame:
    """Cases of each part by band of read age and sex.

    Args:
        cases: ``split, sex, bone_age_months``, a row a case.

    Returns:
        ``age_band, sex`` as in `age_and_sex_groups`, and a column of counts for each of `SPLITS`.
    """
    return pd.DataFrame(
        {"age_band": band, "sex": sex} | {split: int((part["split"] == split).sum()) for split in SPLITS}
        for band, sex, part in age_and_sex_groups(cases, band_months)
    )


def measure_performance(test: pd.DataFrame, band_months: float, seed: int) -> pd.DataFrame:
    """Errors and coverage by band of read age and sex.

    Args:
        test: ``sex, bone_age_months, predicted_months, lower_months, upper_months``, a row a case of the test part.
        seed: of the bootstrap.

    Returns:
        the rows of `interval_coverage` with those of `age_errors` and the 95% interval ``mae_low, mae_high``.
    """
    errors = [
        {"age_band": band, "sex": sex, **_errors(part, seed)}
        for band, sex, part in age_and_sex_groups(test, band_months)
    ]
    of_intervals = interval_coverage(test, band_months).drop(columns="cases")
    return pd.DataFrame(errors).merge(of_intervals, on=["age_band", "sex"], validate="one_to_one")


def _errors(part: pd.DataFrame, seed: int) -> dict[str, float]:
    read, predicted = part["bone_age_months"].to_numpy(), part["predicted_months"].to_numpy()
    low, high = mae_interval(read, predicted, seed)
    return {**age_errors(read, predicted), "mae_low": low, "mae_high": high}


def _printed(measured: pd.DataFrame) -> pd.DataFrame:
    """As a person reads it, each figure with its 95% interval."""
    rows = measured.to_dict("records")
    return measured[["age_band", "sex", "cases"]].assign(
        **{
            "MAE (months)": [_mae(row) for row in rows],
            "bias": [f"{r['bias']:+.1f}" for r in rows],
            "within 12 months": [f"{r['within_12']:.0%}" for r in rows],
            "interval held": [
                f"{r['coverage']:.0%} ({r['coverage_low']:.0%} to {r['coverage_high']:.0%})" for r in rows
            ],
            "its mean width (months)": [f"{r['mean_width']:.1f}" for r in rows],
        }
    )


def _mae(row: Mapping[Any, Any]) -> str:
    interval = f" ({row['mae_low']:.1f} to {row['mae_high']:.1f})" if row["cases"] >= LEAST_CASES else ""
    return f"{row['mae']:.1f}{interval}"


def _markdown(table: pd.DataFrame) -> str:
    rows = [[str(name).replace("_", " ") for name in table.columns], ["---"] * len(table.columns)]
    rows += [[str(cell) for cell in row] for row in table.itertuples(index=False)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
