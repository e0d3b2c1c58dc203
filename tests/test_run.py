"""`kedro run --env=test` as a user starts it, and what it leaves behind."""

import json
import logging
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from kedro.framework.hooks import hook_impl
from kedro.framework.session import KedroSession
from kedro.io import DatasetError
from kedro.pipeline import Node
from mlflow.entities import Run
from PIL import Image
from safetensors.torch import load_file

from boneage_kedro.annotation.server import create_app
from boneage_kedro.evaluation.case_result import COLUMNS
from boneage_kedro.evaluation.clinical import Determination
from boneage_kedro.evaluation.segmentation import dice
from boneage_kedro.handover.package import load_package
from boneage_kedro.hooks import git_commit
from boneage_kedro.imaging.store import ImageStore
from boneage_kedro.masks.hand_check import check_hand
from boneage_kedro.masks.labelme import write_labelme
from boneage_kedro.masks.polygons import mask_to_polygons
from boneage_kedro.masks.queue import AnnotationQueue
from boneage_kedro.training.reliability import fingerprint_network

from .annotation.annotator import Annotator
from .browser import chromium, served
from .ten_files import batch_ages, new_hands, write_files

# Kedro and MLflow warn of their own dependencies' deprecations here; ours stay errors
pytestmark = [
    pytest.mark.xdist_group("project"),  # they share its data folder, and build on each other's runs
    pytest.mark.filterwarnings("default"),
    pytest.mark.filterwarnings("error:::boneage_kedro.*"),
]

PROJECT = Path(__file__).resolve().parents[1]
RESULTS = PROJECT / "data" / "08_reporting" / "test"
PLAIN_METHODS = ["identity", "clahe", "match_histogram", "scale_percentiles", "standard_tone"]
TRACKING = f"sqlite:///{PROJECT}/data/08_reporting/test_mlflow.db"
FIGURES = (
    "age_histogram",
    "contact_sheet",
    "learning_curves",
    "mae_bars",
    "predicted_against_read",
    "bland_altman",
    "coverage_bars",
    "width_over_age",
    "attention_sheet",
    "mean_attention",
    "error_panels",
    "region_bars",
    "mean_hands",
    "deletion_curves",
    "random_layers",
)


def runs() -> list[Run]:
    """All MLflow runs of the environment, the newest first."""
    client = mlflow.MlflowClient(TRACKING)
    experiment = client.get_experiment_by_name("boneage_kedro_test")
    return list(client.search_runs([experiment.experiment_id])) if experiment else []


@pytest.fixture(scope="module")
def output() -> str:
    """What the whole chain printed, started in a folder below the project."""
    command = [sys.executable, "-m", "kedro", "run", "--env=test"]
    environment = os.environ | {"COLUMNS": "200", "PYTHONPATH": str(PROJECT / "src")}
    result = subprocess.run(
        command, cwd=PROJECT / "tests", env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-4000:]
    return result.stdout


@pytest.fixture(scope="module")
def run(output: str) -> Run:
    return runs()[0]


def test_the_end_says_where_to_look(output: str, run: Run) -> None:
    end = output[-1500:]
    assert "report.html" in end
    assert "08_reporting/test" in end
    assert run.info.run_id in end


def test_the_log_has_no_line_for_every_part_of_a_dataset(output: str) -> None:
    assert "train_ptl" in output
    assert "Saving data to" not in output


def test_nothing_is_written_where_the_command_was_started(output: str) -> None:
    assert not list((PROJECT / "tests").glob("mlruns*")) + list((PROJECT / "tests").glob("*.db"))


def test_one_run_is_recorded_with_commit_data_and_parameters(run: Run) -> None:
    assert run.info.status == "FINISHED"
    assert run.data.tags["git_commit"].removesuffix("+changes") == git_commit(PROJECT).removesuffix(
        "+changes"
    )
    assert len(run.data.tags["data_fingerprint"]) == 32
    assert len(run.data.tags["labels_fingerprint"]) == 32
    assert run.data.params["ptl_regression.fit.batch_size"] == "16"
    assert run.data.params["data_prep.preparation.canvas_px"] == "96"


