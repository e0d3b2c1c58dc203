from typing import Any

import pytest

from boneage_kedro.handover.package import ModelPackage

from ..packages import untrained


@pytest.fixture
def package(parameters: dict[str, Any]) -> ModelPackage:
    return untrained(parameters["data_prep"]["preparation"])
