"""Nodes of `explain` that the run on phantoms does not reach: nothing known of bones and joints."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from boneage_kedro.imaging.store import ImageStore, ImageStoreWriter, StoreHeader
from boneage_kedro.pipelines.explain.nodes import count_by_region, draw_regions, locate_joints
from boneage_kedro.pipelines.explain.params import Params

SETTINGS = {"regressor": {"input_px": 64}}
MAPS = {"maps": np.ones((1, 2, 2), np.float32)}
TABLE = pd.DataFrame({"id": ["a"], "sex": ["F"], "bone_age_months": [90.0]})


@pytest.fixture
def store(tmp_path: Path) -> ImageStore:
    with ImageStoreWriter(tmp_path, StoreHeader(64, {})) as writer:
        writer.finish()
    return ImageStore(tmp_path)


def test_without_bones_and_joints_tables_are_empty_and_figures_say_why(
    store: ImageStore, parameters: dict[str, Params]
) -> None:
    joints = locate_joints(store, TABLE, None, None)
    assert joints.empty
    by_case, summary = count_by_region(store, MAPS, SETTINGS, TABLE, joints, None, None, None)
    assert by_case.empty
    assert summary.empty
    for figure in draw_regions(store, MAPS, SETTINGS, TABLE, parameters["explain"], "here", joints, summary):
        assert "no joints are known" in figure.texts[0].get_text()
