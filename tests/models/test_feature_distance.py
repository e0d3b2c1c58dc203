import numpy as np
import pytest
import torch
from safetensors.torch import load, save

from boneage_kedro.models.feature_distance import FeatureDistance


def drawn(count: int, sd: list[float], seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 5 + torch.randn(count, len(sd), generator=generator) * torch.tensor(sd)


def test_with_many_pictures_it_is_the_mahalanobis_distance() -> None:
    features = drawn(20_000, [1.0, 2.0, 10.0])
    distance = FeatureDistance.fit(features)
    centre = features.mean(0)
    asked = centre + torch.tensor([[0.0, 0, 0], [3, 0, 0], [0, 6, 0], [0, 0, 30]])
    assert distance(asked) == pytest.approx(np.array([0, 1, 1, 1]) * np.sqrt(3), abs=0.05)


def test_the_shrinkage_is_that_of_ledoit_and_wolf() -> None:
    """By the definition, with all matrices written out: S, its mean variance, and the spread of x x' about S."""
    features = drawn(12, [1.0, 2.0, 0.5, 3.0, 1.0])
    x = (features - features.mean(0)).double().numpy()
    covariance = x.T @ x / len(x)
    middle = np.trace(covariance) / 5 * np.eye(5)
    noise = np.mean([np.sum((np.outer(row, row) - covariance) ** 2) for row in x]) / len(x)
    share = min(1, noise / np.sum((covariance - middle) ** 2))
    inverse = np.linalg.inv(share * middle + (1 - share) * covariance)
    asked = drawn(7, [4.0] * 5, seed=1)
    away = (asked - features.mean(0)).double().numpy()
    expected = np.sqrt(np.einsum("ni,ij,nj->n", away, inverse, away) / 5)
    assert FeatureDistance.fit(features)(asked).numpy() == pytest.approx(expected, rel=1e-4)


def test_fewer_pictures_than_features_are_enough() -> None:
    features = drawn(20, [1.0] * 300)
    distance = FeatureDistance.fit(features)
    new, far = drawn(50, [1.0] * 300, seed=1), drawn(50, [3.0] * 300, seed=2)
    assert distance(far).min() > distance(new).max()


def test_a_state_gives_the_same_distances() -> None:
    distance = FeatureDistance.fit(drawn(30, [1.0, 2.0, 3.0]))
    distance.threshold.fill_(1.5)
    again = FeatureDistance.of(load(save(distance.state_dict())))
    asked = drawn(5, [4.0, 4.0, 4.0], seed=3)
    assert torch.equal(again(asked), distance(asked))
    assert torch.equal(again.is_far(asked[:, 0]), distance.is_far(asked[:, 0]))


def test_far_is_beyond_the_threshold_or_not_a_number() -> None:
    distance = FeatureDistance.fit(drawn(30, [1.0, 2.0]))
    distance.threshold.fill_(1.5)
    assert distance.is_far(torch.tensor([1.0, 1.5, 1.6, torch.nan])).tolist() == [False, False, True, True]


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (torch.ones(1, 3), "at least two pictures, got \\(1, 3\\)"),
        (torch.tensor([[1.0], [torch.nan]]), "need finite features"),
        (torch.ones(4, 3), "the features of all 4 pictures are the same"),
    ],
)
def test_features_that_tell_nothing_are_refused(features: torch.Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        FeatureDistance.fit(features)
