"""What ``kedro run --env=test`` leaves behind, and what a second run makes again."""

import json
import logging
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from kedro.framework.hooks import hook_impl
from kedro.pipeline import Node
from mlflow.entities import Run
from safetensors.torch import load_file

from boneage_kedro.hooks import git_commit
from boneage_kedro.reading.reliability import fingerprint_network

from .project import MARKS, PROJECT, RESULTS, TRACKING, session_with

pytestmark = MARKS

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
    with session_with({"data_prep": {"max_age_months": 200}}) as session:
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
    with session_with(changes) as session:
        session._hook_manager.register(ran)
        session.run(only_missing_outputs=True)
    return ran.names


def test_commit_is_unknown_outside_git(tmp_path: Path) -> None:
    assert git_commit(tmp_path) == "unknown"
