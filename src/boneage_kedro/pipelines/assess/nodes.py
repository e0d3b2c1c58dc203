"""Nodes of `assess`."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd
from PIL import Image
from rich.progress import Progress

from boneage_kedro.cohort.columns import unused_columns
from boneage_kedro.cohort.tables import read_case_table
from boneage_kedro.imaging.sources import RadiographFolder
from boneage_kedro.pipelines.assess.handouts import draw_pictures, note_unreferable, write_dicom, write_pages
from boneage_kedro.pipelines.assess.params import Params

if TYPE_CHECKING:
    from boneage_kedro.handover.package import ModelPackage
    from boneage_kedro.reading.case_opening import Reading

Masks = dict[str, Image.Image]
Files = dict[str, bytes]

MASKED_BY = {"phalanx": "finger_selftrain", "hand": "hand_active_learning", "dru": "dru_segmentation"}
"""Kinds of masks, and the pipeline that trains the network for each."""

_NAMED = 5

logger = logging.getLogger(__name__)


def read_new_cases(table: pd.DataFrame) -> pd.DataFrame:
    """Cases to assess, in the order of the table; a bad row stays, with what is wrong with it.

    Raises:
        ValueError: the table has no rows, or lacks a column.
    """
    if table.empty:
        raise ValueError(
            "the table of cases (assess_cases) has no rows; write one for each radiograph to read"
        )
    if unused := unused_columns(table, ["id", "sex", "chronological_age_months"]):
        logger.warning(
            "Of the table these columns are not used: %s. A chronological age is looked for in the column "
            "chronological_age_months.",
            ", ".join(unused),
        )
    return read_case_table(table)


def assess_new_cases(
    cases: pd.DataFrame, radiographs: RadiographFolder, package: ModelPackage, params: Params
) -> Iterator[tuple[pd.DataFrame, Files, Masks, Masks, Masks, dict[str, str], Files]]:
    """Read the bone age of every case, and mask phalanges, hand and forearm if the package has networks for them.

    Yields:
        after each batch the table of all cases so far (`boneage_kedro.evaluation.clinical.case_result.COLUMNS`), so
        that a run that is killed leaves a whole one, and by id the batch's pictures with their activation maps, the
        masks of its phalanges, of its hands, and of radius and ulna; a page of HTML for each case, and results as
        DICOM of those that came as DICOM. All but the table is emptied when the next batch is asked for.
    """
    for kind, pipeline in MASKED_BY.items():
        if kind not in package.masks:
            logger.info("The package masks no %s: run %s, then package, to have them.", kind, pipeline)
    assessor = package.assessor(params)
    rows: list[dict[str, Any]] = []
    with Progress(transient=True) as progress:
        task = progress.add_task("assessing", total=len(cases))
        for readings in assessor.read(cases, radiographs):
            note_unreferable(readings)
            results = [package.result(reading) for reading in readings]
            rows += [result.row() for result in results]
            progress.advance(task, len(readings))
            pictures = draw_pictures(readings)
            phalanges, hands, forearms = (_masks(readings, kind) for kind in ("phalanx", "hand", "dru"))
            pages = write_pages(readings, results, pictures)
            dicom = write_dicom(readings, results)
            yield pd.DataFrame(rows), pictures, phalanges, hands, forearms, pages, dicom
            # they are saved by now, but the itertools.tee in Kedro holds on to the last 57 batches
            saved: Sequence[dict[str, Any]] = pictures, phalanges, hands, forearms, pages, dicom
            for part in saved:
                part.clear()
    _summarise(rows, set(radiographs) - set(cases["id"]))


def _summarise(rows: Sequence[dict[str, Any]], unlisted: Collection[str]) -> None:
    from boneage_kedro.reading.case_opening import Status

    counts = Counter(str(row["status"]) for row in rows)
    told = ", ".join(f"{counts[status]} {status}" for status in Status if counts[status])
    level = logging.INFO if counts[Status.OK] or counts[Status.INDETERMINATE] else logging.WARNING
    logger.log(level, "%d cases: %s; the reasons stand in predictions.csv", len(rows), told)
    if unlisted:
        some = sorted(unlisted)
        named = ", ".join(some[:_NAMED]) + (", ..." if len(some) > _NAMED else "")
        logger.warning("%d radiographs are in no row of the table and were not read: %s", len(some), named)


def _masks(readings: list[Reading], kind: str) -> Masks:
    return {r.id: Image.fromarray(r.masks[kind]) for r in readings if kind in r.masks}
