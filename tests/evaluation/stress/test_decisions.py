import numpy as np
import pandas as pd
import pytest

from boneage_kedro.evaluation.stress.decisions import compare_stress, count_changed
from boneage_kedro.evaluation.stress.figures import stress_bars, stress_sheet
from boneage_kedro.imaging.changes.stress import UNCHANGED, list_transformations
from tests.imaging.changes.stress_settings import SETTINGS

SD_OF_BOYS_AT_10 = 9.79


def boys(count: int) -> pd.DataFrame:
    """Boys whose reading is 10 years."""
    return pd.DataFrame({"id": [f"c{i:02}" for i in range(count)], "sex": "M", "bone_age_months": 120.0})


def predicted(cases: pd.DataFrame, **errors: list[float]) -> pd.DataFrame:
    """Predictions that err by so many months, a transformation a keyword."""
    parts = [
        pd.DataFrame(
            {
                "id": cases["id"],
                "kind": name if name == UNCHANGED else f"kind of {name}",
                "transformation": name,
                "predicted_months": cases["bone_age_months"] + months,
                "picture_change": 0.0 if name == UNCHANGED else 0.25,
                "reasons": "",
            }
        )
        for name, months in errors.items()
    ]
    return pd.concat(parts, ignore_index=True)


def compare(predictions: pd.DataFrame, cases: pd.DataFrame) -> pd.DataFrame:
    return compare_stress(predictions, cases, "chronological_age", 1).set_index("transformation")


def test_changes_by_hand() -> None:
    cases = boys(4)
    row = compare(predicted(cases, unchanged=[2, -2, 4, 0], turned=[10, -2, -3, 13]), cases).loc["turned"]
    assert row["cases"] == 4
    assert row["mae"] == 7.0
    assert row["mae_change"] == 5.0  # of 8, 0, -1 and 13
    assert row["mae_change_low"] < 5 < row["mae_change_high"]
    assert row["bias_change"] == 3.5  # of 8, 0, -7 and 13
    assert row["mean_change"] == 7.0
    assert (row["over_6"], row["over_12"]) == (0.75, 0.25)
    assert (row["kind"], row["picture_change"], row["refused"]) == ("kind of turned", 0.25, 0)


def test_a_reading_without_a_chronological_age_is_taken_for_usual() -> None:
    cases, limit = boys(4), 2 * SD_OF_BOYS_AT_10
    table = predicted(
        cases,
        unchanged=[0, 0, limit + 0.1, -limit - 0.1],
        turned=[limit - 0.1, -limit - 0.1, 0, -limit - 0.1],
    )
    row = compare(table, cases).loc["turned"]
    assert (row["judged"], row["errors_before"], row["errors_after"]) == (4, 2, 2)
    assert (row["gained"], row["lost"]) == (1, 1)


def test_the_chronological_age_decides_where_it_is_known() -> None:
    # at 8 years (SD 9.10) a reading of 10 is advanced, at 10 usual; a prediction of 9 is usual for both
    cases = boys(3).assign(chronological_age_months=[96.0, 120.0, np.nan])
    row = compare(predicted(cases, unchanged=[0, 0, 0], turned=[-12, -12, -12]), cases).loc["turned"]
    assert (row["errors_before"], row["errors_after"], row["judged"]) == (0, 1, 3)


def test_the_other_centre_may_turn_a_verdict() -> None:
    cases = boys(1).assign(chronological_age_months=[108.0])  # 9 years: mean 113.90, SD 9.00
    table = predicted(cases, unchanged=[0], turned=[7])  # 127: 2.1 SD above 9 years, 1.5 above the mean
    from_age, from_mean = (
        compare_stress(table, cases, centre, 1)["errors_after"][0]
        for centre in ("chronological_age", "mean_bone_age")
    )
    assert (from_age, from_mean) == (1, 0)


def test_outside_the_clinical_table_nothing_is_judged() -> None:
    cases = boys(2).assign(bone_age_months=[210.0, 120.0])
    row = compare(predicted(cases, unchanged=[0, 0], turned=[-60, -60]), cases).loc["turned"]
    assert (row["cases"], row["judged"], row["errors_after"]) == (2, 1, 1)


