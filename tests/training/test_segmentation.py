from typing import Any

import numpy as np
import pytest
import torch

from boneage_kedro.models.weights import PretrainedWeights
from boneage_kedro.training.committee import committee_probabilities
from boneage_kedro.training.mask_samples import Pictures
from boneage_kedro.training.segmentation import build_segmenter, masks_to_source, new_segmenter, predict_masks
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


def test_a_committee_of_twins_draws_the_masks_of_either(network: dict[str, Any], tmp_path) -> None:
    store, _ = square_store(tmp_path, 3)
    model = new_segmenter(network, 2, PretrainedWeights(tmp_path))
    pictures = Pictures.of(store, store.ids, SIDE)
    with torch.no_grad():  # as much foreground as background
        model.network.head.bias -= model.eval()(pictures.draw(np.arange(3), CPU)).mean((0, 2, 3))
    found = dict(masks_to_source(committee_probabilities([model, model], pictures, 2, CPU), store, SIDE))
    own = dict(predict_masks(model, store, store.ids, SIDE, 2, CPU))
    assert list(found) == list(own) == store.ids
    assert all(np.array_equal(found[key], own[key]) for key in own)
    assert any(mask.any() and not mask.all() for mask in own.values())
