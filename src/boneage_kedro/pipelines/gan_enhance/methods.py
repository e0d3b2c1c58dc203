"""What the enhancer learns from and what it is held against: shared by `gan_enhance` and `gan_study`.

Torch is imported inside the functions, as in the nodes that call them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from boneage_kedro.imaging.store import ImageStore
from boneage_kedro.pipelines.gan_enhance.params import Params

if TYPE_CHECKING:
    from torch import Tensor

    from boneage_kedro.evaluation.enhancement.fidelity import FidelityLimits
    from boneage_kedro.imaging.contrast.enhancement import Enhancement
    from boneage_kedro.training.enhancement.gan_settings import GuardSettings
    from boneage_kedro.training.enhancement.gold import GoldPairs


def gold_pairs(
    hands: ImageStore,
    masks: ImageStore,
    exposure: pd.DataFrame,
    splits: pd.DataFrame,
    folder: Path,
    params: Params,
) -> GoldPairs:
    """Pairs of the three parts, from the source that the parameters name."""
    from boneage_kedro.training.enhancement.gold import adjusted_gold, degraded_gold
    from boneage_kedro.training.enhancement.pairs import FolderPairs

    if params["pairs"]["source"] == "folder":
        return adjusted_gold(FolderPairs(folder, params["tiles"]["tile_px"]), splits)
    return degraded_gold(hands, masks, exposure, params["pairs"])


def graded_hands(exposure: pd.DataFrame, params: Params) -> list[str]:
    """Hands of the test part that are graded as they came."""
    test: list[str] = exposure.loc[exposure["part"] == "test", "id"].tolist()
    return test[: params["graded_cases"]]


def plain_methods(gold: GoldPairs, params: Params) -> dict[str, Enhancement]:
    """Methods that need no training, by name; what they refer to are training pairs."""
    from boneage_kedro.imaging.contrast.enhancement import build_baselines, reference_quantiles
    from boneage_kedro.imaging.contrast.tone_curve import to_standard_tone

    learnt = (gold.train.pair(i, 0) for i in range(min(len(gold.train), params["graded_cases"])))
    reference = reference_quantiles((pair.y, pair.inside) for pair in learnt)
    tone = partial(to_standard_tone, **params["pairs"]["tone"])
    return {**build_baselines(params["baselines"], reference), "standard_tone": tone}


def enhancer_in_use(
    weights: dict[str, Tensor], settings: Mapping[str, Any], limits: FidelityLimits, params: Params
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The enhancer with all that its pictures depend on in its settings: its ``tiles`` and its ``guard``."""
    guard: GuardSettings = {**params["guard"], "limits": limits}
    return weights, {**settings, "tiles": params["tiles"], "guard": guard}


def all_methods(
    gold: GoldPairs,
    weights: dict[str, Tensor],
    settings: Mapping[str, Any],
    limits: FidelityLimits,
    params: Params,
) -> dict[str, Enhancement]:
    """Plain methods and the enhancer by name."""
    from boneage_kedro.training.enhancement.cohort import as_method, under_guard
    from boneage_kedro.training.enhancement.enhance import build_enhancer

    _, used = enhancer_in_use(weights, settings, limits, params)
    gan = as_method(
        build_enhancer(weights, settings), settings, params["tiles"], params["gan"]["accelerator"]
    )
    return {
        **plain_methods(gold, params),
        "gan": gan,
        "gan_guarded": under_guard(gan, settings["tone"], used["guard"]),
    }
