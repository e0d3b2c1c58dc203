"""The packed model of the run, and new files read with it."""

import json
import shutil
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.entities import Run
from PIL import Image

from boneage_kedro.evaluation.clinical.case_result import COLUMNS
from boneage_kedro.evaluation.clinical.determination import Determination
from boneage_kedro.files import WRITTEN_BY_RUNS
from boneage_kedro.handover.package import load_package

from ..ten_files import batch_ages, new_hands, write_files
from .project import MARKS, PROJECT, RESULTS, TRACKING, session_with

pytestmark = MARKS


def written(folder: Path) -> list[Path]:
    """All that a run wrote into a folder, beside the list of it."""
    return sorted(file for file in folder.iterdir() if file.name != WRITTEN_BY_RUNS)


@pytest.fixture
def new_files(tmp_path: Path, output: str) -> dict[str, str]:
    """Phantoms as new files, with one that is no picture and a table with bad rows."""
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for i in range(3):
        source = PROJECT / f"data/01_raw/test/radiographs/p{i:05d}.png"
        (pictures / source.name).write_bytes(source.read_bytes())
    (pictures / "broken.png").write_text("no picture")
    rows = ["p00000,F", "p00001,M", "p00002,", "broken,F", "absent,M"]
    (tmp_path / "cases.csv").write_text("\n".join(["id,sex", *rows]) + "\n")
    return {
        "assess_images": str(pictures),
        "assess_cases": str(tmp_path / "cases.csv"),
        "assess_output": str(tmp_path / "out"),
    }


def test_the_model_is_packed_recorded_and_registered(run: Run) -> None:
    package = load_package(PROJECT / "data/06_models/test/package")
    assert package.mlflow_run == run.info.run_id
    assert set(package.documents) == {"README.md", "age.onnx"}
    card = package.documents["README.md"].decode()
    assert "Research use only" in card
    assert f"`{package.network}`" in card
    parity = json.loads((RESULTS / "onnx_parity.json").read_text())
    assert parity["cases"] == 2
    assert max(parity["age_months"], parity["map_months"]) < 0.01
    client = mlflow.MlflowClient(TRACKING)
    newest = client.search_model_versions("name='boneage_test'", order_by=["version_number DESC"])[0]
    assert (newest.run_id, newest.tags["network"]) == (run.info.run_id, package.network)
    source = client.get_model_version_download_uri("boneage_test", newest.version)
    fetched = mlflow.artifacts.download_artifacts(source)
    assert load_package(Path(fetched)).network == package.network


def test_a_package_from_elsewhere_is_read_with(new_files: dict[str, str], tmp_path: Path) -> None:
    with (
        pytest.raises(FileNotFoundError, match=f"{tmp_path} holds no packed model; name one with "),
        session_with(new_files | {"assess_package": str(tmp_path)}) as session,
    ):
        session.run(pipeline_names=["assess"])
    copied = tmp_path / "handed over"
    shutil.copytree(PROJECT / "data/06_models/test/package", copied)
    with session_with(new_files | {"assess_package": str(copied)}) as session:
        session.run(pipeline_names=["assess"])
    assert len(pd.read_csv(tmp_path / "out" / "predictions.csv")) == 5


def test_assess_reads_new_files(
    new_files: dict[str, str], tmp_path: Path, fingers: Run, hands: Run, forearms: Run
) -> None:
    with session_with({}) as session:
        session.run(pipeline_names=["package"])  # with the networks for masks, which have been trained by now
    with session_with(new_files) as session:
        session.run(pipeline_names=["assess"])
    predictions = pd.read_csv(tmp_path / "out" / "predictions.csv").set_index("id")
    assert tuple(predictions.reset_index().columns) == COLUMNS
    assert predictions["determination"].isin(list(Determination)).all()
    assert predictions["status"].isin(["ok", "indeterminate"]).tolist() == [True, True, False, False, False]
    assert predictions["bone_age_months"].notna().tolist() == [True, True, False, False, False]
    read = predictions.iloc[:2]
    assert read["bone_age_months"].between(read["lower_months"], read["upper_months"]).all()
    assert (predictions.loc[["p00002", "broken", "absent"], "warnings"].str.len() > 10).all()
    pages = sorted(file.stem for file in written(tmp_path / "out" / "pages"))
    assert pages == sorted(predictions.index)
    overlays = written(tmp_path / "out" / "overlays")
    assert [file.name for file in overlays] == ["p00000.png", "p00001.png"]
    with Image.open(overlays[0]) as overlay:
        assert overlay.size == (1024, 512)
    names = {"phalanx": "phalanx_masks", "hand": "hand_masks", "dru": "dru_masks"}
    splits = pd.read_parquet(PROJECT / "data/03_primary/test/splits.parquet").set_index("id")["split"]
    for found, known in names.items():
        masks = written(tmp_path / "out" / found)
        assert [file.name for file in masks] == ["p00000.png", "p00001.png"]
        for mask in masks:
            of_run = PROJECT / "data/07_model_output/test" / known / mask.name
            first, second = np.asarray(Image.open(mask)), np.asarray(Image.open(of_run))
            if found != "dru":
                assert np.array_equal(first, second)
            elif splits[mask.stem] == "test":  # others are cut where their bones are known to be
                assert (first == second).mean() > 0.999


def test_assess_agrees_with_the_predictions_of_the_run(new_files: dict[str, str], tmp_path: Path) -> None:
    """The same picture and sex give the same age, whichever way they come."""
    known = pd.read_parquet(PROJECT / "data/07_model_output/test/ptl_predictions.parquet").set_index("id")
    ids = ["p00000", "p00001"]  # from which no network of a fold has learnt
    lines = [f"{key},{known.loc[key, 'sex']}" for key in ids]
    Path(new_files["assess_cases"]).write_text("\n".join(["id,sex", *lines]) + "\n")
    with session_with(new_files) as session:
        session.run(pipeline_names=["assess"])
    predictions = pd.read_csv(tmp_path / "out" / "predictions.csv").set_index("id")
    assert np.allclose(predictions["bone_age_months"], known.loc[ids, "predicted_months"], atol=0.01)


def test_ten_new_files_of_every_kind_have_the_ages_of_the_batch_evaluation(
    output: str, tmp_path: Path
) -> None:
    (tmp_path / "pictures").mkdir()
    hands = new_hands()
    cases = write_files(tmp_path / "pictures", hands)
    cases.to_csv(tmp_path / "cases.csv", index=False)
    places = {"images": "pictures", "cases": "cases.csv", "output": "out"}
    with session_with({f"assess_{what}": str(tmp_path / place) for what, place in places.items()}) as session:
        session.run(pipeline_names=["assess"])
    predictions = pd.read_csv(tmp_path / "out" / "predictions.csv")
    assert predictions["id"].tolist() == list(hands)
    package = load_package(PROJECT / "data/06_models/test/package")
    wanted = batch_ages(hands, cases, package, tmp_path / "store")
    np.testing.assert_allclose(predictions["bone_age_months"], wanted, atol=0.01)
