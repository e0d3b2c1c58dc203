import math
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from boneage_kedro.models.backbone import block_of_parameters, create_backbone, pretrained_part
from boneage_kedro.models.bonet import BoNet, Deformation, PretrainedStem, create_bonet
from boneage_kedro.models.weights import PretrainedWeights

TINY = "test_efficientnet"


@pytest.fixture
def maps() -> torch.Tensor:
    return torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))


def test_the_deformation_layer_starts_as_the_identity(maps: torch.Tensor) -> None:
    torch.testing.assert_close(Deformation(3).eval()(maps), maps)


def test_the_deformation_layer_shifts_the_maps(maps: torch.Tensor) -> None:
    layer = Deformation(3).eval()
    with torch.no_grad():
        layer.theta.bias[2] = math.atanh(2 / 8 / 0.5)  # x, of one place
    moved = layer(maps)
    torch.testing.assert_close(moved[..., :-1], maps[..., 1:])
    assert not moved[..., -1].any()


def test_the_deformation_layer_looks_at_each_picture(maps: torch.Tensor) -> None:
    layer = Deformation(3).eval()
    torch.nn.init.normal_(layer.theta.weight)
    first, second = layer.affine(maps)
    assert not torch.allclose(first, second)


def test_the_deformation_layer_keeps_maps_in_sight(maps: torch.Tensor) -> None:
    layer = Deformation(3).eval()
    torch.nn.init.normal_(layer.theta.weight, std=1000)
    assert (layer.affine(maps) - torch.eye(2, 3)).abs().max() <= 0.5


def test_mixed_precision_does_not_move_the_maps(maps: torch.Tensor) -> None:
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(Deformation(3).eval()(maps), maps)


def test_at_first_it_gives_what_it_gives_without_the_deformation_layer() -> None:
    torch.manual_seed(0)
    with_it = BoNet(None, deforms=True).eval()
    without = BoNet(None, deforms=False).eval()
    without.load_state_dict({k: v for k, v in with_it.state_dict().items() if "deformation" not in k})
    picture = torch.randn(1, 3, 48, 32)
    with torch.no_grad():
        found = with_it(picture)
        torch.testing.assert_close(found, without(picture), atol=1e-5, rtol=1e-4)
    assert found.shape == (1, 2048, 1, 1)


def test_five_layers_convolve_where_all_are_learnt_from_scratch() -> None:
    assert [
        m.kernel_size for m in BoNet(None, deforms=False).modules() if isinstance(m, torch.nn.Conv2d)
    ] == [
        (11, 11),
        (5, 5),
        (3, 3),
        (3, 3),
        (3, 3),
    ]


def test_a_part_of_the_maps_leaves_the_layers_as_they_are() -> None:
    whole, fourth = (dict(create_backbone(name).named_parameters()) for name in ("bonet", "bonet/4"))
    assert fourth.keys() == whole.keys()
    narrowed = "stem.2.0.weight", "conv5.0.weight", "fully_connected.0.weight"
    assert [fourth[key].shape[:2] for key in narrowed] == [(64, 24), (256, 256), (512, 256 * 9)]
    both = create_backbone(f"bonet_rigid/16:{TINY}").eval()
    assert isinstance(both, BoNet) and isinstance(both.deformation, torch.nn.Identity)
    with torch.no_grad():
        assert both(torch.randn(1, 3, 32, 32)).shape == (1, 128, 1, 1)


def test_pretrained_first_layers_are_filled_and_are_the_entry_block(tmp_path: Path) -> None:
    source = create_backbone(TINY)
    save_file(source.state_dict(), tmp_path / f"{TINY}.safetensors")
    backbone = create_backbone(f"bonet:{TINY}")
    PretrainedWeights(tmp_path).load_into(*pretrained_part(backbone, f"bonet:{TINY}"))
    assert isinstance(backbone, BoNet) and isinstance(backbone.stem, PretrainedStem)
    learnt = dict(source.named_parameters())
    assert all(torch.equal(p, learnt[k]) for k, p in backbone.stem.network.named_parameters())
    owner = block_of_parameters(backbone, f"bonet:{TINY}")
    assert {k for k, block in owner.items() if block == "entry"} == {
        k for k in owner if k.startswith("stem.")
    }
    assert owner["conv5.0.weight"] == owner["fully_connected.0.weight"] == "exit"
    assert owner["deformation.theta.weight"] == "middle"


def test_the_pretrained_part_of_a_timm_network_is_all_of_it() -> None:
    backbone = create_backbone(TINY)
    assert pretrained_part(backbone, TINY) == (backbone, TINY)


def test_what_cannot_be_had_is_refused() -> None:
    with pytest.raises(ValueError, match="no pretrained weights for 'bonet'; set initial_weights to random"):
        pretrained_part(create_backbone("bonet"), "bonet")
    with pytest.raises(ValueError, match="'vgg61' is not a timm network; name one behind bonet:"):
        create_backbone("bonet:vgg61")
    with pytest.raises(ValueError, match="'test_vit' has no stage at 1/8"):
        create_backbone("bonet_rigid:test_vit")
    with pytest.raises(ValueError, match="'bonet/0' is no BoNet; name it as in"):
        create_bonet("bonet/0")
    with pytest.raises(ValueError, match="'bonnet' is not a timm network"):
        create_backbone("bonnet")
