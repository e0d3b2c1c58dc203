"""Ten new phantoms as files of every kind, and the ages that the batch evaluation gives their pictures."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from boneage_kedro.cohort.sex import Sex
from boneage_kedro.handover.package import ModelPackage
from boneage_kedro.imaging.ingest import ingest, store_header
from boneage_kedro.imaging.sources import MemorySource
from boneage_kedro.imaging.store import ImageStore, ImageStoreWriter
from boneage_kedro.phantom import fabricate_hand
from boneage_kedro.training.ages.regression import predict_cohort
from tests.imaging.files import dicom, encoded
from tests.training.age_setup import FIT


def _dicom(stored: np.ndarray, monochrome: int, bits: int) -> bytes:
    size = {"Rows": stored.shape[0], "Columns": stored.shape[1], "BitsStored": bits}
    return dicom(stored, **size, PhotometricInterpretation=f"MONOCHROME{monochrome}")


# Each holds the very content of 8 bits: times a whole number, and the other way round where white is low.
FILES: dict[str, Callable[[np.ndarray], bytes]] = {
    "png_8.png": lambda hand: encoded(hand, ".png"),
    "png_16.png": lambda hand: encoded(hand.astype(np.uint16) * 257, ".png"),
    "two_8.dcm": lambda hand: _dicom(hand, 2, 8),
    "two_10.dcm": lambda hand: _dicom(hand.astype(np.uint16) * 4, 2, 10),
    "two_12.dcm": lambda hand: _dicom(hand.astype(np.uint16) * 16, 2, 12),
    "two_16.dcm": lambda hand: _dicom(hand.astype(np.uint16) * 257, 2, 16),
    "one_8.dcm": lambda hand: _dicom(255 - hand, 1, 8),
    "one_10.dcm": lambda hand: _dicom(1023 - hand.astype(np.uint16) * 4, 1, 10),
    "one_12.dcm": lambda hand: _dicom(4095 - hand.astype(np.uint16) * 16, 1, 12),
    "one_16.dcm": lambda hand: _dicom(65535 - hand.astype(np.uint16) * 257, 1, 16),
}


def new_hands() -> dict[str, np.ndarray]:
    """A phantom of another age and size for each of `FILES`, by its id."""
    return {
        name.partition(".")[0]: fabricate_hand(30.0 + 18 * i, _sex(i), 700 + i, 200 + 10 * i).image
        for i, name in enumerate(FILES)
    }


def write_files(folder: Path, hands: dict[str, np.ndarray]) -> pd.DataFrame:
    """Write each hand as its file, and return their table: ``id, sex``."""
    for name, hand in zip(FILES, hands.values(), strict=True):
        (folder / name).write_bytes(FILES[name](hand))
    return pd.DataFrame({"id": list(hands), "sex": [str(_sex(i)) for i in range(len(hands))]})


def batch_ages(
    hands: dict[str, np.ndarray], cases: pd.DataFrame, package: ModelPackage, place: Path
) -> np.ndarray:
    """Ages as the pipelines make them: the pictures as PNG of 8 bits into an image store, and read from there."""
    preparation = package.age.settings["preparation"]
    sources = {key: MemorySource(f"{key}.png", encoded(hand, ".png")) for key, hand in hands.items()}
    with ImageStoreWriter(place, store_header(preparation)) as writer:
        for chunk in ingest(list(hands), sources, preparation, workers=1):
            writer.append(chunk.entries)
        writer.finish()
    unread = cases.assign(bone_age_months=np.nan)
    return predict_cohort(
        ImageStore(place), unread, dict(package.age.weights), dict(package.age.settings), FIT
    )


def _sex(number: int) -> Sex:
    return Sex.MALE if number % 2 else Sex.FEMALE