def test_curves_and_final_figures_are_recorded(run: Run) -> None:
    client = mlflow.MlflowClient(TRACKING)
    for strategy in ("ptl", "fine_tune"):
        curve = client.get_metric_history(run.info.run_id, f"regression.{strategy}.validation_mae_months")
        history = pd.read_csv(RESULTS / f"{strategy}_history.csv")
        means = history.groupby("epoch")["validation_mae_months"].mean()  # over folds
        assert [point.value for point in curve] == pytest.approx(means.tolist())
    table = pd.read_csv(RESULTS / "model_comparison.csv").set_index(["model", "cohort"])
    logged = run.data.metrics["regression.test.ptl.all.mae"]
    assert logged == pytest.approx(table.loc[("paced transfer learning", "all"), "mae"])


def test_the_test_part_has_intervals_and_their_coverage_is_recorded(run: Run) -> None:
    table = pd.read_parquet(PROJECT / "data/07_model_output/test/ptl_intervals.parquet")
    splits = pd.read_parquet(PROJECT / "data/03_primary/test/splits.parquet").set_index("id")["split"]
    assert set(table["id"]) == set(splits.index[splits == "test"])
    assert table["predicted_months"].between(table["lower_months"], table["upper_months"]).all()
    held = table["bone_age_months"].between(table["lower_months"], table["upper_months"])
    assert run.data.metrics["regression.test.ptl.all.coverage"] == pytest.approx(held.mean())
    coverage = pd.read_csv(RESULTS / "interval_coverage.csv").set_index(["age_band", "sex"])
    assert coverage.loc[("all", "all"), "coverage"] == pytest.approx(held.mean())
    agreement = pd.read_csv(RESULTS / "agreement.csv").set_index("cohort")
    logged = run.data.metrics["regression.test.ptl.all.upper_limit"]
    assert logged == pytest.approx(agreement.loc["all", "upper_limit"])


def test_intervals_and_familiarity_belong_to_the_network(output: str) -> None:
    folder = PROJECT / "data/06_models/test"
    intervals = json.loads((folder / "ptl_intervals.json").read_text())
    familiarity = json.loads((folder / "ptl_familiarity_settings.json").read_text())
    settings = json.loads((folder / "ptl_settings.json").read_text())
    network = fingerprint_network(load_file(folder / "ptl_weights.safetensors"), settings)
    assert intervals["network"] == familiarity["network"] == network
    known = load_file(folder / "ptl_familiarity_weights.safetensors")
    assert float(known["threshold"]) == pytest.approx(familiarity["threshold"])


def test_the_papers_tables_end_with_our_row(output: str) -> None:
    comparison = pd.read_csv(RESULTS / "model_comparison.csv").set_index(["model", "cohort"])
    cases = pd.read_parquet(PROJECT / "data/03_primary/test/cases.parquet")
    methods, participants = (
        pd.read_csv(RESULTS / f"paper_{name}.csv").iloc[-1] for name in ("methods", "participants")
    )
    assert methods["dataset_size"] == len(cases)
    for row in (methods, participants):
        assert row["mae"] == pytest.approx(comparison.loc[("paced transfer learning", "all"), "mae"])
        assert row["mae_boys"] == pytest.approx(comparison.loc[("paced transfer learning", "M"), "mae"])


def test_figures_weights_and_report_are_artifacts(run: Run) -> None:
    client = mlflow.MlflowClient(TRACKING)
    found = {
        file.path
        for folder in ("figures", "model", "report")
        for file in client.list_artifacts(run.info.run_id, folder)
    }
    assert {f"figures/{name}.png" for name in FIGURES} <= found
    assert {"model/ptl_weights.safetensors", "model/ptl_settings.json", "report/report.html"} <= found


def test_the_report_holds_every_figure_and_says_that_hands_are_phantoms(output: str) -> None:
    page = (RESULTS / "report.html").read_text()
    assert page.count("data:image/png") >= len(FIGURES)  # and those of studies that were run before
    assert page.count('<span class="data">phantoms</span>') == page.count("<table>")
    assert "training median of the sex" in page


def test_the_tables_of_the_report_are_files_beside_it_without_pictures(output: str) -> None:
    whole = json.loads((RESULTS / "evidence/evidence.json").read_text())
    told = {table["name"]: table["rows"] for table in whole["tables"]}
    comparison = pd.read_csv(RESULTS / "model_comparison.csv")
    assert [row["mae"] for row in told["errors"]] == pytest.approx(comparison["mae"].tolist())
    for name, rows in told.items():
        assert len(pd.read_csv(RESULTS / f"evidence/{name}.csv")) == len(rows)
    assert "data:image" not in (RESULTS / "evidence/report.html").read_text()


