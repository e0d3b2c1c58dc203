"""Nodes of `guard_study`. Torch is imported inside them, so that the CLI and kedro viz start quickly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pandas as pd
from rich.progress import track

from boneage_kedro.evaluation.ages.metrics import final_metrics, metric_name
from boneage_kedro.evaluation.enhancement.fidelity import FidelityLimits
from boneage_kedro.evaluation.enhancement.fidelity_study import (
    calibrate,
    detection_table,
    halves,
    score_phantom,
)
from boneage_kedro.pipelines.fabricate.nodes import draw_phantom_cases, fabricate_case
from boneage_kedro.pipelines.gan_enhance.params import Params as EnhanceParams
from boneage_kedro.pipelines.guard_study.params import Params
from boneage_kedro.provenance import fingerprint, fingerprint_code

if TYPE_CHECKING:
    from torch import Tensor


def score_guard(
    weights: dict[str, Tensor],
    settings: dict[str, Any],
    earlier: pd.DataFrame | None,
    enhance: EnhanceParams,
    params: Params,
) -> Iterator[pd.DataFrame]:
    """Plant inventions in phantoms, after honest changes of tone and in what the enhancer makes of them.

    Args:
        earlier: scores of a run before, which this one goes on with if it was killed.

    Yields:
        the scores so far (see `boneage_kedro.evaluation.enhancement.fidelity_study.score_phantom`), with ``made_by``.
    """
    from boneage_kedro.models.weights import fingerprint_weights
    from boneage_kedro.training.enhancement.cohort import as_method
    from boneage_kedro.training.enhancement.enhance import build_enhancer

    fidelity, tiles = enhance["guard"]["fidelity"], enhance["tiles"]
    code = fingerprint_code("phantom", "evaluation", "training", "models")
    made_by = fingerprint(fingerprint_weights(weights), settings, fidelity, tiles, params, code)
    gan = as_method(build_enhancer(weights, settings), settings, tiles, enhance["gan"]["accelerator"])
    known = earlier is not None and set(earlier["made_by"]) == {made_by}
    tables = [earlier] if earlier is not None and known else []
    done = len(set(earlier["phantom"])) if earlier is not None and known else 0
    cases = draw_phantom_cases(params["phantoms"]).to_dict("records")
    for number, case in enumerate(track(cases[done:], "planting inventions", transient=True), done):
        phantom = fabricate_case(case, params["phantoms"])
        scores = score_phantom(number, phantom, fidelity, params["study"], {"gan": gan})
        tables.append(scores.assign(made_by=made_by))
        if number + 1 == len(cases) or (number + 1) % params["save_every"] == 0:
            tables = [pd.concat(tables, ignore_index=True)]
            yield tables[0]
    if done == len(cases):
        yield tables[0]


def rate_guard(scores: pd.DataFrame, limits: FidelityLimits, enhance: EnhanceParams) -> pd.DataFrame:
    """How often the guard fires, on phantoms whose scores have set no limit.

    Args:
        limits: those by which hands were enhanced.

    Returns:
        the rows of `boneage_kedro.evaluation.enhancement.fidelity_study.detection_table` for these ``limits`` ("in
        use"), and for those that the other half of the phantoms sets ("of phantoms").
    """
    setting, testing = halves(scores)
    of_phantoms = calibrate(setting, enhance["guard"]["false_alarms"], enhance["guard"]["limits"])
    tables = {"in use": limits, "of phantoms": of_phantoms}
    return pd.concat(
        [detection_table(testing, used).assign(limits=name) for name, used in tables.items()],
        ignore_index=True,
    )


def collect_guard(rates: pd.DataFrame) -> dict[str, Any]:
    """Rates by the limits in use, in the form MLflow takes."""
    used = rates[rates["limits"] == "in use"]
    rows = used[["kind", "name", "enhanced_by", "fired"]].to_numpy()
    return final_metrics({metric_name(*parts, "fired"): fired for *parts, fired in rows})
