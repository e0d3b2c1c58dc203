from pathlib import Path

import numpy as np
import pytest

from boneage_kedro.cohort.sex import Sex
from boneage_kedro.masks.drawn.queue import AnnotationQueue
from boneage_kedro.masks.hand.check import check_hand
from boneage_kedro.phantom import Nuisance, Phantom, fabricate_hand

IDS = ["1377", "left hand 2", "1379"]  # a blank must survive the way through addresses


@pytest.fixture(scope="session")
def hand() -> Phantom:
    return fabricate_hand(120, Sex.FEMALE, seed=3, size_px=320, nuisance=Nuisance())


@pytest.fixture
def queue(tmp_path: Path, hand: Phantom) -> AnnotationQueue:
    """Three open hands; the first one has the true mask as its proposal, the others have none."""
    asked = AnnotationQueue(tmp_path, {"hand": 1}, check_hand)
    for key in IDS:
        proposal = hand.hand_mask.astype(np.uint8)
        asked.ask(key, hand.image, proposal if key == IDS[0] else np.zeros_like(proposal))
    return asked


@pytest.fixture
def forearm(tmp_path: Path, hand: Phantom) -> AnnotationQueue:
    """One picture on which two bones are to be drawn."""
    asked = AnnotationQueue(tmp_path, {"radius": 1, "ulna": 2})
    asked.ask("7", hand.image, np.zeros_like(hand.image))
    return asked
