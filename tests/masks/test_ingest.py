"""Masks of phantoms from files to a store: good ones beside every kind of bad one."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from boneage_kedro.cohort.sex import Sex
from boneage_kedro.imaging.geometry import Box, Pose, canvas_transform, map_points, rescale_transform
from boneage_kedro.imaging.ingest import ingest
from boneage_kedro.imaging.preparation.prepare import PreparationSettings
from boneage_kedro.imaging.sources import RadiographFolder
from boneage_kedro.imaging.store import ImageStore, ImageStoreWriter, StoreState, read_state
from boneage_kedro.masks.folder import MaskFolder
from boneage_kedro.masks.ingest import ingest_masks
from boneage_kedro.masks.label_maps import UnusableMask
from boneage_kedro.phantom import fabricate_hand, phalanx_mask

SIDE = 48


def fill(folder: Path, chunks) -> ImageStore:
    writer = None
    for chunk in chunks:
        writer = writer or ImageStoreWriter(folder, chunk.header)
        writer.append(chunk.entries)
        if chunk.last:
            writer.finish()
            writer.close()
    return ImageStore(folder)


@pytest.fixture
def images(tmp_path: Path, parameters) -> ImageStore:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "masks").mkdir()
    for i in range(5):
        hand = fabricate_hand(40 + 35 * i, Sex.FEMALE, i, 160)
        cv2.imwrite(str(tmp_path / "pictures" / f"h{i}.png"), hand.image)
        cv2.imwrite(str(tmp_path / "masks" / f"h{i}.png"), phalanx_mask(hand.bones))
    settings: PreparationSettings = parameters["data_prep"]["preparation"]
    folder = RadiographFolder(tmp_path / "pictures")
    return fill(tmp_path / "images", ingest(list(folder), folder, settings, 1))


def masks_of(tmp_path: Path, images: ImageStore, binary: bool = True, resize: bool = False) -> MaskFolder:
    return MaskFolder(RadiographFolder(tmp_path / "masks"), images.index, 4, binary, resize)


def test_good_masks_lie_over_their_hands(tmp_path: Path, images: ImageStore) -> None:
    store = fill(tmp_path / "store", ingest_masks(masks_of(tmp_path, images), images, StoreState(), SIDE))
    assert store.ids == [f"h{i}" for i in range(5)]
    for key in store:
        assert set(np.unique(store[key])) == {0, 1}
        hand = cv2.resize(images[key], (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        assert hand[store[key] == 1].mean() > hand[store[key] == 0].mean() + 20


def test_classes_are_kept_apart_when_asked(tmp_path: Path, images: ImageStore) -> None:
    masks = masks_of(tmp_path, images, binary=False)
    store = fill(tmp_path / "store", ingest_masks(masks, images, StoreState(), 160))
    assert all(set(np.unique(store[key])) == {0, 1, 2, 3} for key in store)


def test_bad_masks_are_named_and_the_good_ones_kept(tmp_path: Path, images: ImageStore) -> None:
    folder = tmp_path / "masks"
    whole = cv2.imread(str(folder / "h0.png"), cv2.IMREAD_UNCHANGED)
    cv2.imwrite(str(folder / "h0.png"), whole[:-3])
    cv2.imwrite(str(folder / "h1.png"), np.zeros_like(cv2.imread(str(folder / "h1.png"), 0)))
    cv2.imwrite(str(folder / "h2.png"), np.full_like(cv2.imread(str(folder / "h2.png"), 0), 2))
    cv2.imwrite(str(folder / "stranger.png"), whole)
    (folder / "h3.png").write_bytes(b"not a picture")
    masks = masks_of(tmp_path, images)
    store = fill(tmp_path / "store", ingest_masks(masks, images, StoreState(), SIDE))
    assert store.ids == ["h4"]
    reasons = dict(zip(store.failures["id"], store.failures["failure"], strict=True))
    assert set(reasons) == {"h0", "h1", "h2", "h3", "stranger"}
    assert "h0.png: is" in reasons["h0"]
    assert "pixels, but its radiograph is" in reasons["h0"]
    assert "h1.png: is empty" in reasons["h1"]
    assert "h2.png: is of one class, code 2 everywhere" in reasons["h2"]
    assert "h3.png: is not a PNG file" in reasons["h3"]
    assert "stranger.png: there is no prepared radiograph of this id" in reasons["stranger"]
    with pytest.raises(UnusableMask, match=r"h1\.png"):
        masks["h1"]


def test_masks_of_another_size_are_used_only_when_asked(tmp_path: Path, images: ImageStore) -> None:
    for i in range(5):
        file = tmp_path / "masks" / f"h{i}.png"
        drawn = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)
        size = (drawn.shape[1] * 2, drawn.shape[0] * 2)
        cv2.imwrite(str(file), cv2.resize(drawn, size, interpolation=cv2.INTER_NEAREST))
    turned = cv2.imread(str(tmp_path / "masks" / "h4.png"), cv2.IMREAD_UNCHANGED).T
    cv2.imwrite(str(tmp_path / "masks" / "h4.png"), turned)
    strict = masks_of(tmp_path, images, binary=False)
    with pytest.raises(UnusableMask, match=r"h0\.png: is \d+ x 320 pixels, but its radiograph is"):
        strict["h0"]
    masks = masks_of(tmp_path, images, binary=False, resize=True)
    drawn = phalanx_mask(fabricate_hand(40, Sex.FEMALE, 0, 160).bones)
    assert np.array_equal(masks["h0"], drawn)
    with pytest.raises(UnusableMask, match=r"h4\.png: .* one of them lies on its side"):
        masks["h4"]
    folder = tmp_path / "store"
    assert fill(folder, ingest_masks(masks, images, StoreState(), SIDE)).ids == ["h0", "h1", "h2", "h3"]
    assert len(fill(folder, ingest_masks(strict, images, read_state(folder), SIDE))) == 0


def test_only_new_and_changed_masks_are_read_again(tmp_path: Path, images: ImageStore) -> None:
    masks, folder = masks_of(tmp_path, images), tmp_path / "store"
    fill(folder, ingest_masks(masks, images, StoreState(), SIDE))
    again = [entry.id for c in ingest_masks(masks, images, read_state(folder), SIDE) for entry in c.entries]
    assert again == []
    changed = cv2.imread(str(tmp_path / "masks" / "h2.png"), cv2.IMREAD_UNCHANGED)
    changed[changed == 2] = 3
    cv2.imwrite(str(tmp_path / "masks" / "h2.png"), changed)
    chunks = list(ingest_masks(masks_of(tmp_path, images), images, read_state(folder), SIDE))
    assert [entry.id for chunk in chunks for entry in chunk.entries] == ["h2"]
    larger = list(ingest_masks(masks, images, read_state(folder), 2 * SIDE))
    assert len([entry for chunk in larger for entry in chunk.entries]) == 5


def test_a_mask_whose_file_is_gone_is_no_longer_used(tmp_path: Path, images: ImageStore) -> None:
    folder = tmp_path / "store"
    fill(folder, ingest_masks(masks_of(tmp_path, images), images, StoreState(), SIDE))
    (tmp_path / "masks" / "h3.png").unlink()
    store = fill(folder, ingest_masks(masks_of(tmp_path, images), images, read_state(folder), SIDE))
    assert store.ids == ["h0", "h1", "h2", "h4"]
    assert store.failures["failure"].tolist() == ["the file is gone; the mask is no longer used"]


def test_a_transform_to_another_canvas_maps_the_same_points() -> None:
    box, pose = Box(10, 20, 110, 220), Pose(mirrored=True, quarter_turns=1)
    rescaled = rescale_transform(canvas_transform(box, pose, 100), 100, 400)
    points = np.array([[12.0, 25.0], [100.0, 200.0]])
    small = map_points(points, canvas_transform(box, pose, 100))
    np.testing.assert_allclose(map_points(points, rescaled), (small + 0.5) * 4 - 0.5, atol=1e-3)
