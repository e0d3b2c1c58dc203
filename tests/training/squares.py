"""Pictures of bright squares with their masks: a task that a small network learns in seconds."""

import numpy as np
import pandas as pd

from boneage_kedro.imaging.store import ImageStore, ImageStoreWriter, StoreEntry, StoreHeader

SIDE = 32


def square(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A noisy picture (SIDE, SIDE) uint8 and the mask of its square."""
    rng = np.random.default_rng(seed)
    mask = np.zeros((SIDE, SIDE), np.uint8)
    top, left = rng.integers(4, 14, 2)
    mask[top : top + 14, left : left + 14] = 1
    picture = 60 + 120 * mask + rng.normal(0, 12, mask.shape)
    return picture.clip(0, 255).astype(np.uint8), mask


def square_store(folder, count: int) -> tuple[ImageStore, dict[str, np.ndarray]]:
    """A store of such pictures, s00, s01, ..., each as large as its source, and all masks."""
    record = {"source_shape": [SIDE, SIDE], "transform": [[1, 0, 0], [0, 1, 0]]}
    drawn = {f"s{i:02d}": square(i) for i in range(count)}
    with ImageStoreWriter(folder, StoreHeader(SIDE, {})) as writer:
        writer.append([StoreEntry(key, key, picture, record) for key, (picture, _) in drawn.items()])
        writer.finish()
    return ImageStore(folder), {key: mask for key, (_, mask) in drawn.items()}


def square_splits(count: int, validation: int, test: int) -> pd.DataFrame:
    """The last cases are for the test, those before for validation, the others for training."""
    parts = ["train"] * (count - validation - test) + ["validation"] * validation + ["test"] * test
    return pd.DataFrame({"id": [f"s{i:02d}" for i in range(count)], "split": parts})
