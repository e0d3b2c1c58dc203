import copy

import pytest
import torch
from torch import nn

from boneage_kedro.training.averaging import WeightAverage


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(1, 2), nn.BatchNorm1d(2))


def shift(model: nn.Module, by: float) -> None:
    with torch.no_grad():
        for value in model.state_dict().values():
            value.add_(by if value.is_floating_point() else int(by))


def test_the_mean_by_hand() -> None:
    model, average = network(), None
    start = copy.deepcopy(model.state_dict())
    average = WeightAverage(model, 0.25)
    wanted = 0.0  # mean of what was added
    for step, by in enumerate((8.0, 4.0, 4.0), 1):
        shift(model, by)
        now = {1: 8.0, 2: 12.0, 3: 16.0}[step]
        keep = min(0.25, (1 + step) / (10 + step))  # 2/11, then 1/4
        wanted = keep * wanted + (1 - keep) * now
        average.update()
    with average.applied():
        applied = copy.deepcopy(model.state_dict())
    for name in ("0.weight", "0.bias", "1.weight", "1.running_mean", "1.running_var"):
        torch.testing.assert_close(applied[name], start[name] + wanted, msg=name)
    assert applied["1.num_batches_tracked"] == 16  # a counter has no mean


def test_the_weights_come_back_even_after_an_error() -> None:
    model = network()
    average = WeightAverage(model, 0.9)
    shift(model, 5)
    average.update()
    own = copy.deepcopy(model.state_dict())
    with pytest.raises(KeyError), average.applied():
        assert not torch.equal(own["0.weight"], model[0].weight)
        raise KeyError
    assert all(torch.equal(own[name], value) for name, value in model.state_dict().items())


def test_weights_that_do_not_change_keep_their_very_values() -> None:
    model = network()
    average = WeightAverage(model, 0.7)
    for _ in range(5):
        average.update()
    own = copy.deepcopy(model.state_dict())
    with average.applied():
        assert all(torch.equal(own[name], value) for name, value in model.state_dict().items())


def test_a_restored_average_goes_on_as_the_first() -> None:
    model = network()
    first = WeightAverage(model, 0.9)
    shift(model, 3)
    first.update()
    second = WeightAverage(model, 0.9)
    second.restore(copy.deepcopy(first.state()))
    shift(model, 2)
    for average in (first, second):
        average.update()
    assert first.state()["steps"] == second.state()["steps"] == 2
    assert all(
        torch.equal(value, second.state()["mean"][name]) for name, value in first.state()["mean"].items()
    )


def test_a_decay_of_zero_is_no_mean() -> None:
    model = network()
    average = WeightAverage(model, 0)
    shift(model, 3)
    average.update()
    own = copy.deepcopy(model.state_dict())
    with average.applied():
        assert all(torch.equal(own[name], value) for name, value in model.state_dict().items())
    assert average.state() == {"steps": 0, "mean": {}}