def test_maps_add_up_to_the_predictions(output: str) -> None:
    table = pd.read_parquet(PROJECT / "data/07_model_output/test/attention_table.parquet")
    total = table["map_mean_months"] + table["bias_months"]
    assert np.allclose(total, table["predicted_months"], atol=0.01)


def test_attention_is_counted_by_region_and_adds_up(output: str) -> None:
    folder = PROJECT / "data/07_model_output/test"
    table = pd.read_parquet(folder / "attention_table.parquet").set_index("id")
    counted = pd.read_parquet(folder / "attention_by_region.parquet").groupby("id")
    assert len(counted) == len(table)
    assert np.allclose(counted[["attention", "area"]].sum(), 1)
    assert np.allclose(counted["months"].sum(), table["map_mean_months"].sort_index(), atol=0.01)
    joints = pd.read_parquet(folder / "attention_joints.parquet")
    assert joints.groupby("id").size().eq(21).all()
    assert set(joints["id"]) == set(table.index)
    summary = pd.read_csv(RESULTS / "attention_regions.csv")
    assert (summary.groupby("sex")["cases"].first() == table["sex"].value_counts()).all()


def test_maps_are_checked_by_deletion_and_by_random_layers(run: Run) -> None:
    changes = pd.read_parquet(RESULTS / "attention_deletion.parquet")
    assert len(changes) == 3 * 2 * 3 * 3  # orders, tests, cases, and the whole picture before two steps
    whole = changes["share"] == (changes["test"] == "insertion")
    assert not changes.loc[whole, "change_months"].any()
    areas = pd.read_csv(RESULTS / "attention_areas.csv").set_index(["test", "order"])
    for test in ("deletion", "insertion"):
        logged = run.data.metrics[f"attention.{test}.attention.area_months"]
        assert logged == pytest.approx(areas.loc[(test, "attention"), "area"])
    likeness = pd.read_parquet(RESULTS / "attention_likeness.parquet")
    assert likeness.groupby("depth").size().tolist() == [3, 3]
    assert likeness["depth"].max() == 1


def test_no_patient_is_in_two_parts(output: str) -> None:
    cases = pd.read_parquet(PROJECT / "data/03_primary/test/cases.parquet")
    splits = pd.read_parquet(PROJECT / "data/03_primary/test/splits.parquet")
    assert cases.merge(splits, on="id").groupby("patient_id")["split"].nunique().max() == 1


def test_only_what_depends_on_a_changed_parameter_is_made_again(output: str) -> None:
    assert _nodes_to_make({}) == set()
    assert _nodes_to_make({"report": {"title": "another"}}) == {"write_report"}
    assert "<h1>another" in (RESULTS / "report.html").read_text()
    assert _nodes_to_make({}) == {"write_report"}


def test_a_run_from_the_middle_says_that_what_it_reads_is_outdated(
    output: str, caplog: pytest.LogCaptureFixture
) -> None:
    logger = logging.getLogger("boneage_kedro.freshness")
    with _session({"data_prep": {"max_age_months": 200}}) as session:
        logger.addHandler(caplog.handler)  # Kedro has just put its own in the place of all at the root
        session.run(pipeline_names=["report"], node_names=["write_report"])
    logger.removeHandler(caplog.handler)
    (warning,) = {text for text in caplog.messages if "goes on from" in text}
    assert "cases.parquet" in warning
    assert "data_prep changed since" in warning


