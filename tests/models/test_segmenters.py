"""What every segmentation network must do, whatever its architecture."""

from pathlib import Path

import pytest
import torch

from boneage_kedro.models.backbone import create_backbone
from boneage_kedro.models.fc_densenet import DenseBlock
from boneage_kedro.models.segmenter import Segmenter, SegmenterConfig, z_score
from boneage_kedro.models.weights import PretrainedWeights

OF_MULTIPLES = ["unet", "fc_densenet", "tf_efficientnet_lite0", "resnet18"]
OF_ANY_SIZE = ["fcn32s", "fcn16s", "fcn8s", "fcn4s", "fcn2s"]


def config(architecture: str, classes: int = 3, depth: int = 4) -> SegmenterConfig:
    own = {"growth": 4, "layers": 2} if architecture == "fc_densenet" else {}
    if architecture in OF_ANY_SIZE:
        own, depth = {"head_channels": 32}, 5
    return SegmenterConfig(architecture, 64, classes, width=8, depth=depth, reduction=1, **own)


def make(architecture: str) -> Segmenter:
    torch.manual_seed(0)
    model = Segmenter(config(architecture))
    for name, parameter in model.named_parameters():
        if "score" in name:  # zeros would make all pictures alike
            torch.nn.init.normal_(parameter, 0, 0.1)
    return model


@pytest.fixture(params=OF_MULTIPLES + OF_ANY_SIZE)
def model(request: pytest.FixtureRequest) -> Segmenter:
    return make(request.param)


@pytest.fixture
def truth() -> torch.Tensor:
    """A bright box of class 1 and a darker one of class 2, elsewhere in each of four pictures."""
    masks = torch.zeros(4, 64, 64, dtype=torch.uint8)
    for i, mask in enumerate(masks):
        mask[8 * i : 8 * i + 24, 8:28] = 1
        mask[40 - 8 * i : 60 - 8 * i, 36:60] = 2
    return masks


@pytest.fixture
def images(truth: torch.Tensor) -> torch.Tensor:
    noise = torch.rand(4, 64, 64, generator=torch.Generator().manual_seed(1))
    return (torch.tensor([0.1, 0.8, 0.4])[truth.long()] + 0.1 * noise)[:, None]


@pytest.mark.parametrize("shape", [(64, 64), (96, 32)])
def test_gives_every_pixel_a_score_for_every_class(model: Segmenter, shape: tuple[int, int]) -> None:
    assert model.eval()(torch.rand(2, 1, *shape)).shape == (2, 3, *shape)


def test_every_parameter_learns(model: Segmenter, images: torch.Tensor) -> None:
    model.train()(images).square().mean().backward()
    assert [name for name, p in model.named_parameters() if p.grad is None] == []


def test_overfits_four_pictures(model: Segmenter, images: torch.Tensor, truth: torch.Tensor) -> None:
    optimiser = torch.optim.AdamW(model.parameters(), 5e-3)
    model.train()
    goal = 0.5 if model.config.architecture == "fcn32s" else 0.3  # its four cells are coarser than the boxes
    first = None
    for _ in range(100):
        loss = torch.nn.functional.cross_entropy(model(images), truth.long())
        first = first or loss.item()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if loss.item() < goal * first:
            return
    pytest.fail(f"loss went from {first:.2f} only to {loss.item():.2f}")


def test_features_come_from_the_coarsest_scale(model: Segmenter, images: torch.Tensor) -> None:
    with torch.no_grad():
        logits, features = model.eval().with_features(images)
        assert torch.equal(logits, model(images))
    side = 64 // 2**model.config.depth
    assert (len(features), *features.shape[2:]) == (4, side, side)
    assert not torch.allclose(features[0], features[1])


def test_features_cost_nothing(model: Segmenter, images: torch.Tensor) -> None:
    """No convolution works twice to give them."""
    calls: list[torch.nn.Module] = []
    convolutions = [m for m in model.modules() if isinstance(m, torch.nn.Conv2d | torch.nn.ConvTranspose2d)]
    for convolution in convolutions:
        convolution.register_forward_hook(lambda module, *_: calls.append(module))
    model.with_features(images)
    assert len(calls) == len(set(calls)) == len(convolutions)


def test_save_and_load_give_the_same_scores(model: Segmenter, images: torch.Tensor) -> None:
    twin = Segmenter(SegmenterConfig(**model.config.as_dict()))
    twin.load_state_dict(model.state_dict())
    with torch.no_grad():
        torch.testing.assert_close(twin.eval()(images), model.eval()(images))


