"""Weights of VGG16 in torchvision's form are those that were found; nothing is downloaded."""

import numpy as np
import torch
from tools.fetch_weights import RGB_DEVIATIONS, VGG16_SCALES, convert_vgg16
from torch import nn

from boneage_kedro.models.fcn import VGG16Features


def test_converted_features_are_the_old_ones_but_for_a_factor_a_block() -> None:
    torch.manual_seed(0)
    old, new = VGG16Features([4, 6, 5, 7, 3]), VGG16Features([4, 6, 5, 7, 3])
    layers = [layer for layer in old.features if isinstance(layer, nn.Conv2d)]
    for layer in layers:
        nn.init.kaiming_normal_(layer.weight)
        nn.init.normal_(layer.bias)
    arrays = convert_vgg16([(layer.weight.detach().numpy(), layer.bias.detach().numpy()) for layer in layers])
    new.load_state_dict({name: torch.from_numpy(array) for name, array in arrays.items()})
    rgb = torch.randn(1, 3, 64, 64)
    bgr = (rgb * torch.tensor(RGB_DEVIATIONS)[:, None, None])[:, [2, 1, 0]]  # of 0 to 255, less its mean
    with torch.no_grad():
        pairs = zip(new(rgb), old(bgr), VGG16_SCALES, strict=True)
    for ours, theirs, scale in pairs:
        assert theirs.any()
        torch.testing.assert_close(ours * scale, theirs, rtol=1e-3, atol=1e-3 * scale)


def test_all_arrays_are_single_precision() -> None:
    layers = [(np.ones((2, 3, 3, 3)), np.ones(2))] + [(np.ones((2, 2, 3, 3)), np.ones(2))] * 12
    assert {array.dtype for array in convert_vgg16(layers).values()} == {np.dtype(np.float32)}
