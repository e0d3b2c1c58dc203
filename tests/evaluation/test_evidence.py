"""What the evidence tells, on made-up tables with known figures."""

import json
from importlib.util import find_spec
from typing import Any

import numpy as np
import pandas as pd
import pytest

from boneage_kedro.evaluation.evidence import baseline, cohort, forearm, hands, phalanges, transfer
from boneage_kedro.evaluation.evidence.export import evidence_files
from boneage_kedro.evaluation.evidence.papers import all_printed, printed
from boneage_kedro.evaluation.evidence.subject import Subject, name_subject, tell_subject
from boneage_kedro.evaluation.evidence.subjects import FIGURES, SUBJECTS, TABLES
from boneage_kedro.evaluation.report import Table

GROUPS = {"all": 8, "F": 3, "M": 5}


def tables(subject: Subject, **found: pd.DataFrame) -> dict[str, Table]:
    return {table.name: table for table in tell_subject(subject, "phantoms", found).tables}


def summary(group: str, maes: dict[tuple[str, ...], float], keys: tuple[str, ...]) -> pd.DataFrame:
    """Of a study: rows with the error in a cell, 1 month more for girls and 1 less for boys."""
    rows: list[dict[str, Any]] = []
    for number, name in enumerate(GROUPS):
        for cell, mae in maes.items():
            mine = mae + (0, 1, -1)[number]
            spread = {"mae_sd": 0.5, "mae_low": mine - 1, "mae_high": mine + 1}
            difference = {"difference": mae - 9, "difference_low": mae - 10, "difference_high": mae - 8}
            place = {group: name, "split": "test", "cases": GROUPS[name], "seeds": 3}
            rows.append(place | dict(zip(keys, cell, strict=True)) | {"mae": mine} | spread | difference)
    return pd.DataFrame(rows)


def test_what_the_papers_print_is_complete_and_never_without_its_caveat() -> None:
    for key, one in all_printed().items():
        assert one.paper in {"000", "001", "002", "003"}, key
        assert min(len(text) for text in (one.place, one.unit, one.data, one.says, one.caveat)) > 3, key
    best = printed("self_training").values.set_index("arm")["round_6"]
    assert best.drop("U-Net-89").to_dict() == {
        "U-Net-139": 0.92853,
        "U-Net-only": 0.92123,
        "top-DSC": 0.93562,
    }
    assert printed("strategies").values.iloc[0].tolist() == ["PTL", 7.664, 6.263, 5.991]
    assert printed("forearm").values.set_index("structure").loc["radius"].tolist() == [0.985, 0.98, 0.966]
    assert printed("participants").values["mae"][:10].is_monotonic_increasing
    with pytest.raises(KeyError):
        printed("table 3")


def test_every_subject_can_be_found_run_and_seen() -> None:
    headings = [subject.heading for subject in SUBJECTS]
    assert len(set(headings)) == len(headings)
    for subject in SUBJECTS:
        for name in subject.pipelines.split(","):
            assert find_spec(f"boneage_kedro.pipelines.{name}"), subject.heading
        assert all(len(seen) > 10 for seen in subject.figures.values())
    assert len(set(FIGURES)) == sum(len(subject.figures) for subject in SUBJECTS)
    assert cohort.PARTS not in TABLES
    named = {key for subject in SUBJECTS for key in subject.papers}
    assert named == set(all_printed())  # everything that is printed stands beside something


def test_what_was_not_run_is_named_with_the_command_of_its_environment() -> None:
    line = name_subject(transfer.METHODS, "kedro run --env=rsna")
    assert line.beside == "Paper 001, table 1; Paper 001, table 2"
    assert line.command == "kedro run --env=rsna --pipelines=ptl_regression"


def test_an_empty_table_measures_nothing_and_is_no_error() -> None:
    section = tell_subject(hands.MASKS, "phantoms", {"hand_summary": pd.DataFrame({"measure": []})})
    assert section.tables == []
    assert "hand_sheet" in section.figures


def test_tables_of_an_earlier_version_are_named_with_what_makes_them_anew() -> None:
    before = pd.DataFrame({"arm": ["hand"], "mae": [9.0]})
    with pytest.raises(
        ValueError, match=r"regression_study_summary.* have no column .*regression_study again"
    ):
        tell_subject(transfer.ABLATION, "phantoms", dict.fromkeys(transfer.ABLATION.needs, before))


