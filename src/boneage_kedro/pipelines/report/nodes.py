"""Nodes of `report`."""

from typing import Any

import pandas as pd
from PIL.Image import Image

from boneage_kedro.evaluation.report import Section, render_report
from boneage_kedro.pipelines.report.params import Params


def write_report(
    params: Params,
    cases: pd.DataFrame,
    splits: pd.DataFrame,
    findings: pd.DataFrame,
    comparison: pd.DataFrame,
    by_band: pd.DataFrame,
    coverage: pd.DataFrame,
    agreement: pd.DataFrame,
    methods: pd.DataFrame,
    participants: pd.DataFrame,
    *figures: Image,
) -> str:
    """Set tables and figures on one page of HTML that needs no other file.

    Args:
        figures: age histogram, contact sheet, learning curves, MAE bars, predicted against read,
            Bland-Altman, coverage, width over age, and what `explain` has drawn, in this order.
    """
    histogram, contact, curves, bars, scatter, differences, held, widths, *attention = figures
    parts = cases.merge(splits, on="id").groupby(["split", "sex"]).size().unstack(fill_value=0).reset_index()
    sections = [
        Section("Bone age on the test part", "", [_errors(comparison, ["model", "cohort"])], [bars, scatter]),
        Section(
            "By age and sex",
            "Errors of paced transfer learning.",
            [_errors(by_band, ["age_band", "sex"])],
            [],
        ),
        Section(
            "Agreement with the read age",
            "Differences are predicted - read, in months; 95% of them are to lie within the limits. A slope "
            "below 0 is that of guesses towards the mean.",
            [_agreement(agreement)],
            [differences],
        ),
        Section(
            "Intervals",
            "How many read ages the intervals of the test part held. They were calibrated on other children.",
            [_coverage(coverage)],
            [held, widths],
        ),
        Section(
            "Beside the tables of paper 001",
            "MAE in months as others give it, of other children read by other people, so no row can be held "
            "against another strictly. Ours is of the test part of the data of this page.",
            [_printed(methods), _printed(participants)],
            [],
        ),
        Section("Training", "", [], [curves]),
        Section(
            "What the model looked at",
            "Each map adds up, with the bias of the sex, to the very age that was predicted.",
            [],
            attention,
        ),
        Section(
            "Data", f"{len(cases)} cases, split once by patient.", [parts, findings], [histogram, contact]
        ),
    ]
    return render_report(params["title"], params["notice"], sections)


def _errors(table: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Errors with units and one decimal, as a person reads them."""
    columns: dict[str, Any] = {"cases": table["cases"], "MAE (months)": table["mae"].map("{:.1f}".format)}
    if "mae_low" in table:
        low, high = table["mae_low"], table["mae_high"]
        columns["95% interval"] = [f"{a:.1f} to {b:.1f}" for a, b in zip(low, high, strict=True)]
    columns |= {"RMSE": table["rmse"].map("{:.1f}".format), "bias": table["bias"].map("{:+.1f}".format)}
    for months in (6, 12, 24):
        columns[f"within {months}"] = table[f"within_{months}"].map("{:.0%}".format)
    return pd.concat([table[keys], pd.DataFrame(columns)], axis=1)


def _coverage(table: pd.DataFrame) -> pd.DataFrame:
    low, high = table["coverage_low"], table["coverage_high"]
    shown: dict[str, Any] = {
        "held": table["coverage"].map("{:.0%}".format),
        "95% interval": [f"{a:.0%} to {b:.0%}" for a, b in zip(low, high, strict=True)],
        "mean width (months)": table["mean_width"].map("{:.1f}".format),
    }
    return table[["age_band", "sex", "cases"]].assign(**shown)


def _agreement(table: pd.DataFrame) -> pd.DataFrame:
    """Each figure with its 95% interval."""
    names = {"bias": "bias", "lower_limit": "lower limit", "upper_limit": "upper limit", "slope": "slope"}
    shown = {
        title: [
            f"{value:+.{digits}f} ({low:+.{digits}f} to {high:+.{digits}f})"
            for value, low, high in table[[name, f"{name}_low", f"{name}_high"]].itertuples(index=False)
        ]
        for name, title in names.items()
        for digits in (2 if name == "slope" else 1,)
    }
    return table[["cohort", "cases"]].assign(**shown)


def _printed(table: pd.DataFrame) -> pd.DataFrame:
    """Cells as the paper prints them: up to three decimals, blank where nothing is given."""
    return table.map(
        lambda cell: "" if pd.isna(cell) else _decimal(cell) if isinstance(cell, float) else cell
    )


def _decimal(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")
