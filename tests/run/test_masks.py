"""Masks of hands and bones, and enhanced hands, for all radiographs of the run."""

import json

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.entities import Run
from PIL import Image

from boneage_kedro.imaging.store import ImageStore

from .project import MARKS, PLAIN_METHODS, PROJECT, RESULTS, TRACKING, runs

pytestmark = MARKS


def test_every_hand_gets_a_mask_at_its_own_size(fingers: Run) -> None:
    folder = PROJECT / "data/07_model_output/test/phalanx_masks"
    cases = pd.read_parquet(PROJECT / "data/03_primary/test/cases.parquet")
    assert sorted(file.stem for file in folder.glob("*.png")) == sorted(cases["id"])
    for key in cases["id"][:5]:
        with (
            Image.open(folder / f"{key}.png") as mask,
            Image.open(PROJECT / f"data/01_raw/test/radiographs/{key}.png") as radiograph,
        ):
            assert mask.size == radiograph.size
            assert set(np.unique(np.asarray(mask))) <= {0, 1}


def test_masks_are_scored_on_the_test_part_alone(fingers: Run) -> None:
    scores = pd.read_csv(RESULTS / "finger_scores.csv")
    splits = pd.read_parquet(PROJECT / "data/03_primary/test/splits.parquet").set_index("id")["split"]
    assert set(scores["id"]) == set(splits.index[splits == "test"])
    summary = pd.read_csv(RESULTS / "finger_summary.csv").set_index("measure")
    assert summary.loc["dice", "mean"] == pytest.approx(scores["dice"].mean())
    assert fingers.data.metrics["finger.test.dice"] == pytest.approx(scores["dice"].mean())
    rounds = pd.read_csv(RESULTS / "finger_rounds.csv")
    assert rounds["test_dice"].iloc[-1] == pytest.approx(scores["dice"].mean(), abs=1e-6)


def test_radius_and_ulna_are_masked_in_every_radiograph_and_scored_on_the_test_part(forearms: Run) -> None:
    folder = PROJECT / "data/07_model_output/test/dru_masks"
    splits = pd.read_parquet(PROJECT / "data/03_primary/test/splits.parquet").set_index("id")["split"]
    assert sorted(file.stem for file in folder.glob("*.png")) == sorted(splits.index)
    for key in splits.index[:5]:
        with (
            Image.open(folder / f"{key}.png") as mask,
            Image.open(PROJECT / f"data/01_raw/test/radiographs/{key}.png") as radiograph,
        ):
            assert mask.size == radiograph.size
    scores = pd.read_csv(RESULTS / "dru_scores.csv")
    assert set(scores["id"]) == set(splits.index[splits == "test"])
    summary = pd.read_csv(RESULTS / "dru_summary.csv").set_index("measure")
    assert summary.loc["iou_ulna", "mean"] == pytest.approx(scores["iou_ulna"].mean())
    assert forearms.data.metrics["dru.test.iou_ulna"] == pytest.approx(summary.loc["iou_ulna", "pooled"])
    detector = pd.read_csv(RESULTS / "dru_detector_summary.csv").set_index("measure")["mean"]
    assert forearms.data.metrics["dru.detector.found_50"] == pytest.approx(detector["found_50"])
    assert {"found_75", "missed", "false_positives"} <= set(detector.index)
    assert pd.read_csv(RESULTS / "dru_findings.csv").empty


def test_every_radiograph_gets_a_hand_and_a_word_on_its_quality(hands: Run) -> None:
    cases = pd.read_parquet(PROJECT / "data/03_primary/test/cases.parquet")
    folder = PROJECT / "data/07_model_output/test/hand_masks"
    assert sorted(file.stem for file in folder.glob("*.png")) == sorted(cases["id"])
    quality = pd.read_csv(RESULTS / "hand_quality.csv")
    assert sorted(quality["id"]) == sorted(cases["id"])
    assert (quality["reason"].isna() == quality["trusted"]).all()
    store = ImageStore(PROJECT / "data/05_model_input/test/hand_store")
    assert store.ids == sorted(cases["id"])
    assert store.header.canvas_px == 96
    assert store.index["cut"].tolist() == quality.sort_values("id")["trusted"].tolist()
    for name in ("hand_sheet", "doubted_hands", "cut_hands", "hand_curve"):
        assert (RESULTS / f"{name}.png").exists()


def test_hands_are_scored_on_the_test_part_alone(hands: Run) -> None:
    scores = pd.read_csv(RESULTS / "hand_scores.csv")
    splits = pd.read_parquet(PROJECT / "data/03_primary/test/splits.parquet").set_index("id")["split"]
    assert set(scores["id"]) == set(splits.index[splits == "test"])
    assert hands.data.metrics["hand.test.dice"] == pytest.approx(scores["dice"].mean())
    settings = json.loads((PROJECT / "data/06_models/test/hand_settings.json").read_text())
    assert set(splits[settings["labelled"]]) == {"train"}
    assert len(settings["labelled"]) == 10


def test_every_hand_is_enhanced_or_left_in_plain_tone_with_the_reason(hands: Run) -> None:
    store = ImageStore(PROJECT / "data/05_model_input/test/enhanced_store")
    cut = ImageStore(PROJECT / "data/05_model_input/test/hand_store")
    masks = ImageStore(PROJECT / "data/05_model_input/test/cut_masks")
    fidelity = pd.read_csv(RESULTS / "fidelity.csv")
    assert store.ids == cut.ids == masks.ids == fidelity["id"].tolist()
    assert (fidelity["reason"].isna() == fidelity["used"]).all()
    assert store.index["enhanced"].tolist() == fidelity["used"].tolist()
    assert all(not store[key][masks[key] == 0].any() for key in store.ids)
    assert hands.data.metrics["enhancement.used_share"] == pytest.approx(fidelity["used"].mean())


def test_the_enhancer_is_held_against_plain_methods_on_the_test_part(hands: Run) -> None:
    splits = pd.read_parquet(PROJECT / "data/03_primary/test/splits.parquet").set_index("id")["split"]
    methods = [*PLAIN_METHODS, "gan", "gan_guarded"]
    for grades, table in (("pair_grades", "pair_quality"), ("hand_grades", "hand_tone")):
        graded = pd.read_csv(RESULTS / f"{grades}.csv")
        assert set(splits[graded["id"].unique()]) == {"test"}
        assert pd.read_csv(RESULTS / f"{table}.csv")["method"].tolist() == methods
        assert graded["psnr"].notna().all() == (grades == "pair_grades")
    exposure = pd.read_csv(RESULTS / "exposure.csv").set_index("id")
    assert exposure.loc[pd.read_csv(RESULTS / "pair_grades.csv")["id"].unique(), "gold"].all()
    client = mlflow.MlflowClient(TRACKING)
    logged = [client.list_artifacts(one.info.run_id, "enhancer_sheets") for one in runs()]
    names = ["enhancer_sheets/epoch_000.png", "enhancer_sheets/epoch_001.png"]
    assert names in [[file.path for file in files] for files in logged]  # of the run that has trained it
    for name in ("enhancement_sheet", "fidelity_sheet", "tone_spread"):
        assert (RESULTS / f"{name}.png").exists()
    offered = PROJECT / "data/07_model_output/test/offered_hands"
    assert {splits[file.stem] for file in offered.glob("*.png")} == {"train"}
