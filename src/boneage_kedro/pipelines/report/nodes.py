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
    *figures: Image,
) -> str:
    """Set tables and figures on one page of HTML that needs no other file.

    Args:
        figures: age histogram, contact sheet, learning curves, MAE bars, predicted against read,
            and what `explain` has drawn, in this order.
    """
    histogram, contact, curves, bars, scatter, *attention = figures
    parts = cases.merge(splits, on="id").groupby(["split", "sex"]).size().unstack(fill_value=0).reset_index()
    sections = [
        Section("Bone age on the test part", "", [_errors(comparison, ["model", "cohort"])], [bars, scatter]),
        Section(
            "By age and sex",
            "Errors of paced transfer learning.",
            [_errors(by_band, ["age_band", "sex"])],
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
