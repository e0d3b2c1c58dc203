from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import torch

from boneage_kedro.cohort.sex import Sex
from boneage_kedro.evaluation.stress.decisions import compare_stress
from boneage_kedro.imaging.changes.stress import (
    UNCHANGED,
    StressSettings,
    Transformation,
    list_transformations,
)
from boneage_kedro.imaging.preparation.prepare import PreparationSettings, Prepared
from boneage_kedro.imaging.sources import RadiographFolder
from boneage_kedro.models.regressor import AgeRegressor, RegressorConfig
from boneage_kedro.phantom import Nuisance, fabricate_hand
from boneage_kedro.reading.stress import Answers, StressTest, network_predictor, run_stress
from boneage_kedro.training.ages.regression import build_regressor
from boneage_kedro.training.ages.views import PLAIN
from boneage_kedro.training.checkpoint import CheckpointFile
from tests.imaging.changes.stress_settings import AS_SHIPPED, SETTINGS
from tests.packages import package_of, untrained
from tests.training.killing import Killed, KillingFile

PREPARATION: PreparationSettings = {**AS_SHIPPED, "canvas_px": 64}
FEW: StressSettings = {
    **SETTINGS,
    "rotation_deg": [90.0],
    "flip": [],
    "laterality": False,
    "brightness": [-0.3],
    "contrast": [],
    "gamma": [],
    "clip_limit": [],
    "resolution": [],
    "width": [],
    "marker": [],
    "text_lines": [],
    "noise": [0.05],
    "blur": [],
    "jpeg_quality": [],
    "cut_top": [],
    "cut_bottom": [],
    "cut_sides": [],
    "black_frame": [],
    "white_frame": [],
}
TRANSFORMATIONS = list_transformations(FEW)  # unchanged, turned, negative, darker, noisy


class Brightness:
    """A predictor that takes the mean gray value for the age, a year more for boys, and notes its batches.

    It does not rely on ages of boys.
    """

    def __init__(self) -> None:
        self.batches: list[int] = []

    def __call__(self, prepared: list[Prepared], is_male: np.ndarray) -> Answers:
        self.batches.append(len(prepared))
        ages = np.array([one.image.mean() for one in prepared]) + 12.0 * is_male
        return Answers(ages.tolist(), ["a boy" if male else "" for male in is_male])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("hands")
    for number, sex in enumerate((Sex.FEMALE, Sex.MALE, Sex.FEMALE)):
        hand = fabricate_hand(80 + 40 * number, sex, number, 128, Nuisance())
        cv2.imwrite(str(path / f"c{number}.png"), hand.image)
    (path / "torn.png").write_bytes((path / "c0.png").read_bytes()[:500])
    return path


@pytest.fixture
def cases() -> pd.DataFrame:
    return pd.DataFrame({"id": ["c0", "torn", "c1", "gone", "c2"], "sex": ["F", "M", "M", "F", "F"]})


def run(
    cases: pd.DataFrame,
    folder: Path,
    checkpoint: CheckpointFile,
    predict: Brightness | None = None,
    name: str = "brightness",
    transformations: list[Transformation] = TRANSFORMATIONS,
) -> Iterator[pd.DataFrame]:
    test = StressTest(predict or Brightness(), name, PREPARATION, batch_size=2, workers=2)
    return run_stress(cases, RadiographFolder(folder), transformations, test, checkpoint)


def test_every_case_is_predicted_in_every_transformation(
    cases: pd.DataFrame, folder: Path, tmp_path: Path
) -> None:
    tables = list(run(cases, folder, CheckpointFile(tmp_path / "stress.pt")))
    assert [len(table) for table in tables] == [5, 10, 15, 20, 25]
    table = tables[-1]
    assert table["id"].tolist() == cases["id"].tolist() * 5
    plain, turned, negative, darker, noisy = (part for _, part in table.groupby("transformation", sort=False))
    assert (plain["picture_change"].dropna() == 0).all()
    good = plain["id"].isin(["c0", "c1", "c2"])
    for absorbed in (turned, negative):
        change = absorbed["predicted_months"].to_numpy() - plain["predicted_months"].to_numpy()
        assert np.abs(change[good]).max() < 1
        assert absorbed["picture_change"].max() < 0.01
    assert darker["picture_change"].min() > 0.02
    assert noisy["picture_change"].min() > 0.01
    assert set(table.loc[table["reasons"] == "a boy", "id"]) == {"c1"}


def test_the_sex_of_the_case_is_told(cases: pd.DataFrame, folder: Path, tmp_path: Path) -> None:
    as_boy = cases.assign(sex="M")
    first, second = (
        next(run(table, folder, CheckpointFile(tmp_path / name)))["predicted_months"]
        for table, name in ((cases, "a.pt"), (as_boy, "b.pt"))
    )
    assert (second - first).tolist() == pytest.approx([12, np.nan, 0, np.nan, 12], nan_ok=True)


def test_what_speaks_against_a_picture_is_a_reason_as_for_assess(folder: Path, tmp_path: Path) -> None:
    hand = cv2.imread(str(folder / "c0.png"), cv2.IMREAD_GRAYSCALE)
    cv2.imwrite(str(tmp_path / "both.png"), np.hstack([hand, hand[:, ::-1]]))
    case = pd.DataFrame({"id": ["both"], "sex": ["M"]})
    (row,) = next(run(case, tmp_path, CheckpointFile(tmp_path / "stress.pt"))).to_dict("records")
    assert "is there a second hand?" in row["reasons"]
    assert row["reasons"].endswith("; a boy")


