"""A store of hands: the radiographs once more, cut to the hand."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from typing_extensions import TypedDict

from boneage_kedro.imaging.geometry import Box
from boneage_kedro.imaging.ingest import in_chunks, in_threads, lacking
from boneage_kedro.imaging.preparation.prepare import Prepared, recrop
from boneage_kedro.imaging.radiograph import UnreadableRadiograph
from boneage_kedro.imaging.sources import RadiographSource
from boneage_kedro.imaging.store import ImageStore, StoreChunk, StoreEntry, StoreHeader, StoreState
from boneage_kedro.limits import PixelSide, Share
from boneage_kedro.masks.hand.region import hand_box
from boneage_kedro.masks.label_maps import mask_to_canvas
from boneage_kedro.masks.source_pixels import read_again
from boneage_kedro.provenance import fingerprint, fingerprint_code


class HandCrop(TypedDict):
    """How a radiograph is cut to the hand.

    ``margin`` around the box of its mask is a share of the box's longer side; ``remove_background`` makes all black
    that is not hand.
    """

    canvas_px: PixelSide
    margin: Share
    remove_background: bool


def cut_hand(
    pixels: np.ndarray, record: Mapping[str, Any], mask: np.ndarray | None, settings: HandCrop
) -> Prepared:
    """A radiograph cut to its hand; one without a mask that can be trusted stays whole.

    Args:
        pixels: (H, W) of the source.
        record: what was recorded of the whole picture (`Prepared.record`).
        mask: the hand (H, W), 0 outside, or None.
    """
    side = settings["canvas_px"]
    part = Box(**record["crop"]) if mask is None else hand_box(mask > 0, settings["margin"])
    made = recrop(pixels, record, part, side)
    if mask is None or not settings["remove_background"]:
        return made
    return replace(made, image=made.image * mask_to_canvas(mask, made.transform, side))


def cut_mask(
    mask: np.ndarray | None, transform: np.ndarray, source_shape: tuple[int, int], side_px: int
) -> np.ndarray:
    """The mask of a hand (side_px, side_px) uint8, 1 inside, in the frame of what `cut_hand` has made.

    Args:
        mask: the hand (H, W), 0 outside; None where the picture stayed whole, of which all that its radiograph
            shows is inside.
        transform: (2, 3) map of source to canvas points.
        source_shape: (rows, columns) of the radiograph.
    """
    inside = np.ones(source_shape, np.uint8) if mask is None else (mask > 0).astype(np.uint8)
    return mask_to_canvas(inside, transform, side_px)


def ingest_hands(
    radiographs: Mapping[str, RadiographSource],
    images: ImageStore,
    mask_of: Callable[[str], np.ndarray],
    trusted: Mapping[str, bool],
    settings: HandCrop,
    masks_made_by: str,
    state: StoreState,
    workers: int,
) -> Iterator[StoreChunk]:
    """Cut every radiograph of a store to its hand, in threads; memory does not grow with their number.

    A radiograph whose mask is not trusted stays whole: better a picture with background than half a hand.

    Args:
        mask_of: gives the hand (H, W) in the frame and at the size of a radiograph, 0 outside.
        trusted: by id; what it lacks is not trusted.
        masks_made_by: fingerprint of the masks.

    Yields:
        chunks of those that the store lacks, and a last one that makes it whole. Records are those of the whole
        pictures, with ``cut`` beside them, which says whether it was cut.
    """
    header = StoreHeader(
        settings["canvas_px"],
        {**images.header.preparation, **settings},
        fingerprint_code("imaging", "masks"),
    )
    names = {
        key: fingerprint(images.fingerprint([key]), masks_made_by, trusted.get(key, False))
        for key in images.ids
    }

    def entry(key: str) -> StoreEntry:
        mask = mask_of(key) if trusted.get(key, False) else None
        return _entry(key, names[key], radiographs, images, mask, settings)

    yield from in_threads(header, entry, lacking(header, names, state), workers)


def _entry(
    key: str,
    name: str,
    radiographs: Mapping[str, RadiographSource],
    images: ImageStore,
    mask: np.ndarray | None,
    settings: HandCrop,
) -> StoreEntry:
    before = images.record(key)
    file = {"file": before["file"]}
    try:
        pixels = read_again(key, before, radiographs)
    except UnreadableRadiograph as error:
        return StoreEntry(key, "", record=file, failure=str(error))
    made = cut_hand(pixels, before, mask, settings)
    return StoreEntry(key, name, made.image, {**before, **made.record(), "cut": mask is not None})


def ingest_hand_masks(
    hands: ImageStore, mask_of: Callable[[str], np.ndarray], masks_made_by: str, state: StoreState
) -> Iterator[StoreChunk]:
    """Bring the masks of hands into the frame of a store that `ingest_hands` has made.

    Args:
        mask_of: gives the hand (H, W) in the frame and at the size of a radiograph, 0 outside.
        masks_made_by: fingerprint of the masks.

    Yields:
        chunks of (P, P) uint8 masks, 1 inside, for those that the store lacks, and a last one that makes it whole.
        Where a picture stayed whole, since its mask is not trusted, all that its radiograph shows is inside.
    """
    side = hands.header.canvas_px
    header = StoreHeader(side, hands.header.preparation, fingerprint_code("imaging", "masks"))
    names = {key: fingerprint(hands.fingerprint([key]), masks_made_by) for key in hands.ids}

    def entry(key: str) -> StoreEntry:
        record, (transform, shape) = hands.record(key), hands.frame(key, side)
        mask = cut_mask(mask_of(key) if record["cut"] else None, transform, shape, side)
        return StoreEntry(key, names[key], mask, {"file": record["file"]})

    yield from in_chunks(header, map(entry, lacking(header, names, state)))


class WithoutBackground(Mapping[str, np.ndarray]):
    """Cut hands (P, P) uint8 by id, black outside their masks; each is made when it is asked for.

    Args:
        hands: by id, such as a store that `ingest_hands` has made.
        masks: on the same frame by id, 0 outside.
    """

    def __init__(self, hands: Mapping[str, np.ndarray], masks: Mapping[str, np.ndarray]) -> None:
        self._hands, self._masks = hands, masks

    def __getitem__(self, key: str) -> np.ndarray:
        bare: np.ndarray = self._hands[key] * (self._masks[key] > 0)
        return bare

    def __iter__(self) -> Iterator[str]:
        return iter(self._hands)

    def __len__(self) -> int:
        return len(self._hands)
