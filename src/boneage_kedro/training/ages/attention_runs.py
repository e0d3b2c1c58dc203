"""The checks of `attention_checks` on cases of an image store, with a network from its weights."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from torch import Tensor

from boneage_kedro.evaluation.attention.checks import (
    CheckSettings,
    Randomised,
    centre_orders,
    random_orders,
)
from boneage_kedro.evaluation.attention.placing import place_maps
from boneage_kedro.imaging.store import ImageStore
from boneage_kedro.models.age_ensemble import AgeNetwork
from boneage_kedro.models.cell_grid import locate_cells
from boneage_kedro.training.ages.attention_checks import delete_and_insert, randomise_in_cascade
from boneage_kedro.training.ages.attention_maps import map_attention
from boneage_kedro.training.ages.regression import CohortReader
from boneage_kedro.training.settings import FitSettings


def age_curves(
    store: ImageStore,
    cases: pd.DataFrame,
    weights: dict[str, Tensor],
    settings: dict[str, Any],
    fit_settings: FitSettings,
    checks: CheckSettings,
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Ages under deletion and insertion in the orders ``attention``, ``random`` and ``centre``.

    Returns:
        for each order what `delete_and_insert` gives, in the order of the cases.
    """
    reader = CohortReader.of(store, cases, weights, settings, fit_settings)
    model, samples, batch_size, device, views = reader
    side = model.config.input_px
    cells = locate_cells(model.backbone, side).cells
    places = len(samples), cells, cells
    orders = {
        "attention": np.abs(place_maps(map_attention(*reader)[0], side)),
        "random": random_orders(places, np.random.default_rng(checks["seed"])),
        "centre": centre_orders((len(samples), side, side)),
    }
    return {
        name: delete_and_insert(model, samples, order, checks["deletion"], batch_size, device, views)
        for name, order in orders.items()
    }


def random_cascade(
    store: ImageStore,
    cases: pd.DataFrame,
    weights: dict[str, Tensor],
    settings: dict[str, Any],
    fit_settings: FitSettings,
    checks: CheckSettings,
) -> tuple[np.ndarray, Iterator[Randomised]]:
    """Maps (n, h, w) of the trained network, and those of networks with random layers, in the order of the cases."""
    reader = CohortReader.of(store, cases, weights, settings, fit_settings)

    def maps(model: AgeNetwork) -> np.ndarray:
        return map_attention(*reader._replace(model=model))[0]

    cascade = randomise_in_cascade(reader.model, maps, checks["random_steps"], checks["random_seeds"])
    return maps(reader.model), cascade
