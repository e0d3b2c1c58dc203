"""Settings that the project ships, stores made with them, and what runs left: benchmarks measure what users run."""

import itertools
from pathlib import Path
from typing import Any, cast

import yaml
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project

from boneage_kedro.imaging.ingest import ingest, store_header
from boneage_kedro.imaging.preparation.prepare import PreparationSettings
from boneage_kedro.imaging.sources import RadiographFolder
from boneage_kedro.imaging.store import ImageStoreWriter

PROJECT = Path(__file__).resolve().parents[1]
CONF = PROJECT / "conf" / "base"


def open_catalog(env: str) -> Any:
    """The catalog of an environment, with its parameters."""
    bootstrap_project(PROJECT)
    with KedroSession.create(project_path=PROJECT, env=env) as session:
        return cast(Any, session).load_context().catalog


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