def test_the_ablation_has_a_column_a_group_of_children() -> None:
    cells = {
        ("whole", "all layers", "one for all"): 9.0,
        ("hand", "all layers", "one for all"): 8.0,
        (np.nan, "training median of the sex", np.nan): 40.0,
    }
    errors = summary("tested_on", cells, ("images", "strategy", "networks"))
    of_validation = errors.assign(split="validation", mae=0.0)
    gains = pd.DataFrame(
        {
            "tested_on": ["all", "all", "F"],
            "step": "segmentation",
            "images": "whole > hand",
            "strategy": ["mean of all", "all layers", "mean of all"],
            "networks": ["mean of all", "one for all", "mean of all"],
            "cases": [8, 8, 3],
            "seeds": 3,
            "difference": [-1.0, 5.0, -2.0],
            "difference_low": [-1.5, 5.0, -2.5],
            "difference_high": [-0.5, 5.0, -1.5],
            "difference_sd": 0.1,
        }
    )
    told = tables(
        transfer.ABLATION,
        regression_study_summary=pd.concat([errors, of_validation]),
        regression_study_gains=gains,
    )
    shown = told["ablation"].shown
    assert shown["pictures"].tolist() == ["raw", "segmented", ""]
    assert shown["MAE, girls"].tolist() == [
        "10.0 ± 0.5 (9.0 to 11.0)",
        "9.0 ± 0.5 (8.0 to 10.0)",
        "41.0 ± 0.5 (40.0 to 42.0)",
    ]
    assert shown.iloc[1, -1] == "-1.0 (-2.0 to +0.0)"
    assert told["ablation"].basis.cases == "8 girls and boys, 3 girls, 5 boys of the test part"
    steps = told["ablation_steps"].shown
    assert steps.values.tolist() == [
        ["segmentation", "-1.0 ± 0.1 (-1.5 to -0.5)", "-2.0 ± 0.1 (-2.5 to -1.5)", ""]
    ]


def test_strategies_stand_beside_the_papers_with_their_data() -> None:
    study = summary("cohort", {("all layers",): 9.0, ("PTL",): 9.5}, ("strategy",))
    values = tables(transfer.STRATEGIES, ptl_study_summary=study)["strategies"].values
    assert values["data"].tolist() == ["phantoms", "phantoms", "Paper 001, figures 11 and 12"]
    assert values[["mae_all", "mae_F", "mae_M"]].values.tolist() == [
        [9.0, 10.0, 8.0],
        [9.5, 10.5, 8.5],
        [7.664, 6.263, 5.991],
    ]


def test_rows_of_ours_in_the_papers_tables_say_what_they_are_of() -> None:
    theirs = printed("methods").values.assign(held_out=np.nan)
    ours = theirs.tail(1).assign(method="ours: PTL", held_out=160)
    told = tables(transfer.METHODS, paper_methods=pd.concat([theirs, ours], ignore_index=True))
    shown = told["methods"].shown
    assert shown["data"].tolist() == ["as printed"] * 5 + ["here: phantoms"]
    assert shown["held out"].tolist() == [""] * 5 + ["160"]


def test_self_training_is_told_round_by_round_beside_table_two() -> None:
    rows = [
        {"arm": arm, "seed": seed, "round": number, "test_dice": dice + 0.01 * number + 0.002 * seed}
        for arm, dice in (("top-DSC", 0.9), ("U-Net-10", 0.8))
        for seed in (1, 3)
        for number in range(2)
    ]
    study = pd.DataFrame({"arm": ["top-DSC", "U-Net-10"], "seeds": 2, "cases": 50})
    table = tables(phalanges.STUDY, finger_study_summary=study, finger_study=pd.DataFrame(rows))[
        "self_training"
    ]
    shown = table.shown.set_index(["data", "training"])
    assert shown.loc[("phantoms", "top-DSC")].tolist() == ["0.904 ± 0.003", "0.914 ± 0.003", "", "", "", ""]
    assert shown.loc[("Paper 000, table II", "U-Net-139")].tolist() == ["", "", "", "", "", "0.929"]
    assert table.basis.cases == "50 of the test part"
    assert table.basis.trainings.startswith("2 seeds each")


