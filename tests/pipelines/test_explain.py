"""Nodes of `explain` that the run on phantoms does not reach: nothing known of bones and joints."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from boneage_kedro.imaging.store import ImageStore, ImageStoreWriter, StoreEntry, StoreHeader
from boneage_kedro.pipelines.explain.nodes import (
    count_by_region,
    draw_mean_hands,
    draw_regions,
    locate_joints,
)
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
    params = parameters["explain"]
    mean_hands = draw_mean_hands(store, MAPS, SETTINGS, TABLE, params, "here", joints, None, None, None)
    for figure in (draw_regions(summary, "here"), mean_hands):
        assert "give a table hand_joints" in figure.texts[0].get_text()
    assert "or run hand_active_learning" in mean_hands.texts[0].get_text()


def test_hands_without_joints_lie_in_a_common_frame_by_their_masks(
    tmp_path: Path, parameters: dict[str, Params]
) -> None:
    """Two squares at other places lie upon each other, so their mean is as bright as one."""
    ids = ["a", "b", "empty", "speck", "doubted"]
    records = {"source_shape": [64, 64], "transform": [[1, 0, 0], [0, 1, 0]]}
    squares = np.zeros((5, 64, 64), np.uint8)
    squares[0, 10:30, 8:24] = squares[1, 30:60, 20:60] = squares[3, 5, 5] = squares[4, ::2] = 200
    with ImageStoreWriter(tmp_path, StoreHeader(64, {})) as writer:
        writer.append(
            [StoreEntry(key, "", picture, records) for key, picture in zip(ids, squares, strict=True)]
        )
        writer.finish()
    table = pd.DataFrame({"id": ids, "sex": "F", "bone_age_months": 90.0})
    masks = {key: lambda mask=mask: mask for key, mask in zip(ids, squares, strict=True)}
    maps = {"maps": np.ones((5, 2, 2), np.float32)}
    none = locate_joints(ImageStore(tmp_path), table, None, None)
    quality = pd.DataFrame({"id": ids, "trusted": [key != "doubted" for key in ids]})
    figure = draw_mean_hands(
        ImageStore(tmp_path), maps, SETTINGS, table, parameters["explain"], "here", none, None, masks, quality
    )
    assert "by the box of the hand" in figure.get_suptitle()
    (panel,) = [axis for axis in figure.axes if "girls 5-10 y (2)" in axis.get_title()]
    hand = panel.images[0].get_array()
    assert hand.max() == pytest.approx(200, abs=1)
    assert np.mean((hand > 20) & (hand < 180)) < 0.1
