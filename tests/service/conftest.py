from typing import Any

import numpy as np
import pytest
from starlette.types import ASGIApp

from boneage_kedro.cohort.sex import Sex
from boneage_kedro.handover.package import ModelPackage
from boneage_kedro.masks.answers import encode_png
from boneage_kedro.phantom import fabricate_hand
from boneage_kedro.service.server import create_app

from ..packages import untrained

LIMIT = 200_000


@pytest.fixture(scope="session")
def pixels() -> np.ndarray:
    return fabricate_hand(110, Sex.MALE, 1, 200).image


@pytest.fixture(scope="session")
def hand(pixels: np.ndarray) -> bytes:
    return encode_png(pixels)


@pytest.fixture
def package(parameters: dict[str, Any]) -> ModelPackage:
    return untrained(parameters["data_prep"]["preparation"])


@pytest.fixture
def app(package: ModelPackage, parameters: dict[str, Any]) -> ASGIApp:
    return create_app(package, parameters["assess"], LIMIT)