class _Ran:
    """Names of the nodes that were run."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        self.names.add(node.name)


def _nodes_to_make(changes: dict[str, Any]) -> set[str]:
    ran = _Ran()
    with _session(changes) as session:
        session._hook_manager.register(ran)
        session.run(only_missing_outputs=True)
    return ran.names


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
        pytest.raises(DatasetError, match="holds no package of a model"),
        _session(new_files | {"assess_package": str(tmp_path)}) as session,
    ):
        session.run(pipeline_names=["assess"])
    copied = tmp_path / "handed over"
    shutil.copytree(PROJECT / "data/06_models/test/package", copied)
    with _session(new_files | {"assess_package": str(copied)}) as session:
        session.run(pipeline_names=["assess"])
    assert len(pd.read_csv(tmp_path / "out" / "predictions.csv")) == 5


def test_assess_reads_new_files(
    new_files: dict[str, str], tmp_path: Path, fingers: Run, hands: Run, forearms: Run
) -> None:
    with _session({}) as session:
        session.run(pipeline_names=["package"])  # with the networks for masks, which have been trained by now
    with _session(new_files) as session:
        session.run(pipeline_names=["assess"])
    predictions = pd.read_csv(tmp_path / "out" / "predictions.csv").set_index("id")
    assert tuple(predictions.reset_index().columns) == COLUMNS
    assert predictions["determination"].isin(list(Determination)).all()
    assert predictions["status"].isin(["ok", "indeterminate"]).tolist() == [True, True, False, False, False]
    assert predictions["bone_age_months"].notna().tolist() == [True, True, False, False, False]
    read = predictions.iloc[:2]
    assert read["bone_age_months"].between(read["lower_months"], read["upper_months"]).all()
    assert (predictions.loc[["p00002", "broken", "absent"], "warnings"].str.len() > 10).all()
    pages = sorted(file.stem for file in (tmp_path / "out" / "pages").iterdir())
    assert pages == sorted(predictions.index)
    overlays = sorted((tmp_path / "out" / "overlays").iterdir())
    assert [file.name for file in overlays] == ["p00000.png", "p00001.png"]
    with Image.open(overlays[0]) as overlay:
        assert overlay.size == (1024, 512)
    names = {"phalanx": "phalanx_masks", "hand": "hand_masks", "dru": "dru_masks"}
    splits = pd.read_parquet(PROJECT / "data/03_primary/test/splits.parquet").set_index("id")["split"]
    for found, known in names.items():
        masks = sorted((tmp_path / "out" / found).iterdir())
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
    with _session(new_files) as session:
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
    with _session({f"assess_{what}": str(tmp_path / place) for what, place in places.items()}) as session:
        session.run(pipeline_names=["assess"])
    predictions = pd.read_csv(tmp_path / "out" / "predictions.csv")
    assert predictions["id"].tolist() == list(hands)
    package = load_package(PROJECT / "data/06_models/test/package")
    wanted = batch_ages(hands, cases, package, tmp_path / "store")
    np.testing.assert_allclose(predictions["bone_age_months"], wanted, atol=0.01)


@pytest.fixture(scope="module")
def fingers(output: str) -> Run:
    """The MLflow run of masks for all hands, of the comparison of rules, and of the teacher's tuning."""
    with _session({}) as session:
        session.run(pipeline_names=["finger_selftrain", "finger_study", "finger_crf"])
    return runs()[0]


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


def test_the_study_has_a_row_for_every_arm_seed_and_round(fingers: Run) -> None:
    study = pd.read_csv(RESULTS / "finger_study.csv")
    assert len(study.groupby(["arm", "seed", "round"])) == len(study) == 2 * 2 * 3
    start = study[study["round"] == 0].pivot_table(index="seed", columns="arm", values="test_dice")
    assert (start["few"] == start["top-DSC"]).all()  # both begin with the same round 0
    assert (RESULTS / "finger_study_curve.png").exists()


def test_the_teachers_settings_are_the_best_that_were_tried(fingers: Run) -> None:
    tried = pd.read_csv(RESULTS / "finger_crf_tried.csv")
    best = json.loads((RESULTS / "finger_crf_best.json").read_text())
    row = tried.loc[tried["dice"].idxmax()]
    assert all(best[key] == row[key] for key in tried.columns.drop("dice"))


@pytest.fixture(scope="module")
def forearms(output: str) -> Run:
    """The MLflow run of radius and ulna for all radiographs, and of the study of networks for them."""
    with _session({}) as session:
        session.run(pipeline_names=["dru_segmentation", "dru_study"])
    return runs()[0]


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


def test_the_study_of_forearms_scores_every_arm_and_seed(forearms: Run) -> None:
    study = pd.read_csv(RESULTS / "dru_study.csv")
    summary = pd.read_csv(RESULTS / "dru_study_summary.csv").set_index("arm")
    assert summary["seeds"].tolist() == [2] * 4
    assert summary.loc["FCN-2s-10", "labels"] == 10 < summary.loc["FCN-2s", "labels"]
    last = study.dropna(subset=["test_iou_radius"]).groupby("arm")["test_iou_radius"].mean()
    assert summary.loc["modern", "iou_radius"] == pytest.approx(last["modern"])
    assert forearms.data.metrics["dru_study.modern.iou_radius"] == pytest.approx(last["modern"])
    for name in ("dru_curves", "dru_sheet", "dru_study_curves", "dru_study_labels"):
        assert (RESULTS / f"{name}.png").exists()


