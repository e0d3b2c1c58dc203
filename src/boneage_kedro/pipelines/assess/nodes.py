"""Nodes of `assess`."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pandas as pd
from PIL import Image
from rich.progress import Progress

from boneage_kedro.cohort.tables import read_case_table
from boneage_kedro.imaging.sources import RadiographFolder
from boneage_kedro.pipelines.assess.params import Params

if TYPE_CHECKING:
    from torch import Tensor

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
    return read_case_table(table)


def assess_new_cases(
    cases: pd.DataFrame,
    radiographs: RadiographFolder,
    weights: dict[str, Tensor],
    model_settings: dict[str, Any],
    finger_weights: dict[str, Tensor] | None,
    finger_settings: dict[str, Any] | None,
    params: Params,
) -> Iterator[tuple[pd.DataFrame, dict[str, Image.Image], dict[str, Image.Image]]]:
    """Read the bone age of every case, and mask its phalanges if `finger_selftrain` has trained a network.

    Yields:
        after each batch the table of all cases so far (``id, sex, bone_age_months, status, warnings``), so that
        a run that is killed leaves a whole one, and by id the batch's pictures with their activation maps and the
        masks of its phalanges.
    """
    from boneage_kedro.training.assessment import assess_cases

    if finger_weights is None or finger_settings is None:
        logger.info("No masks of phalanges: run the pipeline finger_selftrain once to have them.")
        phalanges = None
    else:
        phalanges = finger_weights, finger_settings
    rows: list[dict[str, Any]] = []
    with Progress(transient=True) as progress:
        task = progress.add_task("assessing", total=len(cases))
        for readings in assess_cases(cases, radiographs, weights, model_settings, params, phalanges):
            rows += [reading.row() for reading in readings]
            progress.advance(task, len(readings))
            drawn = {r.id: Image.fromarray(r.overlay) for r in readings if r.overlay is not None}
            masks = {r.id: Image.fromarray(r.phalanges) for r in readings if r.phalanges is not None}
            yield pd.DataFrame(rows), drawn, masks
