"""Which places a network's picture loses first."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from boneage_kedro.imaging.store import ImageStore, ImageStoreWriter, StoreEntry, StoreHeader
from boneage_kedro.training.ages import attention_runs
from boneage_kedro.training.ages.attention_runs import age_curves
from tests.packages import untrained


def test_the_middle_goes_first_pixel_by_pixel_and_chance_cell_by_cell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parameters: dict[str, Any]
) -> None:
    with ImageStoreWriter(tmp_path, StoreHeader(64, {})) as writer:
        writer.append([StoreEntry("a", "", np.eye(64, dtype=np.uint8), {})])
        writer.finish()
    cases = pd.DataFrame({"id": ["a"], "sex": ["F"], "bone_age_months": [90.0]})
    monkeypatch.setattr(attention_runs, "delete_and_insert", lambda _model, _samples, orders, *_: orders)
    age = untrained({}).age
    fit, checks = parameters["ptl_regression"]["fit"], parameters["explain"]["checks"]
    orders = age_curves(ImageStore(tmp_path), cases, age.weights, age.settings, fit, checks)
    rows, columns = np.indices((64, 64)) - 31.5
    by_distance = np.argsort(np.hypot(rows, columns), axis=None, kind="stable")
    assert (np.diff(orders["centre"][0].ravel()[by_distance]) <= 1e-9).all()
    assert orders["random"].shape == (1, 2, 2)
