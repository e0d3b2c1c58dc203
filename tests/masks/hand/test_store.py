"""Phantoms cut to their hands: what is cut, what stays whole, and what is made anew."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from boneage_kedro.cohort.sex import Sex
from boneage_kedro.imaging.geometry import Box, map_points
from boneage_kedro.imaging.ingest import ingest, store_header
from boneage_kedro.imaging.preparation.prepare import PreparationSettings
from boneage_kedro.imaging.sources import RadiographFolder
from boneage_kedro.imaging.store import ImageStore, ImageStoreWriter, StoreChunk, StoreState, read_state
from boneage_kedro.masks.hand.region import hand_box
from boneage_kedro.masks.hand.store import HandCrop, ingest_hand_masks, ingest_hands
from boneage_kedro.masks.label_maps import mask_to_canvas
from boneage_kedro.phantom import fabricate_hand

SIDE = 64
CROP: HandCrop = {"canvas_px": SIDE, "margin": 0.05, "remove_background": False}


class Hands:
    """Three phantoms in a store, their true masks, and stores of hands cut from them."""

    def __init__(self, folder: Path, preparation: PreparationSettings) -> None:
        self.folder, self.masks = folder, {}
        (folder / "pictures").mkdir()
        for i, key in enumerate("abc"):
            hand = fabricate_hand(60.0 + 50 * i, Sex.FEMALE, seed=i, size_px=160)
            Image.fromarray(hand.image).save(folder / "pictures" / f"{key}.png")
            self.masks[key] = hand.hand_mask.astype(np.uint8)
        self.files = RadiographFolder(folder / "pictures")
        self.images = self._store("images", preparation)

    def _store(self, name: str, preparation: PreparationSettings) -> ImageStore:
        with ImageStoreWriter(self.folder / name, store_header(preparation)) as writer:
            for chunk in ingest(list(self.files), self.files, preparation, workers=1):
                writer.append(chunk.entries)
            writer.finish()
        return ImageStore(self.folder / name)

    def cut(self, trusted: str = "abc", made_by: str = "m", **crop: Any) -> tuple[ImageStore, list[str]]:
        """The store of hands, and which of them this run has made."""
        folder = self.folder / "hands"
        state = read_state(folder) if folder.exists() else StoreState()
        trust = dict.fromkeys(trusted, True)
        settings: HandCrop = {**CROP, **crop}
        chunks = ingest_hands(
            self.files, self.images, self.masks.__getitem__, trust, settings, made_by, state, workers=2
        )
        return write(folder, chunks)

    def cut_masks(self, store: ImageStore, made_by: str = "m") -> tuple[ImageStore, list[str]]:
        """The store of masks of a store of hands, and which of them this run has made."""
        folder = self.folder / "masks"
        state = read_state(folder) if folder.exists() else StoreState()
        return write(folder, ingest_hand_masks(store, self.masks.__getitem__, made_by, state))


def write(folder: Path, chunks: Iterator[StoreChunk]) -> tuple[ImageStore, list[str]]:
    made = []
    for chunk in chunks:
        with ImageStoreWriter(folder, chunk.header) as writer:
            writer.append(chunk.entries)
            made += [entry.id for entry in chunk.entries]
            if chunk.last:
                writer.finish()
    return ImageStore(folder), made


@pytest.fixture
def hands(tmp_path: Path, parameters: dict[str, Any]) -> Hands:
    return Hands(tmp_path, parameters["data_prep"]["preparation"] | {"canvas_px": SIDE})


def test_a_hand_fills_its_canvas_and_its_place_in_the_radiograph_is_known(hands: Hands) -> None:
    store, made = hands.cut()
    assert made == store.ids == ["a", "b", "c"]
    for key in store.ids:
        record, box = store.record(key), hand_box(hands.masks[key] > 0, 0.05)
        assert record["cut"] is True
        assert Box(**record["crop"]) == box
        transform, shape = store.frame(key, SIDE)
        assert shape == hands.masks[key].shape
        corners = map_points(
            [[box.left - 0.5, box.top - 0.5], [box.right - 0.5, box.bottom - 0.5]], transform
        )
        assert np.abs(np.ptp(corners, axis=0)).max() == pytest.approx(SIDE, abs=0.51)
        before = hands.images.record(key)
        kept = ("inverted", "mirrored", "quarter_turns", "window", "file")
        assert all(record[name] == before[name] for name in kept)


def test_background_is_removed_on_request(hands: Hands) -> None:
    plain, _ = hands.cut()
    pictures = {key: plain[key].copy() for key in plain.ids}
    store, made = hands.cut(remove_background=True)
    assert made == ["a", "b", "c"]  # other settings make another store
    for key in store.ids:
        inside = mask_to_canvas(hands.masks[key], store.frame(key, SIDE)[0], SIDE) > 0
        assert not store[key][~inside].any()
        assert np.array_equal(store[key][inside], pictures[key][inside])


def test_a_mask_that_is_not_trusted_leaves_the_picture_whole(hands: Hands) -> None:
    store, _ = hands.cut(trusted="ac")
    assert [store.record(key)["cut"] for key in store.ids] == [True, False, True]
    assert np.array_equal(store["b"], hands.images["b"])


def test_masks_are_cut_as_their_hands_are(hands: Hands) -> None:
    bare, _ = hands.cut(remove_background=True)
    masks, made = hands.cut_masks(bare)
    assert made == masks.ids == ["a", "b", "c"]
    assert all(not bare[key][masks[key] == 0].any() for key in masks.ids)
    assert all((bare[key][masks[key] == 1] > 0).mean() > 0.9 for key in masks.ids)
    assert hands.cut_masks(bare)[1] == []
    assert hands.cut_masks(bare, made_by="other masks")[1] == ["a", "b", "c"]


def test_of_a_picture_that_stayed_whole_all_is_inside(hands: Hands) -> None:
    store, _ = hands.cut(trusted="ac")
    masks, _ = hands.cut_masks(store)
    rows, columns = store.frame("b", SIDE)[1]
    assert masks["b"].sum() == pytest.approx(SIDE * SIDE * min(rows, columns) / max(rows, columns), rel=0.05)


def test_only_what_has_changed_is_made_again(hands: Hands) -> None:
    hands.cut()
    assert hands.cut()[1] == []
    assert hands.cut(trusted="ab")[1] == ["c"]
    assert hands.cut(trusted="ab", made_by="other masks")[1] == ["a", "b", "c"]


def test_a_radiograph_that_is_gone_is_told(hands: Hands) -> None:
    (hands.folder / "pictures" / "b.png").unlink()
    hands.files = RadiographFolder(hands.folder / "pictures")
    store, _ = hands.cut()
    assert store.ids == ["a", "c"]
    assert store.failures["id"].tolist() == ["b"]
    assert "b.png" in store.failures["failure"][0]
