"""The settings that the project ships, and stores made with them, so that benchmarks measure what users run."""

import itertools
from pathlib import Path
from typing import Any

import yaml

from boneage_kedro.imaging.ingest import ingest, store_header
from boneage_kedro.imaging.preparation import PreparationSettings
from boneage_kedro.imaging.sources import RadiographFolder
from boneage_kedro.imaging.store import ImageStoreWriter

CONF = Path(__file__).resolve().parents[1] / "conf" / "base"


def preparation(canvas_px: int) -> PreparationSettings:
    """The preparation of ``conf/base`` on another canvas."""
    settings: PreparationSettings = parameters("data_prep")["preparation"]
    return {**settings, "canvas_px": canvas_px}


def parameters(pipeline: str) -> dict[str, Any]:
    """The parameters of a pipeline in ``conf/base``."""
    text = (CONF / f"parameters_{pipeline}.yml").read_text(encoding="utf-8")
    block: dict[str, Any] = yaml.safe_load(text)[pipeline]
    return block


def write_store(folder: Path, images: Path, count: int, settings: PreparationSettings) -> None:
    """Prepare and store the first radiographs of a folder or archive."""
    radiographs = RadiographFolder(images)
    ids = list(itertools.islice(radiographs, count))
    with ImageStoreWriter(folder, store_header(settings)) as writer:
        for chunk in ingest(ids, radiographs, settings, workers=2):
            writer.append(chunk.entries)
        writer.finish()
