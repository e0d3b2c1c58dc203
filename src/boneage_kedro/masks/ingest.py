"""From files of masks to a store of masks at a network's size."""

from collections.abc import Iterator, Mapping

import numpy as np

from boneage_kedro.imaging.ingest import in_chunks
from boneage_kedro.imaging.store import ImageStore, StoreChunk, StoreEntry, StoreHeader, StoreState
from boneage_kedro.masks.folder import MaskFolder
from boneage_kedro.masks.label_maps import UnusableMask, mask_to_canvas
from boneage_kedro.provenance import fingerprint, fingerprint_code

_GONE = "the file is gone; the mask is no longer used"


def ingest_masks(
    masks: MaskFolder, images: ImageStore, state: StoreState, input_px: int
) -> Iterator[StoreChunk]:
    """Bring masks into the frame of the prepared radiographs, on a canvas of ``input_px``.

    Yields:
        chunks of entries for those the store does not have as they are now, and a last one that makes the store
        whole. A mask that cannot be used, has no radiograph or is gone becomes an entry with the reason.
    """
    header = StoreHeader(
        input_px,
        {**masks.reading, "canvas_px": images.header.canvas_px},
        fingerprint_code("masks"),
    )
    known = state.sources if state.header == header else {}
    yield from in_chunks(header, _entries(masks, images, known, input_px))


def _entries(
    masks: MaskFolder, images: ImageStore, known: Mapping[str, str], input_px: int
) -> Iterator[StoreEntry]:
    """What the store lacks, or holds in vain; ``known`` are the sources of what it has."""
    for key, name in masks.without_radiograph.items():
        yield _lonely(key, name)
    for key in known:
        if key not in masks.sources:
            yield StoreEntry(key, "", failure=_GONE)
    for key in masks:
        transform, _ = images.frame(key, input_px)
        source = fingerprint(masks.sources[key].fingerprint, transform.tolist())
        if known.get(key) != source:
            yield _entry(key, source, masks, transform, input_px)


def _entry(key: str, source: str, masks: MaskFolder, transform: np.ndarray, input_px: int) -> StoreEntry:
    file = {"file": masks.sources[key].name}
    try:
        mask = masks[key]
    except UnusableMask as error:
        return StoreEntry(key, "", record=file, failure=str(error))
    return StoreEntry(key, source, mask_to_canvas(mask, transform, input_px), file)


def _lonely(key: str, name: str) -> StoreEntry:
    reason = f"{name}: there is no prepared radiograph of this id; bring it, or correct the mask's name"
    return StoreEntry(key, "", record={"file": name}, failure=reason)
