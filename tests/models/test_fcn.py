"""What is particular to FCN; what all segmentation networks must do is in test_segmenters.py."""

from pathlib import Path

import pytest
import torch
import torchvision
from safetensors.torch import save_file
from torch.nn import functional as F

from boneage_kedro.models.fcn import FCN, STRIDES, BilinearEnlargement
from boneage_kedro.models.segmenter import Segmenter, SegmenterConfig
from boneage_kedro.models.weights import PretrainedWeights


def small(stride: int = 8, classes: int = 3) -> FCN:
    torch.manual_seed(0)
    return FCN(classes, stride, width=4, head_channels=16).eval()


@pytest.mark.parametrize("factor", [2, 4, 8, 16, 32])
def test_enlarging_starts_as_bilinear_interpolation(factor: int) -> None:
    maps = torch.rand(2, 3, 4, 5, generator=torch.Generator().manual_seed(1))
    wanted = F.interpolate(maps, scale_factor=factor, mode="bilinear", align_corners=False)
    torch.testing.assert_close(BilinearEnlargement(3, factor)(maps), wanted)


@pytest.mark.parametrize("stride", STRIDES)
def test_before_training_all_scores_are_zero_and_each_finer_scale_may_join(stride: int) -> None:
    model, picture = small(stride), torch.rand(1, 1, 64, 64)
    assert not model(picture).any()
    assert len(model.pool_scores) == len(model.doubling) == STRIDES.index(stride)
    for score in (model.score, *model.pool_scores):
        before = model(picture)
        torch.nn.init.ones_(score.weight)
        assert not torch.equal(model(picture), before)


def test_fused_scores_are_the_sum_over_scales() -> None:
    """With weights by hand: the coarse scores are 1, those of the fourth pooling 2, the logits 3 everywhere."""
    model = small(16)
    torch.nn.init.constant_(model.score.bias, 1.0)
    torch.nn.init.constant_(model.pool_scores[0].bias, 2.0)
    torch.testing.assert_close(model(torch.rand(1, 1, 40, 70)), torch.full((1, 3, 40, 70), 3.0))


def test_only_what_the_picture_shows_changes_with_its_place_in_the_padding() -> None:
    """A picture that was padded by hand as the network does gives the same scores."""
    model, picture = small(), torch.rand(1, 1, 50, 61, generator=torch.Generator().manual_seed(3))
    for score in (model.score, *model.pool_scores):
        torch.nn.init.normal_(score.weight)
    padded = F.pad(picture, (1, 2, 7, 7), mode="replicate")  # to 64 x 64
    torch.testing.assert_close(model(picture), model(padded)[:, :, 7:57, 1:62])


def test_fcn32s_on_vgg16_has_the_weights_of_its_design() -> None:
    """VGG16: 14,714,688 convolutional weights; its first two fully connected layers: 102,764,544 and 16,781,312."""
    with torch.device("meta"):
        model = FCN(3, 32, width=64, head_channels=4096)
    scores, enlarging = 4096 * 3 + 3, 3 * 3 * 64 * 64
    assert (
        sum(p.numel() for p in model.parameters())
        == 14_714_688 + 102_764_544 + 16_781_312 + scores + enlarging
    )


def test_the_encoder_is_torchvisions_vgg16_by_names_shapes_and_order() -> None:
    with torch.device("meta"):
        theirs = torchvision.models.vgg16()
        ours = FCN(3, 32, width=64, head_channels=8).encoder
    wanted = {k: v.shape for k, v in theirs.state_dict().items() if k.startswith("features.")}
    assert {k: v.shape for k, v in ours.state_dict().items()} == wanted
    assert [type(layer) for layer in ours.features] == [type(layer) for layer in theirs.features]


def test_weights_of_a_file_fill_the_encoder(tmp_path: Path) -> None:
    given = {key: torch.rand_like(value) for key, value in small().encoder.state_dict().items()}
    save_file(given, tmp_path / "vgg16.safetensors")
    model = Segmenter(SegmenterConfig("fcn32s", 64, 3, 4, 5, 1, head_channels=8))
    assert model.encoder is not None
    assert (
        PretrainedWeights(tmp_path).load_into(model.encoder, model.encoder_name) == "file vgg16.safetensors"
    )
    assert all(torch.equal(value, given[key]) for key, value in model.encoder.state_dict().items())


def test_weights_of_vgg16_do_not_fill_a_thinner_network(tmp_path: Path) -> None:
    save_file(small().encoder.state_dict(), tmp_path / "vgg16.safetensors")
    model = Segmenter(SegmenterConfig("fcn32s", 64, 3, 8, 5, 1, head_channels=8))
    assert model.encoder is not None
    with pytest.raises(ValueError, match=r"vgg16\.safetensors does not fit the network: .* of another shape"):
        PretrainedWeights(tmp_path).load_into(model.encoder, model.encoder_name)


def test_unknown_strides_are_refused() -> None:
    with pytest.raises(ValueError, match="FCN has no stride 1; choose from 32, 16, 8, 4, 2"):
        FCN(3, 1, 4, 16)


def test_settings_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="'fcn8s' needs head_channels"):
        Segmenter(SegmenterConfig("fcn8s", 64, 3, 4, 5, 1))
    with pytest.raises(ValueError, match=r"depth is 4, but 'fcn8s' halves 5 times.* set it to 5"):
        Segmenter(SegmenterConfig("fcn8s", 64, 3, 4, 4, 1, head_channels=16))
    with pytest.raises(ValueError, match="'unet' has no head_channels; remove it"):
        Segmenter(SegmenterConfig("unet", 64, 3, 4, 4, 1, head_channels=16))
    with pytest.raises(ValueError, match="'fcn8s' has no growth and no layers; remove it"):
        Segmenter(SegmenterConfig("fcn8s", 64, 3, 4, 5, 1, 2, 2, head_channels=16))
