import numpy as np
import pytest
import torch

from boneage_kedro.models.regressor import AgeRegressor, RegressorConfig
from boneage_kedro.training.ages.familiarity import fit_familiarity, pool, pooled_features, unfamiliar_reason
from boneage_kedro.training.batches import AgeSamples


def features(count: int, seed: int) -> torch.Tensor:
    return torch.randn(count, 10, generator=torch.Generator().manual_seed(seed))


def test_false_alarms_are_as_rare_as_asked() -> None:
    detector, report = fit_familiarity(features(500, 0), features(199, 1), {"false_alarms": 0.05})
    alarms = detector.is_far(detector(features(4000, 2))).float().mean()
    assert alarms == pytest.approx(0.05, abs=0.03)
    on_calibration = detector.is_far(detector(features(199, 1))).sum()
    assert on_calibration == 9  # the 190th of 199 is the threshold: (199 + 1) 0.95
    assert report["median_distance"] < report["threshold"]
    assert detector.is_far(detector(5 + features(50, 3))).all()


def test_too_few_calibration_pictures_say_how_many_are_needed() -> None:
    with pytest.raises(ValueError, match=r"2.0% false alarms .* needs at least 49 scores, got 30"):
        fit_familiarity(features(50, 0), features(30, 1), {"false_alarms": 0.02})


def test_features_come_in_the_order_of_the_samples() -> None:
    torch.manual_seed(0)
    model = AgeRegressor(RegressorConfig("test_efficientnet", 32, 120.0, 40.0, 0.5))
    pixels = np.random.default_rng(0).integers(0, 256, (5, 32, 32), dtype=np.uint8)
    samples = AgeSamples(
        pixels, np.array([4, 0, 2]), list("abc"), np.zeros(3, bool), np.zeros(3), input_px=32
    )
    found = pooled_features(model, samples, 2, torch.device("cpu"))
    assert found.shape == (3, model.head.in_features)
    with torch.inference_mode():
        alone = pool(model, torch.from_numpy(pixels[[0]])[:, None].float() / 255)
    torch.testing.assert_close(found[1:2], alone)


def test_the_reason_names_both_distances() -> None:
    assert unfamiliar_reason(1.2, 1.5) == ""
    assert "distance 1.70, at most 1.50 is usual" in unfamiliar_reason(1.7, 1.5)
