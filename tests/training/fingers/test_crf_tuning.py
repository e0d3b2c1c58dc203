import pytest
import torch

from boneage_kedro.masks.crf_settings import CrfSettings
from boneage_kedro.training.fingers.crf_tuning import CrfSample, refined_dice, tune_crf


@pytest.fixture
def settings() -> CrfSettings:
    """A start that does nothing."""
    return {
        "backend": "torch",
        "bilateral_sigma_px": 5.0,
        "bilateral_sigma_gray": 10.0,
        "bilateral_weight": 0.0,
        "gaussian_sigma_px": 1.0,
        "gaussian_weight": 0.0,
        "steps": 5,
        "tolerance": 0.0,
    }


@pytest.fixture
def samples() -> list[CrfSample]:
    """Bright squares whose soft labels are noisy; the picture shows the edge."""
    found = []
    for seed in range(2):
        truth = torch.zeros(24, 24, dtype=torch.uint8)
        truth[6:18, 6 + seed : 18] = 1
        noise = torch.randn(24, 24, generator=torch.Generator().manual_seed(seed))
        foreground = (2 * truth.float() - 1 + noise).sigmoid()
        found.append(
            CrfSample(f"s{seed}", torch.stack([1 - foreground, foreground]), 50 + 100 * truth, truth)
        )
    return found


def test_tuning_finds_weights_that_help(samples: list[CrfSample], settings: CrfSettings) -> None:
    grid = {"bilateral_weight": [0.0, 3.0], "gaussian_weight": [0.0, 1.0]}
    best, tried = tune_crf(samples, settings, grid)
    start = refined_dice(samples, settings)
    assert best["bilateral_weight"] == 3.0
    assert refined_dice(samples, best) == tried["dice"].max() > start + 0.05
    assert list(tried.columns) == ["bilateral_weight", "gaussian_weight", "dice"]
    assert tuple(tried.iloc[0]) == (0.0, 0.0, start)
    assert not tried.duplicated(list(grid)).any()
    assert {key: best[key] for key in settings if key not in grid} == {  # type: ignore
        key: settings[key]
        for key in settings
        if key not in grid  # type: ignore
    }


def test_start_stays_when_nothing_is_better(samples: list[CrfSample], settings: CrfSettings) -> None:
    settings["bilateral_weight"] = 3.0
    best, tried = tune_crf(samples, settings, {"bilateral_weight": [0.0]})
    assert best == settings
    assert len(tried) == 2


def test_tuning_twice_gives_the_same(samples: list[CrfSample], settings: CrfSettings) -> None:
    grid = {"gaussian_weight": [0.5, 1.0], "bilateral_weight": [1.0, 2.0]}
    (first, table), (second, again) = (tune_crf(samples, settings, grid) for _ in range(2))
    assert first == second
    assert table.equals(again)


def test_empty_grid_tries_the_start_alone(samples: list[CrfSample], settings: CrfSettings) -> None:
    best, tried = tune_crf(samples, settings, {})
    assert best == settings
    assert len(tried) == 1


def test_bad_samples(samples: list[CrfSample], settings: CrfSettings) -> None:
    with pytest.raises(ValueError, match="no samples"):
        tune_crf([], settings, {})
    wrong = CrfSample("s9", samples[0].probabilities, samples[0].image, samples[0].truth[:-1])
    with pytest.raises(ValueError, match=r"s9: truth \(23, 24\) does not match image \(24, 24\)"):
        tune_crf([wrong], settings, {})
