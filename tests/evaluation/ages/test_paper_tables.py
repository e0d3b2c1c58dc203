import pandas as pd
import pytest

from boneage_kedro.evaluation.ages.paper_tables import OurMethod, methods_table, participants_table

OURS = pd.DataFrame(
    {
        "model": ["guess", "ptl", "ptl", "ptl"],
        "cohort": ["all", "all", "F", "M"],
        "cases": [160, 160, 75, 85],
        "mae": [30.0, 8.0, 7.5, 8.5],
    }
)


def test_our_row_stands_below_the_papers() -> None:
    table = methods_table(OURS, [OurMethod("ptl", "paced transfer learning, 256 px", 999, 12)])
    assert table["dataset_size"].tolist() == [1100, 1400, 9325, 12611, 12611, 999]
    ours = table.iloc[-1]
    assert ours[["method", "mae", "mae_girls", "mae_boys", "epochs", "held_out"]].tolist() == [
        "ours: ptl",
        8.0,
        7.5,
        8.5,
        "12",
        160,
    ]
    assert table["held_out"].isna().tolist() == [True] * 5 + [False]
    lee = table[table["method"] == "Lee et al."].iloc[0]
    assert (lee["mae_girls"], lee["mae_boys"]) == (9.84, 11.16)


def test_the_board_rises_and_ends_with_the_paper_and_us() -> None:
    table = participants_table(OURS, ["ptl"])
    assert table["mae"][:10].is_monotonic_increasing
    assert table["rank"].tolist() == [str(i) for i in range(1, 11)] + ["-", "-"]
    assert table["user"].tolist()[-2:] == ["paper 001", "ours: ptl"]
    assert table[["mae_girls", "mae_boys"]].iloc[-2].tolist() == [6.263, 5.991]


def test_a_baseline_has_a_row_of_its_own_above_ours() -> None:
    methods = methods_table(
        OURS, [OurMethod("guess", "a guess", 500, 0), OurMethod("ptl", "a network", 999, 12)]
    )
    assert methods["method"].tolist()[-2:] == ["ours: guess", "ours: ptl"]
    assert methods[["dataset_size", "mae", "epochs"]].values.tolist()[-2:] == [
        [500, 30.0, "0"],
        [999, 8.0, "12"],
    ]
    assert participants_table(OURS, ["guess", "ptl"])["mae"].tolist()[-2:] == [30.0, 8.0]


def test_a_network_of_one_sex_leaves_the_others_empty() -> None:
    girls = OURS[OURS["cohort"] == "F"]
    row = methods_table(girls, [OurMethod("ptl", "girls alone", 400, 3)]).iloc[-1]
    assert row["mae_girls"] == 7.5
    assert pd.isna(row["mae"])
    assert row["held_out"] == 75


def test_an_unknown_model_is_told() -> None:
    with pytest.raises(ValueError, match="no figures of model 'bonet'; there are guess, ptl"):
        participants_table(OURS, ["ptl", "bonet"])
