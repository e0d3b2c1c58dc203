import numpy as np
import pandas as pd
import pytest

from boneage_kedro.evaluation.ages.fold_intervals import calibrate_network
from boneage_kedro.evaluation.ages.intervals import calibrate
from tests.evaluation.ages.test_intervals import settings
from tests.evaluation.made_up_errors import predictions


def ensemble_of_two(count: int) -> pd.DataFrame:
    """Networks that err by 10 months each, in calibration and test to one side and the other by 10 and 5."""
    table = predictions(count, 0).assign(
        split=np.resize(["train", "validation", "calibration", "test"], count)
    )
    truth = table["bone_age_months"]
    learnt = table["split"].isin(["train", "validation"]).to_numpy()
    first = np.arange(count) // 4 % 2 == 0
    table["member_1_months"] = (truth + 10).where(~learnt | first)
    table["member_2_months"] = (truth - 5).where(~learnt, truth - 10).where(~learnt | ~first)
    return table.assign(predicted_months=table[["member_1_months", "member_2_months"]].mean(axis=1))


def test_a_single_network_is_calibrated_on_the_calibration_part() -> None:
    table = predictions(80, 1).assign(split=["calibration", "test"] * 40)
    own = calibrate(table[table["split"] == "calibration"], settings())
    assert calibrate_network(table, settings()) == own


def test_intervals_of_an_ensemble_are_those_of_its_networks_narrowed_as_it_is_better() -> None:
    calibration = calibrate_network(ensemble_of_two(400), settings())
    assert calibration.cases == 200
    # networks err by (10 + 5) / 2 in the calibration part, their mean by 2.5
    assert calibration.groups[0].radius == pytest.approx(10 * 2.5 / 7.5)


def test_an_ensemble_needs_a_calibration_part() -> None:
    table = ensemble_of_two(40)
    with pytest.raises(ValueError, match="ensemble of folds needs a calibration part"):
        calibrate_network(table[table["split"] != "calibration"], settings())
