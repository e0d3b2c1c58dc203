import pytest
import torch
from torch import nn

from boneage_kedro.models.backbone import create_backbone
from boneage_kedro.models.cell_grid import locate_cells


@pytest.mark.parametrize(
    ("backbone", "first_px"),
    [
        ("resnet18", 0.0),  # all windows are padded by half
        ("convnext_atto", 15.5),  # windows lie side by side: 4, then three times 2
        ("tf_efficientnet_lite0", 31.0),  # each of five strides begins one cell further in
        ("legacy_xception", 3.0),  # two convolutions without padding: 1 pixel, and 1 of 2 pixels
    ],
)
def test_known_networks(backbone: str, first_px: float) -> None:
    assert locate_cells(create_backbone(backbone), 128) == (first_px, 32, 4)


def test_is_what_a_cell_is_centred_on() -> None:
    layer = nn.Sequential(nn.Conv2d(3, 2, 3, stride=2), nn.MaxPool2d(3, 2, 1), nn.Conv2d(2, 1, 5, dilation=2))
    grid = locate_cells(layer, 64)
    picture = torch.rand(1, 3, 64, 64, requires_grad=True)
    convolved = layer[0](picture)
    average = nn.functional.avg_pool2d(
        convolved, 3, 2, 1
    )  # reaches as far as the maximum, and always all of it
    layer[2](average)[0, 0, 3, 3].backward()
    assert picture.grad is not None
    lines = picture.grad[0].abs().sum((0, 1)).nonzero()[:, 0]
    assert (lines.min() + lines.max()) / 2 == grid.middles()[3]


def test_the_network_is_left_as_it_was() -> None:
    layer = nn.Sequential(nn.Conv2d(3, 2, 3, stride=2), nn.BatchNorm2d(2)).train()
    locate_cells(layer, 32)
    assert layer.training
    assert not layer[0]._forward_hooks
    assert layer[1].num_batches_tracked == 0


def test_other_ways_to_shrink_are_refused() -> None:
    layer = nn.Sequential(nn.Conv2d(3, 2, 3, padding=1), nn.AdaptiveAvgPool2d(4))
    with pytest.raises(
        ValueError, match="Sequential has 4 cells, but its convolutions and pooling lead to 32"
    ):
        locate_cells(layer, 32)
