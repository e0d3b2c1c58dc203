from pathlib import Path

import cv2
import numpy as np
import pytest

from boneage_kedro.cohort.sex import Sex
from boneage_kedro.phantom import Nuisance, fabricate_hand
from boneage_kedro.tone.pairs import PairFolder
from boneage_kedro.tone.pictures import PictureFolder

IDS = ["1377", "1379", "left hand 2"]  # a blank must survive the way through addresses
EXPOSURES = [0.0, 0.5, -0.4]


@pytest.fixture(scope="session")
def hands() -> dict[str, np.ndarray]:
    """Phantom hands cut out, (200, 156) uint8, as different films show them."""
    cut = {}
    for seed, (key, exposure) in enumerate(zip(IDS, EXPOSURES, strict=True)):
        hand = fabricate_hand(120, Sex.FEMALE, seed, size_px=200, nuisance=Nuisance(exposure=exposure))
        cut[key] = np.where(hand.hand_mask, hand.image, 0).astype(np.uint8)
    return cut


@pytest.fixture
def folder(tmp_path: Path, hands: dict[str, np.ndarray]) -> Path:
    """The folder of pictures."""
    (tmp_path / "pictures").mkdir()
    for key, hand in hands.items():
        cv2.imwrite(str(tmp_path / "pictures" / f"{key}.png"), hand)
    return tmp_path / "pictures"


@pytest.fixture
def pictures(folder: Path) -> PictureFolder:
    return PictureFolder(folder)


@pytest.fixture
def pairs(tmp_path: Path) -> PairFolder:
    return PairFolder(tmp_path / "pairs")
