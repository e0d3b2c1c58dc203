"""Phantoms cut to their forearms, and pictures in which there is none."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from boneage_kedro.cohort.sex import Sex
from boneage_kedro.imaging.boxes import box_around
from boneage_kedro.imaging.ingest import ingest, store_header
from boneage_kedro.imaging.preparation.prepare import PreparationSettings
from boneage_kedro.imaging.sources import RadiographFolder
from boneage_kedro.imaging.store import ImageStore, ImageStoreWriter, StoreState, read_state
from boneage_kedro.masks.forearm.block import distal_block
from boneage_kedro.masks.forearm.store import ingest_forearms
from boneage_kedro.masks.label_maps import mask_to_canvas
from boneage_kedro.phantom import fabricate_hand
from boneage_kedro.phantom.forearm import forearm_mask

SIDE = 48
CROP = {"margin": 0.2, "reach": 2.0}
NONE = np.full(4, np.nan)


@pytest.fixture
def preparation(parameters: dict[str, Any]) -> PreparationSettings:
    return parameters["data_prep"]["preparation"]


@pytest.fixture
def files(tmp_path: Path) -> RadiographFolder:
    (tmp_path / "pictures").mkdir()
    for i, key in enumerate("ab"):
        hand = fabricate_hand(100.0 + 50 * i, Sex.FEMALE, seed=i, size_px=200)
        Image.fromarray(hand.image).save(tmp_path / "pictures" / f"{key}.png")
    tiny = Image.fromarray(hand.image).resize((18, 22))  # less than the stride of an FCN
    tiny.save(tmp_path / "pictures" / "tiny.png")
    return RadiographFolder(tmp_path / "pictures")


@pytest.fixture
def images(tmp_path: Path, files: RadiographFolder, preparation: PreparationSettings) -> ImageStore:
    return write(
        tmp_path / "images", store_header(preparation), ingest(list(files), files, preparation, workers=1)
    )


def write(folder: Path, header: Any, chunks: Any) -> ImageStore:
    with ImageStoreWriter(folder, header) as writer:
        for chunk in chunks:
            writer.append(chunk.entries)
        writer.finish()
    return ImageStore(folder)


def cut(
    folder: Path, files: RadiographFolder, images: ImageStore, boxes: dict[str, np.ndarray]
) -> ImageStore:
    state = read_state(folder) if folder.exists() else StoreState()
    chunks = list(ingest_forearms(files, images, boxes, CROP, SIDE, state, workers=2))
    return write(folder, chunks[0].header, chunks)


def test_a_forearm_is_cut_out_whole_and_lies_where_its_frame_says(
    tmp_path: Path, files: RadiographFolder, images: ImageStore
) -> None:
    side = images.header.canvas_px
    truth = forearm_mask(fabricate_hand(100.0, Sex.FEMALE, seed=0, size_px=200).bones)
    block = distal_block(mask_to_canvas(truth, images.frame("a", side)[0], side)) / side
    store = cut(tmp_path / "cut", files, images, {"a": block, "b": NONE, "tiny": NONE})
    mask = mask_to_canvas(truth, store.frame("a", SIDE)[0], SIDE)
    assert box_around(mask > 0)[3] == pytest.approx(SIDE, abs=2)  # down to the end of the picture
    scale = abs(np.linalg.det(store.frame("a", SIDE)[0][:, :2]))
    assert (mask > 0).sum() == pytest.approx(scale * (truth > 0).sum(), rel=0.06)  # nothing of it is lost
    assert store["a"][mask > 0].mean() > store["a"][mask == 0].mean()


def test_without_a_block_there_is_the_reason_and_no_picture(
    tmp_path: Path, files: RadiographFolder, images: ImageStore
) -> None:
    store = cut(tmp_path / "cut", files, images, dict.fromkeys(("a", "b", "tiny"), NONE))
    assert len(store) == 0
    assert store.failures.set_index("id").loc["a", "failure"] == "a.png: no forearm was found"


def test_a_picture_of_a_few_pixels_is_cut_as_any_other(
    tmp_path: Path, files: RadiographFolder, images: ImageStore
) -> None:
    boxes = {"a": NONE, "b": NONE, "tiny": np.array([0.3, 0.3, 0.7, 0.6])}
    store = cut(tmp_path / "cut", files, images, boxes)
    assert store.ids == ["tiny"]
    assert store["tiny"].shape == (SIDE, SIDE)


def test_a_forearm_is_cut_again_where_its_block_has_moved_and_nowhere_else(
    tmp_path: Path, files: RadiographFolder, images: ImageStore
) -> None:
    boxes = dict.fromkeys(("a", "b", "tiny"), np.array([0.4, 0.6, 0.6, 0.7]))
    cut(tmp_path / "cut", files, images, boxes)
    moved = {**boxes, "b": np.array([0.3, 0.6, 0.6, 0.7])}
    chunks = ingest_forearms(files, images, moved, CROP, SIDE, read_state(tmp_path / "cut"), workers=1)
    assert [entry.id for chunk in chunks for entry in chunk.entries] == ["b"]
