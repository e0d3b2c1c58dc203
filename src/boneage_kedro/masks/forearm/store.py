"""A store of forearms: the radiographs once more, cut to the distal ends of radius and ulna and what is below."""

from collections.abc import Iterator, Mapping

import numpy as np

from boneage_kedro.imaging.geometry import Box
from boneage_kedro.imaging.ingest import in_threads, lacking
from boneage_kedro.imaging.preparation.prepare import recrop
from boneage_kedro.imaging.radiograph import UnreadableRadiograph
from boneage_kedro.imaging.sources import RadiographSource
from boneage_kedro.imaging.store import ImageStore, StoreChunk, StoreEntry, StoreHeader, StoreState
from boneage_kedro.masks.forearm.block import ForearmCrop, block_part
from boneage_kedro.masks.source_pixels import read_again
from boneage_kedro.provenance import fingerprint, fingerprint_code

NO_FOREARM = "no forearm was found"


def ingest_forearms(
    radiographs: Mapping[str, RadiographSource],
    images: ImageStore,
    boxes: Mapping[str, np.ndarray],
    settings: ForearmCrop,
    canvas_px: int,
    state: StoreState,
    workers: int,
) -> Iterator[StoreChunk]:
    """Cut every radiograph of a store to its forearm, in threads; memory does not grow with their number.

    Args:
        boxes: (4,) of the radius-ulna block by id, in shares of the prepared picture's sides; nan where none was
            found.

    Yields:
        chunks of those that the store lacks, and a last one that makes it whole. Records are those of the whole
        pictures. A radiograph without a block becomes an entry with the reason.
    """
    header = StoreHeader(
        canvas_px, {**images.header.preparation, **settings}, fingerprint_code("imaging", "masks")
    )
    names = {key: fingerprint(images.fingerprint([key]), boxes[key].tolist()) for key in images.ids}

    def entry(key: str) -> StoreEntry:
        return _entry(key, names[key], radiographs, images, boxes[key], settings, canvas_px)

    yield from in_threads(header, entry, lacking(header, names, state), workers)


def _entry(
    key: str,
    name: str,
    radiographs: Mapping[str, RadiographSource],
    images: ImageStore,
    box: np.ndarray,
    settings: ForearmCrop,
    canvas_px: int,
) -> StoreEntry:
    before, side = images.record(key), images.header.canvas_px
    file = {"file": before["file"]}
    if np.isnan(box).any():
        return StoreEntry(key, "", record=file, failure=f"{before['file']}: {NO_FOREARM}")
    try:
        pixels = read_again(key, before, radiographs)
        part = block_part(box * side, images.frame(key, side)[0], Box(**before["crop"]), settings)
    except (UnreadableRadiograph, ValueError) as error:
        return StoreEntry(key, "", record=file, failure=str(error))
    made = recrop(pixels, before, part, canvas_px)
    return StoreEntry(key, name, made.image, {**before, **made.record()})
