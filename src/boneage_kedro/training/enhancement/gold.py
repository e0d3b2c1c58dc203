"""Which hands the enhancer learns from: well exposed ones, or those that a person has adjusted."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from rich.progress import track

from boneage_kedro.imaging.contrast.exposure import choose_gold, exposure_score
from boneage_kedro.imaging.store import ImageStore
from boneage_kedro.provenance import fingerprint, fingerprint_code
from boneage_kedro.training.enhancement.gan_settings import PairSettings
from boneage_kedro.training.enhancement.pairs import FolderPairs, Pairs, PhysicsPairs

# Pairs need no calibration of intervals, so that part of the split helps to choose the best epoch.
_PART_OF = {"train": "train", "validation": "validation", "calibration": "validation", "test": "test"}


class GoldPairs(NamedTuple):
    """Pairs by what they are for, and the fingerprint of all their pixels."""

    train: Pairs
    validation: Pairs
    test: Pairs
    name: str


def rate_hands(
    hands: ImageStore, masks: Mapping[str, np.ndarray], cases: pd.DataFrame, settings: PairSettings
) -> pd.DataFrame:
    """Rate how well each hand is exposed, and choose the best of each part of the split and age band for gold.

    Args:
        hands: cut hands; one that stayed whole, since its mask is not trusted, is never gold.
        masks: the hand (P, P) on the same frame by id, 0 outside.
        cases: ``id, split, bone_age_months``.

    Returns:
        ``id, part``, those of `Exposure`, and ``gold``, a row a hand of the store, sorted by id.
    """
    known = cases[cases["id"].isin(hands.ids)].sort_values("id", ignore_index=True)
    rows = [_rate(hands[key], masks[key]) for key in track(known["id"], "rating hands", transient=True)]
    rated = pd.DataFrame(rows).assign(id=known["id"], part=known["split"].map(_PART_OF))
    band = known["bone_age_months"] // settings["age_band_months"]
    cut = pd.Series([bool(hands.record(key)["cut"]) for key in known["id"]])
    scores = dict(zip(known["id"][cut], rated["score"][cut], strict=True))
    strata = dict(zip(known["id"], zip(rated["part"], band, strict=True), strict=True))
    gold = set(choose_gold(scores, settings["gold_share"], {key: strata[key] for key in scores}))
    return rated.assign(gold=known["id"].isin(gold))


def degraded_gold(
    hands: ImageStore, masks: ImageStore, rated: pd.DataFrame, settings: PairSettings
) -> GoldPairs:
    """Well exposed hands in one tone, and the same as badly exposed as detectors make them (`PhysicsPairs`).

    Raises:
        ValueError: the training or the validation part has no gold.
    """
    ids = {part: rows["id"].tolist() for part, rows in rated[rated["gold"]].groupby("part")}
    if lacking := [part for part in ("train", "validation") if part not in ids]:
        raise ValueError(
            f"no hand of the {' or the '.join(lacking)} part is gold for the enhancer: of none a mask is trusted. "
            "Look at hand_sheet.png and cut_hands.png, give hand_active_learning more masks, or leave gan_enhance out"
        )
    everything = [key for some in ids.values() for key in some]

    def pairs(part: str) -> PhysicsPairs:
        return PhysicsPairs(
            hands,
            masks,
            ids.get(part, []),
            settings["tone"],
            settings["degradation"],
            settings["seed"],
            fresh=part == "train",
        )

    pixels = hands.fingerprint(everything), masks.fingerprint(everything)
    name = fingerprint(pixels, settings, fingerprint_code("imaging"))
    return GoldPairs(pairs("train"), pairs("validation"), pairs("test"), name)


def adjusted_gold(pairs: FolderPairs, cases: pd.DataFrame) -> GoldPairs:
    """Pairs that a person adjusted, sorted by the one split.

    Args:
        cases: ``id, split``; pairs of other ids are left out, since nobody knows what they may be used for.
    """
    part_of = dict(zip(cases["id"], cases["split"].map(_PART_OF), strict=True))
    train, validation, test = (
        pairs.among({key for key in pairs.ids if part_of.get(key) == part})
        for part in ("train", "validation", "test")
    )
    return GoldPairs(train, validation, test, pairs.fingerprint)


def _rate(picture: np.ndarray, mask: np.ndarray) -> dict[str, float | str]:
    return exposure_score(picture.astype(np.float32) / 255, mask > 0)._asdict()