@pytest.fixture(scope="module")
def hands(output: str) -> Run:
    """The MLflow run of hands for all radiographs, of the enhancer, and of all studies of these."""
    studies = ["hand_study", "gan_study", "guard_study", "regression_study"]
    with _session({}) as session:
        session.run(pipeline_names=["hand_active_learning", "gan_enhance", *studies])
    return runs()[0]


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


def test_the_study_of_rules_has_a_row_for_every_arm_seed_and_round(hands: Run) -> None:
    study = pd.read_csv(RESULTS / "hand_study.csv")
    assert study.groupby("arm", sort=False)["labels"].apply(list).to_dict() == {
        "QBC": [6, 8, 10] * 2,
        "random": [6, 8, 10] * 2,
        "U-Net": [10] * 2,
    }
    start = study[study["round"] == 0].pivot_table(index="seed", columns="arm", values="test_dice")
    assert (start["QBC"] == start["random"]).all()  # both begin with the same masks and members


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


def test_the_study_of_enhancers_holds_arms_against_plain_methods(hands: Run) -> None:
    splits = pd.read_parquet(PROJECT / "data/03_primary/test/splits.parquet").set_index("id")["split"]
    study = pd.read_parquet(RESULTS / "gan_study.parquet")
    assert set(splits[study["id"].unique()]) == {"test"}
    assert study.groupby(["arm", "seed"], sort=False).ngroups == 4
    summary = pd.read_csv(RESULTS / "gan_study_summary.csv").set_index("arm")
    plain = PLAIN_METHODS
    assert summary.index.tolist() == [*plain, "l1", "patch"]
    assert summary["seeds"].tolist() == [1] * 5 + [2] * 2
    assert summary.loc["identity", "kept"] == 1  # what is not changed has nothing invented
    for table in ("pair_quality", "hand_tone"):  # the same pictures are graded alike by gan_enhance
        graded = pd.read_csv(RESULTS / f"{table}.csv").set_index("method")
        for figure in {"psnr", "ssim", "mean_sd", "contrast_sd"} & set(graded.columns[graded.notna().any()]):
            if (table == "pair_quality") == (figure in {"psnr", "ssim"}):
                assert summary.loc[plain, figure].to_numpy() == pytest.approx(
                    graded.loc[plain, figure].to_numpy()
                )
    assert hands.data.metrics["gan_study.l1.psnr"] == pytest.approx(summary.loc["l1", "psnr"])


def test_the_guard_is_rated_on_planted_inventions(hands: Run) -> None:
    scores = pd.read_parquet(RESULTS / "guard_scores.parquet")
    assert sorted(scores["phantom"].unique()) == [0, 1, 2, 3]
    rates = pd.read_csv(RESULTS / "guard_rates.csv")
    assert set(rates["limits"]) == {"in use", "of phantoms"}
    assert set(rates["kind"]) == {"honest", "enhancer", "invention"}
    assert set(rates.loc[rates["kind"] == "invention", "enhanced_by"]) == {"combined", "gan"}
    assert rates["pictures"].max() <= 2  # half of the phantoms, which have set no limit
    assert any(name.startswith("guard.invention.") for name in hands.data.metrics)


def test_the_ablation_tries_all_combinations_on_unseen_cases(hands: Run) -> None:
    study = pd.read_parquet(RESULTS / "regression_study.parquet")
    splits = pd.read_parquet(PROJECT / "data/03_primary/test/splits.parquet").set_index("id")["split"]
    assert (study["split"] == study["id"].map(splits)).all()
    assert "train" not in set(study["split"])
    cells = ["images", "strategy", "cohort", "seed"]
    assert study.groupby(cells).ngroups == 3 * 2 * 3 * 2
    history = pd.read_csv(RESULTS / "regression_study_history.csv")
    assert (history.groupby(cells).size() == 2).all()
    assert history.groupby("epoch")["learning_rate"].nunique().eq(1).all()
    error = (study["predicted_months"] - study["bone_age_months"]).abs()
    test = study.assign(error=error)[study["split"] == "test"]
    summary = pd.read_csv(RESULTS / "regression_study_summary.csv").query("split == 'test'")
    row = summary.query(
        "tested_on == 'F' and images == 'hand' and strategy == 'PTL' and networks == 'one a sex'"
    )
    girls = test.query("images == 'hand' and strategy == 'PTL' and cohort == 'F'")
    assert row["mae"].item() == pytest.approx(girls["error"].mean())
    metric = "regression_study.test.F.hand.PTL.one a sex.mae"
    assert hands.data.metrics[metric] == pytest.approx(row["mae"].item())
    gains = pd.read_csv(RESULTS / "regression_study_gains.csv").set_index(["tested_on", "step", "networks"])
    means = test[test["cohort"] == "all"].groupby("images")["error"].mean()
    of_one = gains.loc[("all", "segmentation", "one for all"), "difference"]
    assert of_one.mean() == pytest.approx(means["hand"] - means["whole"])
    assert "regression_study.test.all.gain.segmentation" in hands.data.metrics
    for name in ("regression_study_bars", "regression_study_steps", "regression_study_curves"):
        assert (RESULTS / f"{name}.png").exists()


