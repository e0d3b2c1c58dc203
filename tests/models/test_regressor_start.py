import pytest
import torch

from boneage_kedro.models.regressor import AgeRegressor, RegressorConfig
from boneage_kedro.models.regressor_start import start_from

IS_MALE = torch.tensor([True, False, True])


def network(
    seed: int, mean: float, sd: float, bin_months: float | None, backbone: str = "test_efficientnet"
) -> AgeRegressor:
    torch.manual_seed(seed)
    model = AgeRegressor(RegressorConfig(backbone, 32, mean, sd, 0.0, bin_months)).eval()
    torch.nn.init.normal_(model.head.weight)
    torch.nn.init.normal_(model.head.bias)
    return model


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand(3, 1, 32, 32, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("bin_months", [None, 10.0])
def test_ages_are_the_same_though_mean_and_deviation_are_others(
    images: torch.Tensor, bin_months: float | None
) -> None:
    earlier, model = network(1, 100.0, 40.0, bin_months), network(2, 130.0, 25.0, bin_months)
    assert start_from(model, earlier.state_dict(), earlier.config)
    with torch.no_grad():
        torch.testing.assert_close(model(images, IS_MALE), earlier(images, IS_MALE), atol=1e-3, rtol=1e-5)


@pytest.mark.parametrize(("before", "now"), [(None, 10.0), (10.0, None), (10.0, 20.0)])
def test_of_another_kind_of_head_only_the_backbone_is_taken(before: float | None, now: float | None) -> None:
    earlier, model = network(1, 100.0, 40.0, before), network(2, 130.0, 25.0, now)
    head = {name: value.clone() for name, value in model.head.state_dict().items()}
    assert not start_from(model, earlier.state_dict(), earlier.config)
    assert all(torch.equal(value, model.head.state_dict()[name]) for name, value in head.items())
    taken = model.backbone.state_dict()
    assert all(torch.equal(value, taken[name]) for name, value in earlier.backbone.state_dict().items())


def test_another_backbone_and_mixed_up_files_are_refused() -> None:
    model = network(2, 130.0, 25.0, None)
    other = network(1, 100.0, 40.0, None, "resnet18")
    with pytest.raises(ValueError, match="is on backbone 'resnet18', this network on 'test_efficientnet'"):
        start_from(model, other.state_dict(), other.config)
    with pytest.raises(ValueError, match="do not belong together"):
        start_from(model, other.state_dict(), model.config)
