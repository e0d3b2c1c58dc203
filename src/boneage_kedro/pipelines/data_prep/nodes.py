"""Nodes of `data_prep`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pandas as pd
from rich.progress import Progress

from boneage_kedro.cohort.findings import (
    Finding,
    describe_findings,
    finding_rows,
    refuse_findings,
    summarise_findings,
)
from boneage_kedro.cohort.splits import assert_no_leakage, assign_splits
from boneage_kedro.cohort.tables import read_cases
from boneage_kedro.imaging.ingest import ingest, missing_ids
from boneage_kedro.imaging.sources import RadiographFolder
from boneage_kedro.imaging.store import ImageStore, StoreChunk, StoreState
from boneage_kedro.pipelines.data_prep.params import Params, SplitSettings

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def read_labels(
    raw_labels: pd.DataFrame, radiographs: RadiographFolder, params: Params
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Match labels with files, and list what cannot be used.

    Returns:
        the good cases that have a file, and the findings.
    """
    ages = params["min_age_months"], params["max_age_months"]
    cases, findings = read_cases(raw_labels, list(radiographs), *ages)
    doubles = radiographs.duplicates
    unused = [", ".join(files[1:]) for files in doubles.values()]
    used = [f"{files[0]} is used instead" for files in doubles.values()]
    repeated = finding_rows(Finding.DUPLICATE_FILE, list(doubles), used, unused)
    findings = pd.concat([findings, repeated], ignore_index=True)
    if params["strict"]:
        refuse_findings(findings)
    return cases, findings


def prepare_radiographs(
    cases: pd.DataFrame, radiographs: RadiographFolder, state: StoreState, params: Params
) -> Iterator[StoreChunk]:
    """Read and prepare what the image store does not hold yet."""
    settings = params["preparation"]
    todo = missing_ids(cases["id"].tolist(), radiographs, state, settings)
    with Progress(transient=True) as progress:
        task = progress.add_task("preparing radiographs", total=len(todo))
        for chunk in ingest(todo, radiographs, settings, params["workers"]):
            progress.advance(task, len(chunk.entries))
            yield chunk


def select_cases(
    cases: pd.DataFrame, findings: pd.DataFrame, store: ImageStore, params: Params
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Keep the cases whose picture could be read and prepared.

    Returns:
        cases; what the store recorded of them; all findings; and how many there are of each kind.
    """
    failures = store.failures[store.failures["id"].isin(cases["id"])]
    columns = (failures[name].tolist() for name in ("id", "failure", "file"))
    unreadable = finding_rows(Finding.UNREADABLE_FILE, *columns)
    findings = pd.concat([findings, unreadable], ignore_index=True)
    if params["strict"]:
        refuse_findings(findings)
    good = cases[~cases["id"].isin(failures["id"])].reset_index(drop=True)
    if good.empty:
        raise ValueError(f"no case is left\n{describe_findings(findings)}")
    index = store.index[store.index["id"].isin(good["id"])].reset_index(drop=True)
    return good, index, findings, summarise_findings(findings)


def split_cases(cases: pd.DataFrame, earlier: pd.DataFrame | None, settings: SplitSettings) -> pd.DataFrame:
    """Assign each patient to one part, once for all pipelines.

    Args:
        earlier: the split of the run ``keep_from``.
    """
    if earlier is None and settings["keep_from"] != "none":
        raise ValueError(
            f"cases keep the part they have in the run {settings['keep_from']}, which has no split yet; run "
            f"kedro run --env={settings['keep_from']} --pipelines=data_prep first, or set keep_splits_of: none"
        )
    fractions = {str(name): share for name, share in settings["fractions"].items()}
    leave_out = settings["shared_cases"] == "leave_out"
    splits = assign_splits(
        cases, fractions, settings["age_band_months"], settings["seed"], earlier, leave_out
    )
    assert_no_leakage(cases, splits)
    empty = {"train", "validation", "test"} - set(splits["split"])
    if empty:
        raise ValueError(
            f"{len(cases)} cases leave no patient for {', '.join(sorted(empty))}; bring more, or change "
            "data_prep.splits.fractions"
        )
    return splits


def draw_cohort(cases: pd.DataFrame, store: ImageStore, params: Params) -> tuple[Figure, Figure]:
    """Histogram of age and sex, and a sheet of prepared pictures from young to old."""
    from boneage_kedro.evaluation.figures import age_histogram, age_titles, image_sheet, spread_over_ages

    histogram = age_histogram(cases, f"Bone age and sex of {len(cases)} cases, {params['source_name']}")
    shown = spread_over_ages(cases, params["sheet_cases"])
    images = [store[key] for key in shown["id"]]
    title = f"Prepared radiographs, {params['source_name']}"
    sheet = image_sheet(images, age_titles(shown), params["sheet_columns"], title)
    return histogram, sheet