def test_the_study_of_transfer_learning_has_every_strategy_cohort_and_seed(output: str) -> None:
    with _session({}) as session:
        session.run(pipeline_names=["ptl_study"])
    study = pd.read_parquet(RESULTS / "ptl_study.parquet")
    splits = pd.read_parquet(PROJECT / "data/03_primary/test/splits.parquet").set_index("id")["split"]
    assert (study["split"] == study["id"].map(splits)).all()
    assert "train" not in set(study["split"])
    history = pd.read_csv(RESULTS / "ptl_study_history.csv")
    for table in (study, history):
        assert table.groupby(["strategy", "cohort", "seed"]).ngroups == 2 * 3 * 2
    assert len(history) == 2 * 3 * 2 * 2
    assert history.groupby("epoch")["learning_rate"].nunique().eq(1).all()
    summary = pd.read_csv(RESULTS / "ptl_study_summary.csv").query("split == 'test'")
    assert summary["strategy"].tolist() == ["all layers", "PTL", "training median of the sex"] * 3
    row = summary.set_index(["cohort", "strategy"]).loc[("M", "PTL")]
    boys = study.query("split == 'test' and cohort == 'M' and strategy == 'PTL'")
    assert row["mae"] == pytest.approx((boys["predicted_months"] - boys["bone_age_months"]).abs().mean())
    assert runs()[0].data.metrics["ptl_study.test.M.PTL.mae"] == pytest.approx(row["mae"])
    for name in ("ptl_study_curves", "ptl_study_bars"):
        assert (RESULTS / f"{name}.png").exists()


@pytest.fixture(scope="module")
def bonet(output: str) -> Run:
    """The MLflow run of the baseline, of its arms, and of the tables that it has a row in."""
    with _session({}) as session:
        session.run(
            pipeline_names=["bonet", "ptl_regression"],
            node_names=(
                *("train_bonet", "predict_by_bonet", "describe_bonet", "run_bonet_arms"),
                *("summarise_bonet_arms", "draw_bonet_arms", "collect_bonet_arms"),
                *("compare_models", "compare_with_paper"),
            ),
        )
    return runs()[0]


def test_the_baseline_is_a_row_of_the_tables_of_transfer_learning(output: str, bonet: Run) -> None:
    comparison = pd.read_csv(RESULTS / "model_comparison.csv").set_index(["model", "cohort"])
    mae = comparison.loc[("BoNet from scratch", "all"), "mae"]
    assert bonet.data.metrics["bonet.test.baseline.mae"] == pytest.approx(mae)
    for name, column in (("methods", "method"), ("participants", "user")):
        rows = pd.read_csv(RESULTS / f"paper_{name}.csv").set_index(column)["mae"]
        assert rows.index.tolist()[-2:] == ["ours: BoNet from scratch", "ours: paced transfer learning"]
        assert rows["ours: BoNet from scratch"] == pytest.approx(mae)


def test_the_arms_of_bonet_are_cross_validated_and_tested(bonet: Run) -> None:
    study = pd.read_parquet(RESULTS / "bonet_study.parquet")
    splits = pd.read_parquet(PROJECT / "data/03_primary/test/splits.parquet").set_index("id")["split"]
    of_test = study["split"] == "test"
    assert set(study.loc[of_test, "id"]) == set(splits.index[splits == "test"])
    assert set(splits[study.loc[~of_test, "id"]]) == {"train", "validation"}
    assert study.groupby(["arm", "fold"]).ngroups == 4
    summary = pd.read_csv(RESULTS / "bonet_summary.csv").set_index(["split", "arm"])
    assert bonet.data.metrics["bonet.test.from scratch.mae"] == pytest.approx(
        summary.loc[("test", "from scratch"), "mae"]
    )
    groups = pd.read_csv(RESULTS / "bonet_by_group.csv").query("age_band == 'all' and sex == 'all'")
    assert groups["mae"].sum() == pytest.approx(summary["mae"].sum())
    for name in ("bonet_bars", "bonet_group_errors"):
        assert (RESULTS / f"{name}.png").exists()


