from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from starlette.types import ASGIApp

from boneage_kedro.cohort.sex import Sex
from boneage_kedro.handover.package import ModelPackage
from boneage_kedro.masks.drawn.answers import encode_png
from boneage_kedro.phantom import fabricate_hand
from boneage_kedro.reading.settings import AssessSettings
from boneage_kedro.service.server import create_app

from ..packages import untrained

LIMIT = 200_000
BASE = Path(__file__).resolve().parents[2] / "conf" / "base"


def block(name: str) -> Any:
    return yaml.safe_load((BASE / f"parameters_{name}.yml").read_text())[name]


@pytest.fixture(scope="session")
def pixels() -> np.ndarray:
    return fabricate_hand(110, Sex.MALE, 1, 200).image


@pytest.fixture(scope="session")
def hand(pixels: np.ndarray) -> bytes:
    return encode_png(pixels)


@pytest.fixture(scope="session")
def settings() -> AssessSettings:
    assess: AssessSettings = block("assess")
    return assess


@pytest.fixture(scope="session")
def package() -> ModelPackage:
    return untrained(block("data_prep")["preparation"] | {"canvas_px": 96})


@pytest.fixture(scope="session")
def app(package: ModelPackage, settings: AssessSettings) -> ASGIApp:
    """It keeps nothing of a request, so that all tests may ask the same one."""
    return create_app(package, settings, LIMIT)
