import pandas as pd
import pytest

from boneage_kedro.evaluation.studies.pacing_figures import strategy_bars, strategy_curves

PACED = {"all layers": ["all"] * 3, "PTL": ["head", "exit", "exit"]}


def histories(seeds: list[int]) -> pd.DataFrame:
    rows = [
        {
            "strategy": strategy,
            "cohort": cohort,
            "seed": seed,
            "epoch": epoch,
            "stage": stage,
            "train_mae_months": 30.0 + seed - epoch,
            "validation_mae_months": 20.0 + 2 * seed - epoch,
        }
        for cohort in ("all", "M")
        for strategy, stages in PACED.items()
        for seed in seeds
        for epoch, stage in enumerate(stages)
    ]
    return pd.DataFrame(rows)


def test_curves_are_means_over_seeds_with_rings_where_more_blocks_learn() -> None:
    figure = strategy_curves(histories([1, 3]), "Loss, phantoms")
    assert [axis.get_title() for axis in figure.axes] == ["girls and boys", "boys", "", ""]
    assert figure.get_suptitle() == "Loss, phantoms"
    training, validation = figure.axes[0], figure.axes[2]
    plain, none, paced, rings = training.get_lines()
    assert plain.get_xydata().tolist() == paced.get_xydata().tolist() == [[1, 32], [2, 31], [3, 30]]
    assert validation.get_lines()[0].get_ydata().tolist() == [24, 23, 22]
    assert len(none.get_xdata()) == 0
    assert rings.get_xydata().tolist() == [[2, 31]]
    band = training.collections[0].get_paths()[0].vertices
    assert (band[:, 1].min(), band[:, 1].max()) == (29, 33)


def test_a_single_seed_has_curves_and_bars_without_a_spread() -> None:
    band = strategy_curves(histories([1]), "").axes[0].collections[0].get_paths()[0].vertices
    assert band[:, 1].tolist() == pytest.approx([31, 31, 30, 29, 29, 29, 30, 31, 31])
    errors = pd.DataFrame([{"strategy": "PTL", "cohort": "F", "seed": 1, "mae": 9.0}])
    axis = strategy_bars(errors, {"F": 30.0}, "Error, phantoms").axes[0]
    assert [bar.get_height() for bar in axis.patches] == [9.0]


def test_bars_are_means_over_seeds_with_a_dot_for_each() -> None:
    errors = pd.DataFrame(
        [
            {"strategy": strategy, "cohort": cohort, "seed": seed, "mae": mae + seed}
            for strategy, mae in (("all layers", 10.0), ("PTL", 12.0))
            for cohort in ("all", "F")
            for seed in (1, 3)
        ]
    )
    axis = strategy_bars(errors, {"all": 30.0, "F": 31.25}, "Error, phantoms").axes[0]
    assert [bar.get_height() for bar in axis.patches] == [12, 12, 14, 14]
    dots = [line.get_ydata().tolist() for line in axis.get_lines() if line.get_marker() == "o"]
    assert dots == [[11, 13], [11, 13], [13, 15], [13, 15]]
    names = [label.get_text() for label in axis.get_xticklabels()]
    assert names == ["girls and boys\nconstant guess: 30.0", "girls\nconstant guess: 31.2"]
    assert axis.get_title() == "Error, phantoms"