def test_the_report_tells_of_all_studies_that_were_run(
    fingers: Run, hands: Run, forearms: Run, bonet: Run
) -> None:
    with _session({}) as session:
        session.run(pipeline_names=["report"])
    whole = json.loads((RESULTS / "evidence/evidence.json").read_text())
    told = {table["name"]: table for table in whole["tables"]}
    assert {"self_training", "crf", "hand_rules", "enhancement", "ablation", "forearm", "bonet"} <= set(told)
    for name in ("self_training", "hand_rules", "forearm_networks"):
        assert told[name]["basis"]["cases"] == "10 of the test part"
    sources = {row["data"] for row in told["self_training"]["rows"]}
    assert sources == {"phantoms", "Paper 000, table II"}


def test_stress_compares_each_transformation_with_the_unchanged_picture(output: str) -> None:
    with _session({}) as session:
        session.run(pipeline_names=["stress"])
    comparison = pd.read_csv(RESULTS / "stress_comparison.csv")
    predictions = pd.read_parquet(RESULTS / "stress_predictions.parquet")
    splits = pd.read_parquet(PROJECT / "data/03_primary/test/splits.parquet").set_index("id")["split"]
    assert set(splits[predictions["id"].unique()]) == {"test"}
    plain = predictions[predictions["transformation"] == "unchanged"].set_index("id")["predicted_months"]
    known = pd.read_parquet(PROJECT / "data/07_model_output/test/ptl_predictions.parquet").set_index("id")
    assert plain.to_numpy() == pytest.approx(known.loc[plain.index, "predicted_months"].to_numpy(), abs=0.01)
    assert {"rotated +90 deg", "negative", "flipped horizontal"} <= set(comparison["transformation"])
    assert runs()[0].data.metrics["stress.all.transformations"] == len(comparison)
    for name in ("stress_bars", "stress_sheet"):
        assert (RESULTS / f"{name}.png").exists()


def test_a_run_that_is_killed_and_started_again_gives_the_same_figures(output: str, tmp_path: Path) -> None:
    """Killed in the training of the second fold, and once more where maps are checked."""
    for name in ("conf", "src"):
        shutil.copytree(PROJECT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / "pyproject.toml", tmp_path)
    command = [sys.executable, "-m", "kedro", "run", "--env=test"]
    with (tmp_path / "log").open("w") as log:
        options: dict[str, Any] = {"cwd": tmp_path, "stdout": log, "stderr": log}
        for last_file in (
            "06_models/test/ptl_checkpoint_fold_2.pt",
            "07_model_output/test/attention_table.parquet",
        ):
            killed = subprocess.Popen(command, **options)
            while not (tmp_path / "data" / last_file).exists():
                assert killed.poll() is None, (tmp_path / "log").read_text()[-4000:]
                time.sleep(0.05)
            killed.kill()
            killed.wait()
        assert not (tmp_path / "data/08_reporting/test/report.html").exists()
        subprocess.run(command, **options, check=True)
    tables = {path.name for path in (tmp_path / "data/08_reporting/test").glob("*.csv")}
    with_baseline = {
        "model_comparison.csv",
        "paper_methods.csv",
        "paper_participants.csv",
    }  # if it was run here
    assert tables >= with_baseline | {
        "errors_by_age_band.csv",
        "ptl_history.csv",
        "hand_rounds.csv",
        "fidelity.csv",
    }
    for name in sorted(tables - with_baseline):
        again, unbroken = (
            pd.read_csv(folder / "data/08_reporting/test" / name) for folder in (tmp_path, PROJECT)
        )
        pd.testing.assert_frame_equal(
            *(table.drop(columns="seconds", errors="ignore") for table in (again, unbroken)), obj=name
        )