def test_a_batch_equals_its_pictures_one_by_one(model: Segmenter, images: torch.Tensor) -> None:
    with torch.no_grad():
        together = model.eval()(images)
        single = torch.cat([model(image[None]) for image in images])
    torch.testing.assert_close(together, single, atol=1e-4, rtol=1e-4)


def test_brightness_and_contrast_do_not_matter(model: Segmenter, images: torch.Tensor) -> None:
    with torch.no_grad():
        torch.testing.assert_close(model.eval()(0.5 * images + 0.2), model(images), atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("gray", [0.0, 0.3, 1.0])
def test_a_picture_of_one_gray_gives_finite_scores(model: Segmenter, gray: float) -> None:
    images = torch.full((2, 1, 64, 64), gray, requires_grad=True)
    scores = model.eval()(images)
    scores.sum().backward()
    assert scores.isfinite().all()
    assert images.grad is not None and images.grad.isfinite().all()


@pytest.mark.parametrize("architecture", OF_MULTIPLES)
def test_a_size_that_cannot_be_halved_is_refused(architecture: str) -> None:
    model = make(architecture)
    with pytest.raises(
        ValueError, match=r"64 x 72 px cannot be reduced 1 times and halved 4 times.* multiples of 16"
    ):
        model(torch.zeros(1, 1, 64, 72))


@pytest.mark.parametrize("architecture", OF_ANY_SIZE)
@pytest.mark.parametrize("shape", [(64, 72), (33, 95), (5, 7), (1, 1)])
def test_a_network_for_any_size_gives_every_pixel_its_scores(
    architecture: str, shape: tuple[int, int]
) -> None:
    scores = make(architecture).eval()(torch.rand(2, 1, *shape, generator=torch.Generator().manual_seed(2)))
    assert scores.shape == (2, 3, *shape)
    assert scores.isfinite().all()


def test_z_score_of_a_hand_computed_picture() -> None:
    image = torch.tensor([[0.2, 0.4], [0.6, 0.8]]).view(1, 1, 2, 2)  # mean 0.5, deviation sqrt(0.05)
    expected = torch.tensor([-3.0, -1.0, 1.0, 3.0]) / 5**0.5
    torch.testing.assert_close(z_score(image).flatten(), expected)


@pytest.mark.parametrize("architecture", ["tf_efficientnet_lite0", "resnet18", "convnext_atto"])
@pytest.mark.parametrize("depth", [3, 5])
def test_an_encoder_may_be_cut_at_any_depth(architecture: str, depth: int) -> None:
    model = Segmenter(config(architecture, depth=depth))
    model(torch.rand(2, 1, 64, 64)).sum().backward()
    assert all(p.grad is not None for p in model.parameters())


def test_weights_of_a_whole_backbone_fill_the_encoder(tmp_path: Path) -> None:
    model = Segmenter(config("tf_efficientnet_lite0")).eval()
    whole = create_backbone("tf_efficientnet_lite0").eval()
    weights = PretrainedWeights(tmp_path)
    assert model.encoder is not None
    weights.load_into(model.encoder, "tf_efficientnet_lite0")
    weights.load_into(whole, "tf_efficientnet_lite0")
    picture = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        ours = model.encoder.forward_intermediates(picture, indices=[0, 3], intermediates_only=True)
        theirs = whole.forward_intermediates(picture, indices=[0, 3], intermediates_only=True)
    assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))


def test_only_networks_of_timm_have_an_encoder_to_fill() -> None:
    assert Segmenter(config("unet")).encoder is None
    assert Segmenter(config("test_efficientnet")).encoder is not None


def test_unet_of_the_paper_has_the_known_number_of_weights() -> None:
    """Ronneberger's network has 31,030,658 for one channel and two classes, 6,850 of them biases."""
    model = Segmenter(SegmenterConfig("unet", input_px=64, classes=2, width=64, depth=4, reduction=1))
    assert sum(p.numel() for p in model.parameters() if p.ndim == 4) == 31_030_658 - 6_850


def dense(width: int, growth: int, layers: int, side: int = 64, reduction: int = 1) -> Segmenter:
    return Segmenter(SegmenterConfig("fc_densenet", side, 2, width, 3, reduction, growth, layers))


