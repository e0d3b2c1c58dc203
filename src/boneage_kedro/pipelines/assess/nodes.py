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

    from boneage_kedro.training.assessment import Reading
    from boneage_kedro.training.mask_readers import MaskReader

Pictures = dict[str, Image.Image]

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
    intervals: dict[str, Any],
    familiarity_weights: dict[str, Tensor],
    familiarity_settings: dict[str, Any],
    finger_weights: dict[str, Tensor] | None,
    finger_settings: dict[str, Any] | None,
    hand_weights: dict[str, Tensor] | None,
    hand_settings: dict[str, Any] | None,
    dru_weights: dict[str, Tensor] | None,
    dru_settings: dict[str, Any] | None,
    params: Params,
) -> Iterator[tuple[pd.DataFrame, Pictures, Pictures, Pictures, Pictures]]:
    """Read the bone age of every case, and mask phalanges, hand and forearm if networks for them have been trained.

    Raises:
        ValueError: intervals or familiarity belong to another network.

    Yields:
        after each batch the table of all cases so far (``id, sex, bone_age_months, lower_months, upper_months,
        status, warnings``), so that a run that is killed leaves a whole one, and by id the batch's pictures with
        their activation maps, the masks of its phalanges, of its hands, and of radius and ulna.
    """
    from boneage_kedro.training.assessment import assess_cases
    from boneage_kedro.training.device import device_of
    from boneage_kedro.training.forearm_reader import ForearmReader
    from boneage_kedro.training.hand_reader import HandReader
    from boneage_kedro.training.mask_readers import PhalanxReader
    from boneage_kedro.training.reliability import Reliability

    reliability = Reliability.of(
        weights, model_settings, intervals, familiarity_weights, familiarity_settings
    )
    networks: dict[str, tuple[type[PhalanxReader | HandReader | ForearmReader], Any, Any]] = {
        "finger_selftrain": (PhalanxReader, finger_weights, finger_settings),
        "hand_active_learning": (HandReader, hand_weights, hand_settings),
        "dru_segmentation": (ForearmReader, dru_weights, dru_settings),
    }
    readers: list[MaskReader] = []
    for pipeline, (reader, its_weights, its_settings) in networks.items():
        if its_weights is None or its_settings is None:
            logger.info("No masks by %s: run that pipeline once to have them.", pipeline)
        else:
            readers.append(reader(its_weights, its_settings, device_of(params["accelerator"])))
    rows: list[dict[str, Any]] = []
    with Progress(transient=True) as progress:
        task = progress.add_task("assessing", total=len(cases))
        for readings in assess_cases(
            cases, radiographs, weights, model_settings, reliability, params, readers
        ):
            rows += [reading.row() for reading in readings]
            progress.advance(task, len(readings))
            drawn = {r.id: Image.fromarray(r.overlay) for r in readings if r.overlay is not None}
            phalanges, hands, forearms = (_masks(readings, kind) for kind in ("phalanx", "hand", "dru"))
            yield pd.DataFrame(rows), drawn, phalanges, hands, forearms


def _masks(readings: list[Reading], kind: str) -> Pictures:
    return {r.id: Image.fromarray(r.masks[kind]) for r in readings if kind in r.masks}