def test_a_run_waits_for_people_and_goes_on_with_their_masks(hands: Run, tmp_path: Path) -> None:
    (tmp_path / "masks").mkdir()
    folders = {"hand_masks": str(tmp_path / "masks"), "hand_queue": str(tmp_path / "queue")}
    settings = {"hand_active_learning": {"oracle": "folder", "query": {"labels": 8}}}
    queue = AnnotationQueue(tmp_path / "queue", {"hand": 1}, check_hand)
    asked = []
    for _ in range(3):
        try:
            with _session(folders | settings) as session:
                session.run(pipeline_names=["hand_active_learning"])
        except SystemExit as end:
            assert end.code == 0
            assert runs()[0].info.status == "FINISHED"
            asked.append(len(queue.open_ids))
            _answer(queue)
    assert asked == [6 + 4, 2]  # to begin with and to validate, then one round
    assert runs()[0].data.tags.get("waits_for_masks") is None
    rounds = pd.read_csv(RESULTS / "hand_rounds.csv")
    assert rounds["labels"].tolist() == [6, 8]


def test_a_mask_drawn_on_the_page_is_learnt_from_in_the_next_round(hands: Run, tmp_path: Path) -> None:
    (tmp_path / "masks").mkdir()
    folders = {"hand_masks": str(tmp_path / "masks"), "hand_queue": str(tmp_path / "queue")}
    settings = {"hand_active_learning": {"oracle": "folder", "query": {"labels": 7, "per_round": 1}}}
    queue = AnnotationQueue(tmp_path / "queue", {"hand": 1}, check_hand)
    with pytest.raises(SystemExit), _session(folders | settings) as session:
        session.run(pipeline_names=["hand_active_learning"])
    _answer(queue)
    with pytest.raises(SystemExit), _session(folders | settings) as session:
        session.run(pipeline_names=["hand_active_learning"])
    (key,) = queue.open_ids
    truth = _true_hand(key)
    with chromium() as browser, served(create_app(queue)) as address:
        person = Annotator(browser.new_page(), address, truth.shape).open()
        person.button("Erase all")
        person.press("p")
        person.click(*mask_to_polygons(truth > 0, tolerance_px=1)[0].tolist())
        person.press("Enter", "s")
        person.sees("Saved")
        person.check()
    assert dice(queue.answer(key) > 0, truth > 0) > 0.97
    with _session(folders | settings) as session:
        session.run(pipeline_names=["hand_active_learning"])
    learnt = json.loads((PROJECT / "data/06_models/test/hand_settings.json").read_text())["labelled"]
    assert len(learnt) == 7
    assert key in learnt


def _true_hand(key: str) -> np.ndarray:
    with Image.open(PROJECT / f"data/01_raw/test/hand_masks/{key}.png") as picture:
        return (np.asarray(picture) > 0).astype(np.uint8)


def _answer(queue: AnnotationQueue) -> None:
    """Draw as a person would who never errs, some in Labelme and some as PNG."""
    for i, key in enumerate(queue.open_ids):
        mask = _true_hand(key)
        if i % 2:
            queue.save_answer(key, mask)
        else:
            text = write_labelme(mask, {"hand": 1}, f"{key}.png", tolerance_px=0.5)
            (queue.folder / "answers" / f"{key}.json").write_text(text)


def test_a_run_that_fails_is_marked_so(output: str) -> None:
    before = {run.info.run_id for run in runs()}
    with (
        pytest.raises(ArithmeticError, match="map and bias add up"),
        _session({"explain": {"tolerance_months": 0.0}}) as session,
    ):
        session.run(pipeline_names=["explain"])
    (failed,) = [run for run in runs() if run.info.run_id not in before]
    assert failed.info.status == "FAILED"


def test_wrong_parameters_stop_a_run_before_its_first_node(output: str) -> None:
    before = len(runs())
    with (
        pytest.raises(ValueError, match=r"explain\.tolerance_months = 'none'"),
        _session({"explain": {"tolerance_months": "none"}}) as session,
    ):
        session.run(pipeline_names=["explain"])
    assert len(runs()) == before


def test_commit_is_unknown_outside_git(tmp_path: Path) -> None:
    assert git_commit(tmp_path) == "unknown"


def _session(runtime_params: dict[str, Any]) -> KedroSession:
    from kedro.framework.startup import bootstrap_project

    while (
        mlflow.active_run()
    ):  # kedro-mlflow leaves a run open that ended well; a new process would begin without
        mlflow.end_run()
    bootstrap_project(PROJECT)
    return KedroSession.create(PROJECT, env="test", runtime_params=runtime_params)