def test_what_cannot_be_read_is_a_row_with_the_reason(
    cases: pd.DataFrame, folder: Path, tmp_path: Path
) -> None:
    table = next(run(cases, folder, CheckpointFile(tmp_path / "stress.pt"))).set_index("id")
    assert table["predicted_months"].isna().tolist() == [False, True, False, True, False]
    assert "torn.png" in table.loc["torn", "warnings"]
    assert table.loc["gone", "warnings"] == "there is no radiograph named gone"
    nothing = next(run(cases[cases["id"] == "gone"], folder, CheckpointFile(tmp_path / "none.pt")))
    assert nothing["predicted_months"].isna().all()


def test_batches_hold_no_more_than_they_may(cases: pd.DataFrame, folder: Path, tmp_path: Path) -> None:
    predict = Brightness()
    list(run(cases, folder, CheckpointFile(tmp_path / "stress.pt"), predict))
    assert max(predict.batches) <= 2
    assert sum(predict.batches) == 3 * len(TRANSFORMATIONS)


def test_a_killed_run_goes_on_and_ends_alike(cases: pd.DataFrame, folder: Path, tmp_path: Path) -> None:
    unbroken = list(run(cases, folder, CheckpointFile(tmp_path / "whole.pt")))[-1]
    broken = KillingFile(tmp_path / "broken.pt")
    KillingFile.saves_left = [3]
    with pytest.raises(Killed):
        list(run(cases, folder, broken))
    predict = Brightness()
    resumed = list(run(cases, folder, CheckpointFile(broken.path), predict))[-1]
    pd.testing.assert_frame_equal(resumed, unbroken)
    assert sum(predict.batches) == 3 * 2  # three of five were done


@pytest.mark.parametrize("other", ["predictor", "cases", "file", "seed"])
def test_what_something_else_made_is_not_taken(
    other: str, cases: pd.DataFrame, folder: Path, tmp_path: Path
) -> None:
    checkpoint = CheckpointFile(tmp_path / "stress.pt")
    for name in ("c0", "c1", "c2"):
        (tmp_path / f"{name}.png").write_bytes((folder / f"{name}.png").read_bytes())
    list(run(cases, tmp_path, checkpoint))
    name = "another" if other == "predictor" else "brightness"
    table = cases.head(3) if other == "cases" else cases
    if other == "file":
        (tmp_path / "c0.png").write_bytes((folder / "c1.png").read_bytes())
    transformations = list_transformations({**FEW, "seed": 8}) if other == "seed" else TRANSFORMATIONS
    predict = Brightness()
    list(run(table, tmp_path, checkpoint, predict, name, transformations))
    assert sum(predict.batches) == table["id"].isin(["c0", "c1", "c2"]).sum() * len(TRANSFORMATIONS)


def test_the_table_can_be_compared(cases: pd.DataFrame, folder: Path, tmp_path: Path) -> None:
    table = list(run(cases, folder, CheckpointFile(tmp_path / "stress.pt")))[-1]
    summary = compare_stress(table, cases.assign(bone_age_months=100.0), "chronological_age", 1)
    assert summary["transformation"].tolist() == [
        one.name for one in TRANSFORMATIONS if one.kind != UNCHANGED
    ]
    assert (summary["cases"] == 3).all()


def test_a_network_predicts_one_picture_as_in_a_batch(
    cases: pd.DataFrame, folder: Path, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    model = AgeRegressor(RegressorConfig("tf_efficientnet_lite0", 32, 120.0, 40.0, 0.5))
    reliability = package_of(model, PREPARATION, PLAIN).reliability
    predict = network_predictor(model.train(), reliability, torch.device("cpu"))
    tables = []
    for batch_size in (1, 3):
        test = StressTest(predict, "network", PREPARATION, batch_size, workers=1)
        checkpoint = CheckpointFile(tmp_path / f"{batch_size}.pt")
        tables += [next(run_stress(cases, RadiographFolder(folder), TRANSFORMATIONS[:1], test, checkpoint))]
    one, three = (table["predicted_months"].dropna().to_numpy() for table in tables)
    assert len(one) == 3
    assert one == pytest.approx(three, abs=1e-3)


def test_a_network_says_which_ages_must_not_be_relied_on(
    cases: pd.DataFrame, folder: Path, tmp_path: Path
) -> None:
    package = untrained(PREPARATION)
    package.familiarity.weights["threshold"].fill_(0)
    model, judged = build_regressor(*package.age), package.reliability
    test = StressTest(
        network_predictor(model, judged, torch.device("cpu")), "network", PREPARATION, 2, workers=1
    )
    checkpoint = CheckpointFile(tmp_path / "stress.pt")
    table = next(run_stress(cases, RadiographFolder(folder), TRANSFORMATIONS, test, checkpoint))
    read = table.dropna(subset=["predicted_months"])
    assert len(read) == 3
    assert read["reasons"].str.contains("the picture is unlike those the network learnt from").all()
    assert (table.drop(read.index)["reasons"] == "").all()