@pytest.mark.parametrize(("width", "growth", "layers"), [(48, 12, 3), (32, 8, 5), (64, 16, 2)])
def test_fc_densenet_of_the_paper_has_192_maps_in_the_middle(width: int, growth: int, layers: int) -> None:
    with torch.no_grad():
        _, features = dense(width, growth, layers).with_features(torch.rand(2, 1, 64, 64))
    assert features.shape == (2, 192, 8, 8)


def test_fc_densenet_has_the_weights_of_its_design() -> None:
    """Counted by hand for width 48, growth 12, layers 3: a layer has 2 C for its normalisation and 108 C weights."""

    def block(given: int) -> int:
        return sum(110 * channels for channels in (given, given + 12, given + 24))

    down = sum(block(given) for given in (48, 84, 120))
    shrink = sum(channels**2 + 2 * channels for channels in (84, 120, 156))
    up = sum(block(skip + 36) for skip in (84, 120, 156))
    enlarge = 3 * 36 * 36 * 9
    whole = 48 * 9 + down + shrink + block(156) + enlarge + up + (48 + 3 * 36) * 2 + 2
    assert sum(p.numel() for p in dense(48, 12, 3).parameters()) == whole == 399_050


def test_a_dense_block_keeps_what_it_is_given() -> None:
    given = torch.rand(1, 5, 6, 6)
    assert torch.equal(DenseBlock(5, 2, 3)(given)[:, :5], given)


def test_features_of_a_reduced_network_are_those_of_the_small_picture() -> None:
    torch.manual_seed(0)
    whole, reduced = dense(8, 4, 2).eval(), dense(8, 4, 2, side=128, reduction=2).eval()
    reduced.load_state_dict(whole.state_dict())
    small = torch.rand(2, 1, 64, 64)
    large = small.repeat_interleave(2, 2).repeat_interleave(2, 3)
    with torch.no_grad():
        logits, features = reduced.with_features(large)
        torch.testing.assert_close(features, whole.with_features(small)[1], atol=1e-4, rtol=1e-4)
    assert logits.shape == (2, 2, 128, 128)


def test_settings_kept_before_growth_and_layers_were_known_still_build() -> None:
    values = {"architecture": "unet", "input_px": 64, "classes": 2, "width": 4, "depth": 2, "reduction": 1}
    model = Segmenter(SegmenterConfig(**values))
    assert {name.split(".")[1] for name in model.state_dict()} == {"first", "down", "raise_", "up", "head"}


def test_growth_and_layers_are_for_fc_densenet_alone() -> None:
    with pytest.raises(ValueError, match="'fc_densenet' needs growth and layers"):
        Segmenter(SegmenterConfig("fc_densenet", 64, 2, 48, 3, 1, growth=12))
    with pytest.raises(ValueError, match="'unet' has no layers; remove it or set it to null"):
        Segmenter(SegmenterConfig("unet", 64, 2, 8, 3, 1, layers=3))


def test_what_cannot_be_built_is_refused() -> None:
    with pytest.raises(ValueError, match="'u-net' is not a timm network"):
        Segmenter(config("u-net"))
    with pytest.raises(ValueError, match=r"'test_vit' has features at 1/16, .* no pyramid down to 1/16"):
        Segmenter(config("test_vit"))
    with pytest.raises(ValueError, match="no pyramid down to 1/64"):
        Segmenter(config("resnet18", depth=6))
    with pytest.raises(ValueError, match="classes is 1; count the background too"):
        Segmenter(config("unet", classes=1))
    with pytest.raises(ValueError, match="72 px cannot be reduced 1 times and halved 4 times"):
        Segmenter(SegmenterConfig("unet", 72, 3, 8, 4, 1))


def test_a_reduced_network_answers_at_the_full_size_and_pays_for_the_small_one() -> None:
    torch.manual_seed(0)
    whole = Segmenter(SegmenterConfig("unet", 64, 2, 4, 2, 1)).eval()
    reduced = Segmenter(SegmenterConfig("unet", 128, 2, 4, 2, 2)).eval()
    reduced.load_state_dict(whole.state_dict())
    small = torch.rand(1, 1, 64, 64)
    large = small.repeat_interleave(2, 2).repeat_interleave(2, 3)  # halves to the small one exactly
    with torch.no_grad():
        found, wanted = reduced(large), whole(small)
    assert found.shape == (1, 2, 128, 128)
    enlarged = torch.nn.functional.interpolate(wanted, (128, 128), mode="bilinear")
    torch.testing.assert_close(found, enlarged, atol=1e-4, rtol=1e-4)
    with pytest.raises(ValueError, match="multiples of 8"):
        reduced(torch.rand(1, 1, 68, 68))
