import copy
import itertools

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from boneage_kedro.evaluation.attention.checks import DeletionSettings
from boneage_kedro.models.age_ensemble import AgeEnsemble
from boneage_kedro.models.regressor import AgeRegressor, RegressorConfig
from boneage_kedro.training.ages.attention_checks import (
    delete_and_insert,
    layers_with_weights,
    randomise_in_cascade,
    randomise_last_layers,
)
from boneage_kedro.training.ages.settings import ViewSettings
from boneage_kedro.training.batches import AgeSamples

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def regressor() -> AgeRegressor:
    torch.manual_seed(0)
    return AgeRegressor(RegressorConfig("test_efficientnet", 32, 120.0, 40.0, 0.0)).eval()


class MeanGray(nn.Module):
    """A hundred times the mean of the left half is the age."""

    def forward(self, images: Tensor, is_male: Tensor) -> Tensor:
        return 100 * images[..., : images.shape[-1] // 2].mean((1, 2, 3))


def changed(model: nn.Module, other: nn.Module) -> list[str]:
    """Layers whose weights differ."""
    return [
        name
        for (name,) in layers_with_weights(model)
        if not all(
            torch.equal(one, two)
            for one, two in zip(
                model.get_submodule(name).state_dict().values(),
                other.get_submodule(name).state_dict().values(),
                strict=True,
            )
        )
    ]


def test_layers_run_from_the_picture_to_the_head(regressor: AgeRegressor) -> None:
    names = layers_with_weights(regressor)
    assert names[0][0].startswith("backbone.conv_stem")
    assert names[-1] == ["head"]


def test_layers_of_an_ensemble_go_together(regressor: AgeRegressor) -> None:
    ensemble = AgeEnsemble([regressor, copy.deepcopy(regressor)])
    assert layers_with_weights(ensemble)[-1] == ["members.0.head", "members.1.head"]
    other = randomise_last_layers(ensemble, 1, 3)
    for before, after in zip(ensemble.regressors, other.regressors, strict=True):
        assert changed(before, after) == ["head"]


def test_only_the_last_layers_change_and_the_network_stays(regressor: AgeRegressor) -> None:
    before = {name: tensor.clone() for name, tensor in regressor.state_dict().items()}
    names = list(itertools.chain(*layers_with_weights(regressor)))
    assert changed(regressor, randomise_last_layers(regressor, 0, 3)) == []
    assert changed(regressor, randomise_last_layers(regressor, 1, 3)) == ["head"]
    last = changed(regressor, randomise_last_layers(regressor, 5, 3))
    assert set(last) <= set(names[-5:])
    assert any("conv" in name for name in last)  # a fresh normalisation has ones only, which no order changes
    assert all(torch.equal(tensor, before[name]) for name, tensor in regressor.state_dict().items())


def test_values_are_kept_in_another_order_that_the_seed_gives(regressor: AgeRegressor) -> None:
    one, same, other = (randomise_last_layers(regressor, 9, seed).head.weight for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert torch.equal(one.flatten().sort().values, regressor.head.weight.flatten().sort().values)
    alone = randomise_last_layers(regressor, 1, 1).head.weight
    assert torch.equal(one, alone)  # however many layers go with it


def test_too_many_layers_are_refused(regressor: AgeRegressor) -> None:
    with pytest.raises(ValueError, match="cannot randomise 99999 layers of a network that has"):
        randomise_last_layers(regressor, 99999, 0)


def test_the_cascade_goes_from_the_head_to_all_layers(regressor: AgeRegressor) -> None:
    def attribute(network: AgeRegressor) -> np.ndarray:
        return np.full((1, 1, 1), float(len(changed(regressor, network))))

    cascade = list(randomise_in_cascade(regressor, attribute, 3, [5, 6]))
    total = len(layers_with_weights(regressor))
    assert [step.seed for step in cascade] == [5, 5, 5, 6, 6, 6]
    assert [step.layers for step in cascade[:3]] == [1, round((1 + total) / 2), total]
    assert cascade[2].depth == 1
    assert cascade[0].maps[0, 0, 0] == 1 < cascade[1].maps[0, 0, 0] < cascade[2].maps[0, 0, 0]


@pytest.fixture
def halves() -> AgeSamples:
    """Left halves that are white above and black below; nothing on the right."""
    pixels = np.zeros((3, 16, 16), np.uint8)
    pixels[:, :8, :8] = 255
    return AgeSamples(pixels, np.arange(3), list("abc"), np.zeros(3, bool), np.full(3, np.nan), 16)


def test_ages_start_whole_end_blurred_and_back(halves: AgeSamples) -> None:
    orders = np.random.default_rng(0).normal(size=(3, 4, 4))
    settings = DeletionSettings(steps=4, blur=0.1)
    deletion, insertion = delete_and_insert(MeanGray(), halves, orders, settings, 2, CPU)
    assert deletion.shape == insertion.shape == (3, 5)
    np.testing.assert_allclose(deletion[:, 0], 50, atol=1e-4)
    np.testing.assert_allclose(insertion[:, -1], 50, atol=1e-4)
    np.testing.assert_allclose(insertion[:, 0], deletion[:, -1], atol=1e-4)
    assert (deletion[:, -1] < 48).all()  # white flows over to the right


def test_the_first_places_are_those_of_the_highest_values(halves: AgeSamples) -> None:
    right_first = np.tile([0.0, 0, 1, 1], (3, 4, 1))
    settings = DeletionSettings(steps=2, blur=0.5)
    deletion, insertion = delete_and_insert(MeanGray(), halves, right_first, settings, 3, CPU)
    np.testing.assert_allclose(deletion[:, 1], deletion[:, 0], atol=1e-4)  # the left half is whole still
    np.testing.assert_allclose(insertion[:, 1], insertion[:, 0], atol=1e-4)
    left_first, _ = delete_and_insert(MeanGray(), halves, -right_first, settings, 3, CPU)
    np.testing.assert_allclose(left_first[:, 1], left_first[:, 2], atol=1e-4)


def test_ages_are_the_mean_over_views(halves: AgeSamples) -> None:
    orders = np.random.default_rng(0).normal(size=(3, 4, 4))
    settings, views = DeletionSettings(steps=4, blur=0.1), ViewSettings(flip=True, rotations_deg=[0])
    deletion, insertion = delete_and_insert(MeanGray(), halves, orders, settings, 2, CPU, views)
    np.testing.assert_allclose(deletion[:, 0], 25, atol=1e-4)  # white on the left, nothing on the right
    np.testing.assert_allclose(insertion[:, -1], 25, atol=1e-4)


def test_orders_must_belong_to_the_samples(halves: AgeSamples) -> None:
    with pytest.raises(ValueError, match="2 orders for 3 samples"):
        delete_and_insert(
            MeanGray(), halves, np.zeros((2, 4, 4)), DeletionSettings(steps=1, blur=0.1), 2, CPU
        )
