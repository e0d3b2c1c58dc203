"""Quality of pictures against hand-computed values."""

import numpy as np
import pandas as pd
import pytest

from boneage_kedro.evaluation.enhancement.image_quality import (
    Graded,
    compare_methods,
    grade,
    psnr,
    quality_table,
    spread,
    ssim,
    tone,
)

INSIDE = np.zeros((32, 32), bool)
INSIDE[8:24, 8:24] = True


def noise(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((32, 32), np.float32)


def test_psnr_of_an_even_error() -> None:
    gold = np.full((32, 32), 0.5, np.float32)
    assert psnr(gold + np.float32(0.1), gold, INSIDE) == pytest.approx(20, abs=1e-4)


def test_only_the_hand_counts() -> None:
    gold = noise()
    other = np.where(INSIDE, gold, 0)
    assert psnr(other, gold, INSIDE) == float("inf")
    assert tone(other, INSIDE) == tone(gold, INSIDE)


def test_ssim_is_one_for_equal_pictures_and_falls_with_noise() -> None:
    gold = np.linspace(0, 1, 32, dtype=np.float32)[None].repeat(32, 0)
    slight, strong = (gold + np.float32(share) * (noise() - np.float32(0.5)) for share in (0.1, 0.5))
    assert ssim(gold, gold, INSIDE) == pytest.approx(1)
    assert 1 > ssim(slight, gold, INSIDE) > ssim(strong, gold, INSIDE) > 0


def test_ssim_of_two_flat_pictures_is_the_term_of_luminance() -> None:
    x, y = (np.full((32, 32), level, np.float32) for level in (0.4, 0.6))
    assert ssim(x, y, INSIDE) == pytest.approx((2 * 0.24 + 1e-4) / (0.16 + 0.36 + 1e-4), rel=1e-5)


def test_tone_by_hand() -> None:
    picture, inside = np.array([[0.1, 0.2, 0.3, 0.9]]), np.array([[True, True, True, False]])
    assert tone(picture, inside) == pytest.approx(
        {"mean": 0.2, "contrast": np.sqrt(0.02 / 3), "robust_contrast": 0.14826}
    )


def test_no_hand_has_no_quality() -> None:
    nowhere = np.zeros((32, 32), bool)
    assert np.isnan([psnr(noise(), noise(1), nowhere), ssim(noise(), noise(1), nowhere)]).all()
    assert np.isnan(list(tone(noise(), nowhere).values())).all()


def test_spread_by_hand() -> None:
    assert spread(pd.Series([1.0, 2.0, 3.0, 4.0, 5.0, np.nan])) == pytest.approx(
        {"sd": np.sqrt(2.5), "cv": np.sqrt(2.5) / 3, "iqr": 2}
    )


def test_a_row_a_method_in_order_and_less_spread_for_the_evener_one() -> None:
    uneven = [Graded("input", str(i), noise(i) * np.float32(0.2 * i), INSIDE, noise(i)) for i in range(1, 5)]
    even = [one._replace(method="even", picture=noise(int(one.key))) for one in uneven]
    table = quality_table(grade([*uneven, *even])).set_index("method")
    assert list(table.index) == ["input", "even"]
    assert (table["images"] == 4).all()
    assert table.loc["even", "mean_cv"] < table.loc["input", "mean_cv"] / 4
    assert table.loc["even", "psnr"] == float("inf")


def test_without_gold_only_the_tone_is_told() -> None:
    table = quality_table(grade([Graded("input", "a", noise(), INSIDE, None)]))
    assert np.isnan(table.loc[0, ["psnr", "ssim"]].astype(float)).all()
    assert 0.3 < table.loc[0, "mean"] < 0.7


def test_arms_are_compared_over_seeds() -> None:
    rows = [
        ("gan", 1, "pairs", 20.0, 0.8, 0.5, 0.2, None),
        ("gan", 1, "pairs", 22.0, 0.9, 0.5, 0.2, None),
        ("gan", 2, "pairs", 25.0, 0.9, 0.5, 0.2, None),
        ("gan", 1, "hands", np.nan, np.nan, 0.4, 0.1, True),
        ("gan", 1, "hands", np.nan, np.nan, 0.6, 0.1, False),
        ("gan", 2, "hands", np.nan, np.nan, 0.5, 0.1, True),
        ("gan", 2, "hands", np.nan, np.nan, 0.5, 0.3, True),
        ("identity", 0, "pairs", 15.0, 0.5, 0.5, 0.2, None),
        ("identity", 0, "hands", np.nan, np.nan, 0.5, 0.2, True),
    ]
    columns = ["arm", "seed", "pictures", "psnr", "ssim", "mean", "contrast", "kept"]
    table = compare_methods(pd.DataFrame(rows, columns=columns)).set_index("arm")
    assert table.index.tolist() == ["gan", "identity"]
    gan = table.loc["gan"]
    assert gan[["seeds", "pairs", "hands"]].tolist() == [2, 1.5, 2]  # of a seed
    assert gan["psnr"] == pytest.approx((21 + 25) / 2)
    assert gan["psnr_over_seeds"] == pytest.approx(4 / np.sqrt(2))
    assert gan["mean_sd"] == pytest.approx((0.2 / np.sqrt(2) + 0) / 2)
    assert gan["contrast_sd"] == pytest.approx((0 + 0.2 / np.sqrt(2)) / 2)
    assert gan["kept"] == pytest.approx(0.75)
    assert np.isnan(table.loc["identity", "psnr_over_seeds"])
