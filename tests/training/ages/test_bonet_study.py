"""Arms of BoNet by cross-validation, on pictures whose brightness is the age."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from boneage_kedro.imaging.store import ImageStore, ImageStoreWriter, StoreEntry, StoreHeader
from boneage_kedro.models.weights import PretrainedWeights
from boneage_kedro.training.ages import bonet_study, regression_cell
from boneage_kedro.training.ages.settings import BonetArm, CrossValidation
from boneage_kedro.training.checkpoint import CheckpointFile
from tests.training.age_setup import SIDE, regression_settings, stage

ARMS = [
    BonetArm(name="all", network={"backbone": "bonet/16"}, free=["head", "exit", "middle", "entry"]),
    BonetArm(name="rigid, head", network={"backbone": "bonet_rigid/16"}, free=["head"]),
]
FOLDS = CrossValidation(folds=3, age_band_months=120, seed=1)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> tuple[ImageStore, pd.DataFrame, pd.DataFrame]:
    """Store, cases and splits: 15 to learn from, 2 to calibrate, 3 to test."""
    folder, rng = tmp_path_factory.mktemp("store"), np.random.default_rng(3)
    ages = rng.uniform(20, 220, 20)
    ids = [f"c{i:02d}" for i in range(20)]
    with ImageStoreWriter(folder, StoreHeader(SIDE, {})) as writer:
        for key, age in zip(ids, ages, strict=True):
            picture = (age + rng.normal(0, 5, (SIDE, SIDE))).clip(0, 255).astype(np.uint8)
            writer.append([StoreEntry(key, "", picture)])
        writer.finish()
    cases = pd.DataFrame({"id": ids, "patient_id": ids, "sex": ["F", "M"] * 10, "bone_age_months": ages})
    split = ["train"] * 11 + ["validation"] * 4 + ["calibration"] * 2 + ["test"] * 3
    return ImageStore(folder), cases, pd.DataFrame({"id": ids, "split": split})


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The backbones that were trained, in their order."""
    names: list[str] = []
    train = regression_cell.train_age_regressor

    def noted(
        store: ImageStore, labelled: Any, pretrained: Any, checkpoint: Any, settings: Any, stages: Any
    ) -> Any:
        names.append(settings["backbone"])
        return train(store, labelled, pretrained, checkpoint, settings, stages)

    monkeypatch.setattr(regression_cell, "train_age_regressor", noted)
    return names


def run(cohort: Any, folder: Path, arms: list[BonetArm] = ARMS, **changes: Any) -> pd.DataFrame:
    settings = {**regression_settings(fit={"seed": 2}), "arms": arms, **changes}
    checkpoint, pretrained = CheckpointFile(folder / "study.pt"), PretrainedWeights(folder)
    step = stage("all", ["head"], 1)
    *_, last = bonet_study.run_bonet_study(*cohort, pretrained, settings, step, arms, FOLDS, checkpoint)
    return last


def test_every_case_is_read_by_networks_that_have_not_learnt_from_it(
    cohort: Any, tmp_path: Path, trained: list[str]
) -> None:
    table = run(cohort, tmp_path)
    splits = cohort[2].set_index("id")["split"]
    for _, arm in table.groupby("arm"):
        folds = arm[arm["split"] == "validation"]
        assert sorted(folds["id"]) == splits.index[splits.isin(["train", "validation"])].tolist()
        assert folds["fold"].nunique() == 3
        assert arm.loc[arm["split"] == "test", "id"].tolist() == splits.index[splits == "test"].tolist() * 3
    assert set(table["split"]) == {"validation", "test"}
    assert trained == ["bonet/16", "bonet_rigid/16"] * 3
    by_fold = table[table["split"] == "test"].pivot_table(
        index=["arm", "id"], columns="fold", values="predicted_months"
    )
    assert (by_fold.std(axis=1) > 0).all()


def test_a_finished_cell_is_not_trained_again(cohort: Any, tmp_path: Path, trained: list[str]) -> None:
    first = run(cohort, tmp_path, ARMS[:1])
    assert len(trained) == 3
    both = run(cohort, tmp_path)  # one more arm
    assert trained[3:] == ["bonet_rigid/16"] * 3
    again = both[both["arm"] == "all"].reset_index(drop=True)
    pd.testing.assert_frame_equal(again[first.columns], first)
    pd.testing.assert_frame_equal(run(cohort, tmp_path), both)
    assert len(trained) == 6
    assert all(file.stat().st_size < 20_000 for file in tmp_path.glob("*.pt"))


def test_other_settings_and_another_split_train_again(
    cohort: Any, tmp_path: Path, trained: list[str]
) -> None:
    one = ARMS[1:]
    run(cohort, tmp_path, one)
    run(cohort, tmp_path, one, dropout=0.5)
    assert len(trained) == 6
    store, cases, splits = cohort
    swapped = splits.assign(split=splits["split"].replace({"calibration": "test", "test": "calibration"}))
    table = run((store, cases, swapped), tmp_path, one)
    assert len(trained) == 9
    assert set(table.loc[table["split"] == "test", "id"]) == {"c15", "c16"}
