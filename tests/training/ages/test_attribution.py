import numpy as np
import pytest
import torch
from torch import Tensor, nn

from boneage_kedro.models.regressor import AgeRegressor, RegressorConfig
from boneage_kedro.training.ages.attribution import attribute_ages, grad_cam
from boneage_kedro.training.ages.predict import predict_ages
from boneage_kedro.training.batches import AgeSamples

IMAGES = torch.rand(4, 1, 32, 32, generator=torch.Generator().manual_seed(1))
IS_MALE = torch.tensor([True, False, True, False])


class SquareHead(nn.Module):
    """Two features, the picture and its double, and the square of the mean of the first as the age."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = nn.Conv2d(1, 2, 1, bias=False)
        self.backbone.weight.data = torch.tensor([1.0, 2.0]).view(2, 1, 1, 1)

    def forward(self, images: Tensor, is_male: Tensor) -> Tensor:
        return self.backbone(images).mean((2, 3))[:, 0] ** 2


@pytest.fixture
def regressor() -> AgeRegressor:
    torch.manual_seed(0)
    return AgeRegressor(RegressorConfig("test_efficientnet", 32, 120.0, 40.0, 0.5)).eval()


def test_is_the_exact_map_where_the_head_is_linear(regressor: AgeRegressor) -> None:
    with torch.no_grad():
        regressor.head.bias.copy_(torch.tensor([0.3, -0.2]))
        exact, bias, _ = regressor.activation_map(IMAGES, IS_MALE)
    maps, rest = grad_cam(regressor, regressor.backbone, IMAGES, IS_MALE)
    torch.testing.assert_close(maps, exact, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(rest, bias, atol=1e-3, rtol=1e-5)


def test_a_curved_head_by_hand() -> None:
    maps, rest = grad_cam(model := SquareHead(), model.backbone, IMAGES, IS_MALE)
    level = IMAGES.mean((1, 2, 3))
    # the age is level**2 and its gradient 2 level / places, so the map is 2 level times the picture
    torch.testing.assert_close(maps, 2 * level[:, None, None] * IMAGES[:, 0])
    torch.testing.assert_close(rest, -(level**2))


def test_keeps_no_gradient_and_no_hook(regressor: AgeRegressor) -> None:
    with torch.no_grad():  # the caller need not care
        grad_cam(regressor, regressor.backbone, IMAGES, IS_MALE)
    assert all(parameter.grad is None for parameter in regressor.parameters())
    assert not regressor.backbone._forward_hooks


def test_cases_come_in_order_and_add_up_to_the_predictions(regressor: AgeRegressor) -> None:
    samples = AgeSamples(
        pixels=np.random.default_rng(0).integers(0, 256, (5, 32, 32), np.uint8),
        rows=np.array([4, 0, 3]),
        ids=["a", "b", "c"],
        is_male=np.array([True, False, True]),
        age_months=np.full(3, np.nan),
        input_px=32,
    )
    cpu = torch.device("cpu")
    maps, rest = attribute_ages(regressor.train(), regressor.backbone, samples, 2, cpu)
    assert maps.shape == (3, 1, 1)
    np.testing.assert_allclose(maps.mean((1, 2)) + rest, predict_ages(regressor, samples, 2, cpu), atol=1e-4)


def test_a_layer_without_a_feature_map_is_refused(regressor: AgeRegressor) -> None:
    with pytest.raises(ValueError, match=r"one feature map .* gave \(4, 2\)"):
        grad_cam(regressor, regressor.head, IMAGES, IS_MALE)
    with pytest.raises(ValueError, match="it gave nothing"):
        grad_cam(regressor, nn.Identity(), IMAGES, IS_MALE)
