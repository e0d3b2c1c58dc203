"""What every age network must do, whatever its backbone."""

import math

import pytest
import timm
import torch

from boneage_kedro.models.backbone import block_of_parameters, create_backbone
from boneage_kedro.models.blocks import BLOCKS
from boneage_kedro.models.regressor import AgeRegressor, RegressorConfig

BACKBONES = ["tf_efficientnet_lite0", "legacy_xception", "resnet18", "convnext_atto", "test_efficientnet"]
BONETS = ["bonet"]  # its other forms have a part of its layers


@pytest.fixture(params=[*BACKBONES, *BONETS, ("test_efficientnet", 10.0)], ids=str)
def model(request: pytest.FixtureRequest) -> AgeRegressor:
    torch.manual_seed(0)
    backbone, bin_months = (request.param, None) if isinstance(request.param, str) else request.param
    return AgeRegressor(RegressorConfig(backbone, 64, 120.0, 40.0, 0.0, bin_months))


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand(4, 1, 64, 64, generator=torch.Generator().manual_seed(1))


IS_MALE = torch.tensor([True, False, True, False])


def test_gives_one_age_a_picture_near_the_mean_at_first(model: AgeRegressor, images: torch.Tensor) -> None:
    ages = model.eval()(images, IS_MALE)
    assert ages.shape == (4,)
    assert (ages - 120).abs().max() < 60


def test_map_and_rest_add_up_to_the_prediction(model: AgeRegressor, images: torch.Tensor) -> None:
    with torch.no_grad():
        seen = model.eval().activation_map(images, IS_MALE)
        torch.testing.assert_close(seen.ages, model(images, IS_MALE), atol=1e-3, rtol=1e-5)
        torch.testing.assert_close(seen.features, model.features(images).mean((2, 3)))


def test_the_map_is_the_gradient_of_the_age_times_the_features(
    model: AgeRegressor, images: torch.Tensor
) -> None:
    torch.nn.init.normal_(model.eval().head.weight)
    features = model.features(images).detach().requires_grad_()
    model.features = lambda _: features
    model(images, IS_MALE).sum().backward()
    with torch.no_grad():
        maps = model.activation_map(images, IS_MALE).maps
    assert features.grad is not None
    places = features[0, 0].numel()
    torch.testing.assert_close(maps, places * (features * features.grad).sum(1), atol=1e-2, rtol=1e-3)


def test_the_rest_of_a_linear_head_is_the_bias_of_the_sex(images: torch.Tensor) -> None:
    model = AgeRegressor(RegressorConfig("test_efficientnet", 64, 120.0, 40.0, 0.0)).eval()
    with torch.no_grad():
        model.head.bias.copy_(torch.tensor([0.3, -0.2]))
        rests = model.activation_map(images, IS_MALE).rests
    torch.testing.assert_close(rests, torch.tensor([112.0, 132.0, 112.0, 132.0]))


def test_sex_chooses_the_head(model: AgeRegressor, images: torch.Tensor) -> None:
    with torch.no_grad():
        own = len(model.eval().head.bias) // 2
        model.head.bias[own:] = model.head.bias[:own] + torch.arange(own) + 1
        model.head.weight[own:] = model.head.weight[:own]
        girls = model(images, torch.zeros(4, dtype=torch.bool), as_scores=True)
        boys = model(images, torch.ones(4, dtype=torch.bool), as_scores=True)
        torch.testing.assert_close(
            boys - girls, (torch.arange(own) + 1.0).expand(4, own), atol=1e-4, rtol=1e-5
        )
        torch.testing.assert_close(model.ages(boys), model(images, torch.ones(4, dtype=torch.bool)))


def test_an_expectation_head_starts_with_the_ages_of_the_training_part(images: torch.Tensor) -> None:
    model = AgeRegressor(RegressorConfig("test_efficientnet", 64, 120.0, 40.0, 0.0, 6.0))
    torch.nn.init.zeros_(model.head.weight)
    shares = model(images, IS_MALE, as_scores=True).softmax(1)
    assert model.grid_months is not None
    assert model.grid_months[[0, 1, -1]].tolist() == [0, 6, 240]
    torch.testing.assert_close(shares @ model.grid_months, torch.full((4,), 120.0))
    spread = (shares @ (model.grid_months - 120) ** 2).sqrt()
    assert spread.min() > 38 and spread.max() < 40  # cut off at three standard deviations


def test_the_age_of_a_distribution_by_hand() -> None:
    model = AgeRegressor(RegressorConfig("test_efficientnet", 64, 120.0, 40.0, 0.0, 80.0))  # 0, 80, 160, 240
    scores = torch.tensor([[0.0, 0.0, 0.0, 0.0], [0.0, 50.0, 50.0 + math.log(3), 0.0]])
    torch.testing.assert_close(model.ages(scores), torch.tensor([120.0, 0.25 * 80 + 0.75 * 160]))


@pytest.mark.parametrize("bin_months", [None, 10.0])
def test_mixed_precision_gives_the_ages_within_tolerance_and_finer_than_16_bits(
    bin_months: float | None, images: torch.Tensor
) -> None:
    torch.manual_seed(0)
    model = AgeRegressor(RegressorConfig("test_efficientnet", 64, 180.0, 40.0, 0.0, bin_months)).eval()
    with torch.no_grad():
        exact = model(images, IS_MALE)
        with torch.autocast("cpu", torch.bfloat16):
            ages = model(images, IS_MALE)
    assert ages.dtype == torch.float32
    torch.testing.assert_close(ages, exact, atol=0.5, rtol=0)
    assert not torch.equal(ages, ages.bfloat16().float())


