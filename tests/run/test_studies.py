"""The studies beside the chain, and the report that tells of them."""

import json

import pandas as pd
import pytest
from mlflow.entities import Run

from .project import MARKS, PLAIN_METHODS, PROJECT, RESULTS, runs, session_with

pytestmark = MARKS


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


def test_the_study_of_rules_has_a_row_for_every_arm_seed_and_round(hands: Run) -> None:
    study = pd.read_csv(RESULTS / "hand_study.csv")
    assert study.groupby("arm", sort=False)["labels"].apply(list).to_dict() == {
        "QBC": [6, 8, 10] * 2,
        "random": [6, 8, 10] * 2,
        "U-Net": [10] * 2,
    }
    start = study[study["round"] == 0].pivot_table(index="seed", columns="arm", values="test_dice")
    assert (start["QBC"] == start["random"]).all()  # both begin with the same masks and members


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
    with session_with({}) as session:
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
    with session_with({}) as session:
        session.run(pipeline_names=["report"])
    whole = json.loads((RESULTS / "evidence/evidence.json").read_text())
    told = {table["name"]: table for table in whole["tables"]}
    assert {"self_training", "crf", "hand_rules", "enhancement", "ablation", "forearm", "bonet"} <= set(told)
    for name in ("self_training", "hand_rules", "forearm_networks"):
        assert told[name]["basis"]["cases"] == "10 of the test part"
    sources = {row["data"] for row in told["self_training"]["rows"]}
    assert sources == {"phantoms", "Paper 000, table II"}


def test_stress_compares_each_transformation_with_the_unchanged_picture(output: str) -> None:
    with session_with({}) as session:
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