def test_refused_pictures_count_as_refused_and_not_as_errors() -> None:
    cases, nan = boys(4), float("nan")
    table = predicted(cases, unchanged=[0, 0, 0, nan], turned=[1, nan, 50, 1], lost=[nan] * 4)
    summary = compare(table, cases)
    turned, lost = summary.loc["turned"], summary.loc["lost"]
    assert turned["cases"] == 2  # the one never read does not count at all
    assert turned["refused"] == pytest.approx(1 / 3)
    assert (turned["mae"], turned["errors_after"]) == (25.5, 1)
    assert (lost["cases"], lost["refused"], lost["p_value"]) == (0, 1, 1)
    assert np.isnan(lost["mae_change"])


def test_what_would_be_called_indeterminate_is_noticed() -> None:
    cases = boys(4)
    table = predicted(cases, unchanged=[0, 0, 0, 0], turned=[60, 60, 8, 0])
    table.loc[(table["transformation"] == "turned") & table["id"].isin(["c00", "c03"]), "reasons"] = "strange"
    row = compare(table, cases).loc["turned"]
    assert (row["indeterminate"], row["over_12"], row["over_12_unnoticed"]) == (0.5, 0.5, 0.25)
    assert (row["errors_after"], row["errors_unnoticed"]) == (2, 1)


def test_the_headline_counts_what_changes_the_number_of_errors() -> None:
    cases = boys(12)
    table = predicted(
        cases,
        unchanged=[0.0] * 12,
        harmless=[1.0] * 12,
        some=[30.0] * 6 + [0.0] * 6,  # p = 2 / 64, not enough after Holm
        all=[30.0] * 12,  # p = 2 / 4096
    )
    summary = compare(table, cases)
    assert summary["p_value"].tolist() == pytest.approx([1, 2 / 64, 2 / 4096])
    assert summary["p_holm"].tolist() == pytest.approx([1, 2 * 2 / 64, 3 * 2 / 4096])
    assert count_changed(summary) == {
        "transformations": 3,
        "changed": 2,
        "changed_share": pytest.approx(2 / 3),
        "changed_corrected": 1,
        "changed_share_corrected": pytest.approx(1 / 3),
        "mae_changed": 3,
    }


def test_wrong_tables_are_refused() -> None:
    cases = boys(2)
    table = predicted(cases, unchanged=[0, 0], turned=[1, 1])
    with pytest.raises(ValueError, match="no predictions for the unchanged pictures"):
        compare(predicted(cases, turned=[1, 1]), cases)
    with pytest.raises(ValueError, match="none of the 2 unchanged pictures has an age"):
        compare(predicted(cases, unchanged=[float("nan")] * 2, turned=[1, 1]), cases)
    with pytest.raises(ValueError, match="case c00 is there twice for unchanged"):
        compare(pd.concat([table, table]), cases)
    with pytest.raises(ValueError, match=r"1 predicted ids are no cases, such as \['c01'\]"):
        compare(table, cases.head(1))


def test_bars_show_significance_and_errors() -> None:
    cases = boys(12)
    table = predicted(
        cases, unchanged=[10.0] * 12, same=[10.0] * 12, worse=[30.0] * 12, better=[0.0] * 11 + [float("nan")]
    )
    figure = stress_bars(compare_stress(table, cases, "chronological_age", 1), "stress")
    axis = figure.axes[0]
    colours = [patch.get_facecolor()[:3] for patch in axis.patches]
    assert len(set(colours)) == 3
    texts = [text.get_text() for text in axis.texts]
    assert texts[:3] == ["0 → 0 (0)", "0 → 12** (12)", "0 → 0 (0), 8% refused"]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["same", "worse", "better"]


def test_the_sheet_has_a_picture_of_each_transformation() -> None:
    transformations = list_transformations(SETTINGS)[::6]
    pixels = np.linspace(0, 4095, 600).reshape(30, 20).astype(np.uint16)
    figure = stress_sheet(pixels, transformations, 4, "stress")
    drawn = [axis for axis in figure.axes if axis.images]
    assert [axis.get_title() for axis in drawn] == [one.name for one in transformations]
    assert drawn[0].images[0].get_array().max() == 255
