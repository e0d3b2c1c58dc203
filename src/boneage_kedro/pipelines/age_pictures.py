"""The pictures that the network of ages reads (``ptl_regression.images``), as far as the wiring of pipelines goes.

What a pipeline reads is wired by the parameter, so that nothing of hands must be there for whole pictures, nothing is
outdated by what it is not made from, and what it is made from is made before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from boneage_kedro.hooks import chain_start

if TYPE_CHECKING:
    from torch import Tensor

    from boneage_kedro.evaluation.fidelity import FidelityLimits
    from boneage_kedro.pipelines.gan_enhance.params import Params as EnhancingParams

_COMMITTEE = ["hand_weights@tensors", "hand_settings@json"]
_ENHANCER = [
    "enhancer_weights@tensors",
    "enhancer_settings@json",
    "guard_limits",
    "params:gan_enhance",
]


def age_pictures() -> str:
    """The dataset of the pictures."""
    return chain_start().pictures


def hand_committee() -> list[str]:
    """The datasets of the networks that mask hands; none for whole pictures."""
    return [] if chain_start().images == "whole" else _COMMITTEE


def enhancer() -> list[str]:
    """The datasets of the enhancer, the arguments of `enhancer_in_use`; none for other than enhanced pictures."""
    return _ENHANCER if chain_start().images == "enhanced" else []


def enhancer_in_use(
    weights: dict[str, Tensor], settings: dict[str, Any], limits: FidelityLimits, params: EnhancingParams
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The enhancer with all that its pictures depend on in its settings: its ``tiles`` and its ``guard``."""
    guard = {**params["guard"], "limits": limits}
    return weights, {**settings, "tiles": params["tiles"], "guard": guard}
