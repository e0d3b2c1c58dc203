import pytest
import torch

from boneage_kedro.models.age_ensemble import AgeEnsemble, merge
from boneage_kedro.models.regressor import AgeRegressor, RegressorConfig
from boneage_kedro.models.regressor_start import start_from


def member(seed: int, **changes: object) -> AgeRegressor:
    torch.manual_seed(seed)
    values = {"backbone": "test_efficientnet", "input_px": 32, "age_mean_months": 100.0 + seed}
    config = RegressorConfig(**{**values, "age_sd_months": 40.0, "dropout": 0.0, **changes})  # type: ignore[arg-type]
    model = AgeRegressor(config).eval()
    torch.nn.init.normal_(model.head.weight)
    return model


@torch.inference_mode()
def test_ages_and_maps_are_means_and_add_up_whatever_the_heads() -> None:
    members = [member(0), member(1), member(2, bin_months=10.0)]
    ensemble = AgeEnsemble(members).eval()
    images, is_male = torch.rand(3, 1, 32, 32), torch.tensor([True, False, True])
    ages = ensemble(images, is_male)
    torch.testing.assert_close(ages, sum(one(images, is_male) for one in members) / 3)
    seen = ensemble.activation_map(images, is_male)
    torch.testing.assert_close(seen.ages, ages, atol=1e-3, rtol=0)
    torch.testing.assert_close(seen.features, members[0].features(images).mean((2, 3)))
    assert torch.equal(ensemble.features(images), members[0].features(images))
    assert ensemble.config == members[0].config


@pytest.mark.parametrize(("sizes", "said"), [([], "0 of 0 kinds"), ([32, 64], "2 of 2 kinds")])
def test_members_must_be_of_one_kind(sizes: list[int], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        AgeEnsemble([member(0, input_px=size) for size in sizes])


@torch.inference_mode()
def test_networks_that_differ_in_the_scale_of_their_heads_alone_merge_to_what_each_of_them_is() -> None:
    first, other = member(0), member(1, age_sd_months=30.0)
    start_from(other, first.state_dict(), first.config)
    images, is_male = torch.rand(3, 1, 32, 32), torch.tensor([True, False, True])
    merged = merge(AgeEnsemble([first, other])).eval()
    torch.testing.assert_close(merged(images, is_male), first(images, is_male), atol=1e-3, rtol=0)


@torch.inference_mode()
def test_a_merged_network_has_the_mean_of_all_weights() -> None:
    first, other = member(0), member(0)
    for parameter in other.parameters():
        parameter.add_(0.5)
    other.get_buffer("backbone.bn1.running_mean").fill_(8.0)
    merged = merge(AgeEnsemble([first, other])).state_dict()
    for name, value in first.named_parameters():
        torch.testing.assert_close(merged[name], value + 0.25)
    torch.testing.assert_close(
        merged["backbone.bn1.running_mean"], (first.get_buffer("backbone.bn1.running_mean") + 8) / 2
    )


def test_heads_of_two_kinds_cannot_be_merged() -> None:
    with pytest.raises(ValueError, match="heads of different kinds"):
        merge(AgeEnsemble([member(0), member(1, bin_months=10.0)]))