def test_the_best_settings_of_the_crf_stand_beside_the_papers() -> None:
    tried = pd.DataFrame(
        {
            "bilateral_sigma_px": [10, 20],
            "bilateral_sigma_gray": [10, 10],
            "bilateral_weight": [3, 3],
            "gaussian_sigma_px": [3, 3],
            "gaussian_weight": [3, 0],
            "dice": [0.8, 0.9],
        }
    )
    shown = tables(phalanges.CRF, finger_crf_tried=tried)["crf"].shown
    assert shown["data"].tolist() == [
        "phantoms: best of 2 tried",
        "phantoms: the paper's settings",
        "Paper 000, table I",
    ]
    assert shown["bilateral reach (px)"].tolist() == ["20", "10", "10"]
    assert shown["Dice"].tolist() == ["0.900", "0.800", ""]
    assert shown["Gaussian reach (px)"].tolist() == ["3", "3", ""]


def test_radius_and_ulna_stand_beside_section_four() -> None:
    rows = [
        {"measure": f"{score}_{structure}", "cases": 20, "mean": 0.9, "low": 0.85, "high": 0.95}
        for score in ("precision", "recall", "iou")
        for structure in ("overall", "background", "radius", "ulna")
    ]
    shown = tables(forearm.MASKS, dru_summary=pd.DataFrame(rows))["forearm"].shown
    assert shown["structure"].tolist() == ["overall", "radius", "ulna"] * 2
    assert shown["IoU"].tolist() == ["0.900 (0.850 to 0.950)"] * 3 + ["0.970", "0.966", "0.950"]


def test_bonet_stands_beside_its_paper() -> None:
    study = pd.DataFrame(
        {"arm": "scratch", "split": ["test", "validation"], "cases": [9, 30], "folds": 5, "mae": [12.0, 11.0]}
    )
    table = tables(baseline.BONET, bonet_summary=study)["bonet"]
    assert table.values["mae"].tolist() == [12.0, 9.6, 9.48]
    assert table.values["data"].tolist() == ["phantoms", "Paper 003, abstract", "Paper 003, abstract"]
    assert table.basis.trainings == "5 folds each"


def test_names_of_files_are_not_told() -> None:
    cases = pd.DataFrame({"id": list("abc"), "sex": list("FFM")})
    parts = cohort.count_parts(cases, pd.DataFrame({"id": list("abc"), "split": ["train", "train", "test"]}))
    assert parts.values.tolist() == [["test", 0, 1, 1], ["train", 2, 0, 2]]
    findings = pd.DataFrame({"kind": ["unreadable"], "count": [2], "examples": ["Jane Doe.png"]})
    told = tables(cohort.DATA, cases_by_part=parts, validation_report=findings)
    assert told["findings"].values.to_dict("list") == {"kind": ["unreadable"], "count": [2]}


def test_files_hold_every_table_in_full_with_what_it_rests_on() -> None:
    study = summary("cohort", {("all layers",): 9.0 + 1 / 3, ("PTL",): 9.5}, ("strategy",))
    section = tell_subject(transfer.STRATEGIES, "phantoms", {"ptl_study_summary": study})
    missing = name_subject(baseline.BONET, "kedro run")
    files = evidence_files("Title", "Notice", "phantoms", [section], [missing])
    assert set(files) == {"evidence.json", "strategies.csv"}
    whole = json.loads(files["evidence.json"])
    assert (whole["data"], whole["notice"]) == ("phantoms", "Notice")
    (table,) = whole["tables"]
    assert table["basis"]["data"] == "phantoms"
    assert table["rows"][0]["mae_all"] == pytest.approx(9 + 1 / 3, abs=1e-12)
    assert table["rows"][-1]["mae_all_sd"] is None
    assert whole["not_run"] == [
        {
            "heading": "BoNet, the baseline",
            "beside": "Paper 003, abstract",
            "command": "kedro run --pipelines=bonet",
        }
    ]
    assert whole["printed"]["crf"]["values"][0]["gaussian_sigma_px"] is None
    lines = files["strategies.csv"].splitlines()
    assert len(lines) == 4
    assert "mae_F_low" in lines[0].split(",")