def test_channels_last_gives_the_same_ages(images: torch.Tensor) -> None:
    torch.manual_seed(0)
    model = AgeRegressor(RegressorConfig("test_efficientnet", 64, 120.0, 40.0, 0.0)).eval()
    with torch.no_grad():
        wanted = model(images, IS_MALE)
        found = model.to(memory_format=torch.channels_last)(images, IS_MALE)
    torch.testing.assert_close(found, wanted, atol=1e-3, rtol=0)


def test_every_parameter_learns(model: AgeRegressor, images: torch.Tensor) -> None:
    model.train()(images, IS_MALE).sum().backward()
    assert all(p.grad is not None for p in model.parameters())


def test_overfits_four_pictures(model: AgeRegressor, images: torch.Tensor) -> None:
    truth = torch.tensor([30.0, 90.0, 150.0, 210.0])
    rate = 3e-4 if model.config.backbone in BONETS else 2e-3  # broad layers move further in a step
    optimiser = torch.optim.AdamW(model.parameters(), rate)
    model.train()
    first = None
    for _ in range(60):
        loss = (model(images, IS_MALE) - truth).abs().mean()
        first = first or loss.item()
        optimiser.zero_grad()
        (loss / 12).backward()
        optimiser.step()
        if loss.item() < 0.25 * first:
            return
    pytest.fail(f"loss went from {first:.1f} only to {loss.item():.1f} months")


def test_save_and_load_give_the_same_ages(model: AgeRegressor, images: torch.Tensor) -> None:
    twin = AgeRegressor(RegressorConfig(**model.config.as_dict()))
    twin.load_state_dict(model.state_dict())
    with torch.no_grad():
        torch.testing.assert_close(twin.eval()(images, IS_MALE), model.eval()(images, IS_MALE))


def test_a_batch_equals_its_pictures_one_by_one(model: AgeRegressor, images: torch.Tensor) -> None:
    with torch.no_grad():
        together = model.eval()(images, IS_MALE)
        single = torch.cat([model(images[i : i + 1], IS_MALE[i : i + 1]) for i in range(4)])
    torch.testing.assert_close(together, single, atol=1e-3, rtol=1e-4)


def test_blocks_cut_the_network_in_order(model: AgeRegressor) -> None:
    owner = block_of_parameters(model.backbone, model.config.backbone)
    assert set(owner) == {name for name, _ in model.backbone.named_parameters()}
    assert set(owner.values()) == set(BLOCKS) - {"head"}
    if "xception" not in model.config.backbone:  # its skip connections are named out of order
        order = [BLOCKS.index(block) for block in owner.values()]
        assert order == sorted(order)


@pytest.mark.parametrize(
    "free", [["head"], ["head", "exit"], ["middle"], ["head", "exit", "middle", "entry"]]
)
def test_only_free_blocks_change(model: AgeRegressor, images: torch.Tensor, free: list[str]) -> None:
    owner = {
        f"backbone.{k}": v for k, v in block_of_parameters(model.backbone, model.config.backbone).items()
    }
    before = {k: v.clone() for k, v in model.state_dict().items()}
    model.train()
    model.free_only(free, "keep")
    optimiser = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], 0.1)
    model(images, IS_MALE).sum().backward()
    optimiser.step()
    after = model.state_dict()
    changed = {
        owner.get(k, "head") for k, _ in model.named_parameters() if not torch.equal(before[k], after[k])
    }
    assert changed == set(free)
    frozen_statistics = [
        k
        for k in after
        if k.endswith("running_mean") and owner[k.replace("running_mean", "weight")] not in free
    ]
    assert all(torch.equal(before[k], after[k]) for k in frozen_statistics)


def test_statistics_of_frozen_blocks_follow_the_pictures_only_if_asked(images: torch.Tensor) -> None:
    model = AgeRegressor(RegressorConfig("test_efficientnet", 64, 120.0, 40.0, 0.0))
    moved = []
    for choice in ("keep", "update"):
        before = {k: v.clone() for k, v in model.state_dict().items() if "running" in k}
        model.train()
        model.free_only(["head"], choice)
        model(images, IS_MALE)
        moved.append({not torch.equal(before[k], model.state_dict()[k]) for k in before})
        assert not any(p.requires_grad for p in model.backbone.parameters())
    assert moved == [{False}, {True}]


def test_xception_is_cut_into_its_flows() -> None:
    owner = block_of_parameters(create_backbone("legacy_xception"), "legacy_xception")
    blocks = {name.split(".")[0]: block for name, block in owner.items()}
    assert [blocks[f"block{i}"] for i in range(1, 13)] == ["entry"] * 3 + ["middle"] * 8 + ["exit"]
    assert blocks["conv1"] == "entry"
    assert blocks["conv4"] == "exit"


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ValueError, match="'xceptoin' is not a timm network"):
        create_backbone("xceptoin")
    model = AgeRegressor(RegressorConfig("test_efficientnet", 64, 120.0, 40.0, 0.0))
    with pytest.raises(ValueError, match=r"cannot free \['fc'\]; choose from entry, middle, exit, head"):
        model.free_only(["fc"], "keep")
    for bad in (7.0, 500.0):
        with pytest.raises(ValueError, match=f"bin_months is {bad}; 240 months must be a multiple"):
            AgeRegressor(RegressorConfig("test_efficientnet", 64, 120.0, 40.0, 0.0, bad))
    with pytest.raises(ValueError, match="cannot free nothing"):
        model.free_only([], "keep")


def test_a_network_without_strides_is_refused() -> None:
    backbone = timm.create_model("test_vit", num_classes=0, global_pool="")
    with pytest.raises(ValueError, match="cannot be cut into entry, middle and exit"):
        block_of_parameters(backbone, "test_vit")
