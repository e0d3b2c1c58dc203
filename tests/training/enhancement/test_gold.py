"""Which hands are gold, and that each pair stays in the part of its hand."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest

from boneage_kedro.cohort.sex import Sex
from boneage_kedro.imaging.store import ImageStore, ImageStoreWriter, StoreEntry, StoreHeader
from boneage_kedro.phantom import Nuisance, fabricate_hand
from boneage_kedro.training.enhancement.gan_settings import PairSettings
from boneage_kedro.training.enhancement.gold import adjusted_gold, degraded_gold, rate_hands
from boneage_kedro.training.enhancement.pairs import FolderPairs

SIDE, COUNT = 96, 24
SPLITS = ["train"] * 12 + ["validation"] * 3 + ["calibration"] * 3 + ["test"] * 6


def write(folder: Path, pictures: dict[str, np.ndarray], **record: Any) -> ImageStore:
    with ImageStoreWriter(folder, StoreHeader(SIDE, {})) as writer:
        writer.append(
            [StoreEntry(key, key, p, {"cut": key not in record["whole"]}) for key, p in pictures.items()]
        )
        writer.finish()
    return ImageStore(folder)


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> tuple[ImageStore, ImageStore]:
    """Phantoms, every other one nearly without contrast; h00 stayed whole."""
    folder, pictures, masks = tmp_path_factory.mktemp("hands"), {}, {}
    for i in range(COUNT):
        hand = fabricate_hand(100, Sex.MALE, i, SIDE, Nuisance(contrast=0.3 if i % 2 else 1.0))
        pad = (0, SIDE - hand.image.shape[0], 0, SIDE - hand.image.shape[1])
        pictures[f"h{i:02d}"] = cv2.copyMakeBorder(hand.image, *pad, cv2.BORDER_CONSTANT)
        masks[f"h{i:02d}"] = cv2.copyMakeBorder(hand.hand_mask.astype(np.uint8), *pad, cv2.BORDER_CONSTANT)
    return write(folder / "hands", pictures, whole={"h00"}), write(folder / "masks", masks, whole=set())


@pytest.fixture
def settings(parameters: dict[str, Any]) -> PairSettings:
    found: PairSettings = parameters["gan_enhance"]["pairs"]
    return {**found, "gold_share": 0.5}


def cases() -> pd.DataFrame:
    ids = [f"h{i:02d}" for i in range(COUNT)]
    return pd.DataFrame({"id": ids, "split": SPLITS, "bone_age_months": 100.0})


def test_gold_are_the_well_exposed_hands_of_each_part(
    stores: tuple[ImageStore, ImageStore], settings: PairSettings
) -> None:
    rated = rate_hands(*stores, cases(), settings)
    assert rated["id"].tolist() == stores[0].ids
    assert rated.groupby("part")["gold"].sum().to_dict() == {"train": 6, "validation": 3, "test": 3}
    faint = rated["id"].str[1:].astype(int) % 2 == 1
    assert rated.loc[~faint, "score"].min() > rated.loc[faint, "score"].max()
    assert not rated.set_index("id").loc["h00", "gold"]  # its mask is not trusted
    assert rated.loc[faint, "gold"].sum() == 1  # in its place


def test_pairs_keep_to_the_part_of_their_hand_and_only_training_is_degraded_anew(
    stores: tuple[ImageStore, ImageStore], settings: PairSettings
) -> None:
    rated = rate_hands(*stores, cases(), settings)
    gold = degraded_gold(*stores, rated, settings)
    part_of = rated.set_index("id")["part"]
    for part in ("train", "validation", "test"):
        pairs = getattr(gold, part)
        assert set(part_of[list(pairs.ids)]) == {part}
        first, again = pairs.pair(0, 0), pairs.pair(0, 1)
        assert np.array_equal(first.y, again.y)
        assert np.array_equal(first.x, again.x) == (part != "train")
    assert gold.name != degraded_gold(*stores, rated, {**settings, "seed": 9}).name


def test_without_a_trusted_mask_it_is_said_what_to_do(
    stores: tuple[ImageStore, ImageStore], settings: PairSettings
) -> None:
    rated = rate_hands(*stores, cases(), settings)
    rated["gold"] &= rated["part"] != "validation"
    with pytest.raises(
        ValueError, match=r"no hand of the validation part is gold.*give hand_active_learning more"
    ):
        degraded_gold(*stores, rated, settings)


def test_adjusted_pairs_are_sorted_by_the_split_and_strangers_left_out(tmp_path: Path) -> None:
    for part in ("input", "gold"):
        (tmp_path / part).mkdir()
        for key in ("h00", "h13", "h15", "h20", "stranger"):
            cv2.imwrite(str(tmp_path / part / f"{key}.png"), np.full((20, 20), 90, np.uint8))
    gold = adjusted_gold(FolderPairs(tmp_path, 32), cases())
    assert (gold.train.ids, gold.validation.ids, gold.test.ids) == (["h00"], ["h13", "h15"], ["h20"])
    assert gold.train.pair(0, 0).y.shape == (32, 32)
