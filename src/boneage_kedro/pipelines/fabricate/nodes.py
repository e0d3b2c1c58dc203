"""Nodes of `fabricate`."""

from collections.abc import Hashable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image
from rich.progress import track

from boneage_kedro.cohort.sex import Sex
from boneage_kedro.masks.drawn.labelme import write_labelme
from boneage_kedro.masks.forearm.block import FOREARM_LABELS
from boneage_kedro.phantom import Phantom, fabricate_hand, phalanx_mask
from boneage_kedro.phantom.forearm import forearm_mask
from boneage_kedro.pipelines.fabricate.params import Params
from boneage_kedro.training.seeding import derive_seed

_TOLERANCE_PX = 0.3  # how far an outline may stray from the truth


def draw_phantom_cases(params: Params) -> pd.DataFrame:
    """Draw age and sex of every phantom, in the columns of the RSNA table.

    Returns:
        ``id`` (p00000, ...), ``boneage`` in months with one decimal, between the limits, and ``male``.
    """
    rng = np.random.default_rng(params["seed"])
    count, limits = params["count"], (params["min_age_months"], params["max_age_months"])
    ages = (
        rng.uniform(*limits, count) if params["ages"] == "uniform" else _draw_year_groups(*limits, count, rng)
    )
    return pd.DataFrame(
        {
            "id": [f"p{i:05d}" for i in range(count)],
            "boneage": ages.round(1),
            "male": rng.random(count) < params["male_share"],
        }
    )


def _draw_year_groups(low: float, high: float, count: int, rng: np.random.Generator) -> np.ndarray:
    """Ages in months, as many of each year of life between the limits (paper 000, section IV.A), in random order.

    Numbers of two years differ by one at most, where the count is no multiple of the years.
    """
    years = np.arange(low // 12, max(high / 12, low // 12 + 1))
    year = rng.permutation(years[np.arange(count) % len(years)])
    ages = rng.uniform(np.maximum(12 * year, low), np.minimum(12 * year + 12, high))
    return np.clip(np.floor(10 * ages) / 10, low, high)  # rounded up, 11.96 would belong to the next year


def fabricate_hands(cases: pd.DataFrame, params: Params) -> Iterator[tuple[dict[str, Any], ...]]:
    """Make the radiograph of each case with its truth, one at a time.

    Yields:
        For each case, as ``{id: value}``: the radiograph, the hand mask (0 or 255), the phalanges (codes of
        `boneage_kedro.phantom.PHALANX_CLASSES`), all bones (codes of `boneage_kedro.phantom.BONES`), all as pictures
        of one size; the outlines of radius and ulna as a Labelme file; and joints with the nuisance as plain values.
    """
    for case in track(cases.to_dict("records"), "fabricating hands", transient=True):
        hand = fabricate_case(case, params)
        truth = {"joints": hand.joints.astype(float).round(1).tolist(), "nuisance": vars(hand.nuisance)}
        yield (
            {case["id"]: Image.fromarray(hand.image)},
            {case["id"]: Image.fromarray(hand.hand_mask.astype(np.uint8) * 255)},
            {case["id"]: Image.fromarray(phalanx_mask(hand.bones))},
            {case["id"]: Image.fromarray(hand.bones)},
            {
                case["id"]: write_labelme(
                    forearm_mask(hand.bones), FOREARM_LABELS, f"{case['id']}.png", _TOLERANCE_PX
                )
            },
            {case["id"]: truth},
        )


def fabricate_case(case: Mapping[Hashable, Any], params: Params) -> Phantom:
    """The phantom of a row of `draw_phantom_cases`, the same whatever rows there are beside it."""
    seed = derive_seed(params["seed"], case["id"])
    sizes = params["min_size_px"], params["max_size_px"]
    size_px = int(np.random.default_rng(seed).integers(*sizes, endpoint=True))
    return fabricate_hand(case["boneage"], Sex.MALE if case["male"] else Sex.FEMALE, seed, size_px)
