import numpy as np
import pandas as pd
import pytest

from boneage_kedro.evaluation.ages.error_groups import errors_by_group
from boneage_kedro.evaluation.studies.group_figures import group_errors


def study() -> pd.DataFrame:
    """Two arms and two folds: a girl of 1 year, a girl and a boy of 3, errors of 1, 2 and 6 months times the fold."""
    cases = pd.DataFrame(
        {"id": list("abc"), "sex": list("FFM"), "race": ["x", "", "y"], "bone_age_months": [12.0, 36, 36]}
    )
    errors = np.array([1.0, -2, 6])
    tables = [
        cases.assign(
            arm=arm,
            fold=fold,
            split="test",
            predicted_months=cases["bone_age_months"] + scale * fold * errors,
        )
        for fold in (1, 2)
        for arm, scale in (("plain", 1), ("better", 0.5))
    ]
    return pd.concat(tables, ignore_index=True)


def test_errors_by_hand() -> None:
    table = errors_by_group(study(), 24, "fold")
    plain = table[table["arm"] == "plain"].set_index(["age_band", "sex", "race"])
    assert plain["mae"].to_dict() == pytest.approx(
        {
            ("all", "all", "all"): 4.5,
            ("all", "F", "all"): 2.25,
            ("all", "M", "all"): 9,
            ("0-2 y", "all", "all"): 1.5,
            ("2-4 y", "all", "all"): 6,
            ("0-2 y", "F", "all"): 1.5,
            ("2-4 y", "F", "all"): 3,
            ("2-4 y", "M", "all"): 9,
            ("all", "all", "x"): 1.5,
            ("all", "all", "y"): 9,
        }
    )
    assert plain.loc[("all", "all", "all"), "cases"] == 3
    assert plain.loc[("all", "M", "all"), "mae_sd"] == pytest.approx(np.sqrt(18))
    better = table[table["arm"] == "better"].set_index(["age_band", "sex", "race"])
    assert (better["mae"] * 2 == plain["mae"]).all()
    assert list(dict.fromkeys(table["arm"])) == ["plain", "better"]


def test_without_race_there_is_no_column_of_it() -> None:
    table = errors_by_group(study().drop(columns="race"), 24, "fold")
    assert table.columns.tolist() == ["arm", "split", "age_band", "sex", "cases", "mae", "mae_sd"]
    assert len(table) == 2 * 8


def test_the_figure_has_a_panel_a_sex_and_one_of_all_ages() -> None:
    figure = group_errors(errors_by_group(study(), 24, "fold"), "phantoms")
    labels = {
        axis.get_title(): [label.get_text() for label in axis.get_xticklabels()] for axis in figure.axes
    }
    assert labels == {
        "girls": ["0-2 y\n1", "2-4 y\n1"],
        "boys": ["2-4 y\n1"],
        "all ages": ["all\n3", "girls\n2", "boys\n1", "x\n1", "y\n1"],
    }
    assert figure.get_suptitle() == "phantoms"
