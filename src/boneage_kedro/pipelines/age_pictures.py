"""The pictures that the network of ages reads (``ptl_regression.images``), as far as the wiring of pipelines goes.

What a pipeline reads is wired by the parameter, so that nothing of hands must be there for whole pictures, nothing is
outdated by what it is not made from, and what it is made from is made before it.
"""

from boneage_kedro.hooks import chain_start

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
    """The datasets of the enhancer, as `enhancer_in_use` takes them; none for other than enhanced pictures."""
    return _ENHANCER if chain_start().images == "enhanced" else []
