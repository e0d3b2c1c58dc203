"""Nodes of `fabricate`."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image
from rich.progress import track

from boneage_kedro.cohort.sex import Sex
from boneage_kedro.phantom import fabricate_hand
from boneage_kedro.pipelines.fabricate.params import Params
from boneage_kedro.training.seeding import derive_seed


def draw_phantom_cases(params: Params) -> pd.DataFrame:
    """Draw age and sex of every phantom, in the columns of the RSNA table.

    Returns:
        ``id`` (p00000, ...), ``boneage`` in months with one decimal, uniform between the limits, and ``male``.
    """
    rng = np.random.default_rng(params["seed"])
    count = params["count"]
    ages = rng.uniform(params["min_age_months"], params["max_age_months"], count)
    return pd.DataFrame(
        {
            "id": [f"p{i:05d}" for i in range(count)],
            "boneage": ages.round(1),
            "male": rng.random(count) < params["male_share"],
        }
    )


def fabricate_hands(cases: pd.DataFrame, params: Params) -> Iterator[tuple[dict[str, Any], ...]]:
    """Make the radiograph of each case with its truth, one at a time.

    Yields:
        For each case, as ``{id: value}``: the radiograph, the hand mask (0 or 255), the map of bones (codes of
        `boneage_kedro.phantom.BONES`), all as pictures of one size, and joints with the nuisance as plain values.
    """
    sizes = params["min_size_px"], params["max_size_px"]
    rows = cases.to_dict("records")
    for case in track(rows, "fabricating hands", transient=True):
        sex = Sex.MALE if case["male"] else Sex.FEMALE
        # the seed belongs to the case, not to its place in a loop, so each picture can be made again alone
        seed = derive_seed(params["seed"], case["id"])
        size_px = int(np.random.default_rng(seed).integers(*sizes, endpoint=True))
        hand = fabricate_hand(case["boneage"], sex, seed, size_px)
        truth = {"joints": hand.joints.astype(float).round(1).tolist(), "nuisance": vars(hand.nuisance)}
        yield (
            {case["id"]: Image.fromarray(hand.image)},
            {case["id"]: Image.fromarray(hand.hand_mask.astype(np.uint8) * 255)},
            {case["id"]: Image.fromarray(hand.bones)},
            {case["id"]: truth},
        )
