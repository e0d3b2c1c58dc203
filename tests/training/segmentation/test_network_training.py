from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from boneage_kedro.models.committee import Committee
from boneage_kedro.models.weights import PretrainedWeights
from boneage_kedro.training.segmentation.network_training import build_segmenter, new_segmenter, predict
from boneage_kedro.training.segmentation.samples import Pictures
from tests.training.squares import SIDE, square_store

CPU = torch.device("cpu")


@pytest.fixture
def network(parameters: dict[str, Any]) -> dict[str, Any]:
    settings = parameters["finger_selftrain"]["network"]
    return {**settings, "input_px": SIDE, "width": 4, "depth": 2}


def test_growth_and_layers_reach_the_network_and_its_kept_settings(network: dict[str, Any], tmp_path) -> None:
    dense = {**network, "architecture": "fc_densenet", "growth": 3, "layers": 2, "reduction": 2}
    model = new_segmenter(dense, 2, PretrainedWeights(tmp_path)).eval()
    again = build_segmenter(model.state_dict(), {"segmenter": model.config.as_dict()})
    images = torch.rand(2, 1, SIDE, SIDE)
    with torch.no_grad():
        logits, features = model.with_features(images)
        assert features.shape == (2, 4 + 3 * 2 * 3, SIDE // 8, SIDE // 8)
        assert torch.equal(again(images), logits)


def test_settings_without_growth_and_layers_still_build(network: dict[str, Any], tmp_path) -> None:
    model = new_segmenter(network, 2, PretrainedWeights(tmp_path))
    kept = {key: value for key, value in model.config.as_dict().items() if key not in {"growth", "layers"}}
    build_segmenter(model.state_dict(), {"segmenter": kept})
    with pytest.raises(ValueError, match="'fc_densenet' needs growth and layers"):
        new_segmenter({**network, "architecture": "fc_densenet"}, 2, PretrainedWeights(tmp_path))


def test_a_committee_averages_the_probabilities_of_its_members(network: dict[str, Any], tmp_path) -> None:
    store, _ = square_store(tmp_path, 5)
    pictures = Pictures.of(store, store.ids, SIDE)
    members = []
    for seed in (1, 2, 3):
        network["fit"]["seed"] = seed
        members.append(new_segmenter(network, 2, PretrainedWeights(tmp_path)))
    own = [torch.cat([shares for _, shares in predict(member, pictures, 2, CPU)]) for member in members]
    found = torch.cat([shares for _, shares in predict(Committee(members), pictures, 2, CPU)])
    torch.testing.assert_close(found, torch.stack(own).mean(0))


def test_a_committee_that_is_sure_gives_finite_values(network: dict[str, Any], tmp_path) -> None:
    member = new_segmenter(network, 2, PretrainedWeights(tmp_path))
    with torch.no_grad():
        member.network.head.bias += torch.tensor([1e4, -1e4])
        logits = Committee([member.eval(), member])(torch.rand(1, 1, SIDE, SIDE))
    assert logits.isfinite().all()


def test_a_committee_of_nobody_or_of_strangers_is_refused(network: dict[str, Any], tmp_path) -> None:
    with pytest.raises(ValueError, match="members of one configuration; 0 of 0 are given"):
        Committee([])
    members = [new_segmenter({**network, "width": width}, 2, PretrainedWeights(tmp_path)) for width in (4, 8)]
    with pytest.raises(ValueError, match="2 of 2 are given"):
        Committee(members)


def test_a_network_begins_from_a_member_of_a_committee_or_from_one_network(
    network: dict[str, Any], tmp_path
) -> None:
    members = []
    for seed in (1, 2):
        network["fit"]["seed"] = seed
        members.append(new_segmenter(network, 2, PretrainedWeights(tmp_path)))
    for name, model in (("committee", Committee(members)), ("one", members[1])):
        weights = {key: value.contiguous() for key, value in model.state_dict().items()}
        save_file(weights, tmp_path / f"{name}.safetensors")

    def begins(name: str, member: int) -> dict[str, torch.Tensor]:
        made = new_segmenter({**network, "initial_weights": name}, 2, PretrainedWeights(tmp_path), member)
        return made.state_dict()

    for name, member, like in (("committee", 0, 0), ("committee", 1, 1), ("committee", 2, 0), ("one", 2, 1)):
        found, wanted = begins(name, member), members[like].state_dict()
        assert all(found[key].equal(wanted[key]) for key in wanted)
