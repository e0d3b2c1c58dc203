"""Predictions of a trained network, in the order of the samples."""

import numpy as np
import torch
from torch import Tensor

from boneage_kedro.models.age_ensemble import AgeNetwork
from boneage_kedro.models.regressor import AgeMaps
from boneage_kedro.training.ages.familiarity import pool
from boneage_kedro.training.ages.settings import ViewSettings
from boneage_kedro.training.ages.views import PLAIN, View, views_of
from boneage_kedro.training.batches import AgeSamples

_AS_IT_IS = View(flip=False, rotation_deg=0)


@torch.inference_mode()
def predict_ages(
    model: AgeNetwork,
    samples: AgeSamples,
    batch_size: int,
    device: torch.device,
    views: ViewSettings = PLAIN,
) -> np.ndarray:
    """Bone ages in months, (n,) float64, mean over the views, by a network in evaluation mode on ``device``."""
    model.eval()
    batches = samples.batches(batch_size, device)
    ages = [read_ages(model, batch.images, batch.is_male, views) for batch in batches]
    return torch.cat(ages).numpy() if ages else np.empty(0)


def read_ages(model: AgeNetwork, images: Tensor, is_male: Tensor, views: ViewSettings) -> Tensor:
    """Bone ages in months, (B,) float64 on the CPU, mean over the views of pictures (B, 1, P, P) in 0 to 1."""
    return _mean([model(view.of(images), is_male) for view in views_of(views)])


@torch.inference_mode()
def map_attention(
    model: AgeNetwork,
    samples: AgeSamples,
    batch_size: int,
    device: torch.device,
    views: ViewSettings = PLAIN,
) -> tuple[np.ndarray, np.ndarray]:
    """Class activation maps (n, h, w) and rests (n,), both float64 in months, as `read_maps` gives them."""
    model.eval()
    read = [
        read_maps(model, batch.images, batch.is_male, views) for batch in samples.batches(batch_size, device)
    ]
    return torch.cat([one.maps for one in read]).numpy(), torch.cat([one.rests for one in read]).numpy()


@torch.inference_mode()
def read_maps(model: AgeNetwork, images: Tensor, is_male: Tensor, views: ViewSettings) -> AgeMaps:
    """Ages of pictures (B, 1, P, P) in 0 to 1 by their places, mean over the views, on the CPU.

    The maps of all views are averaged in the frame of the picture, so maps and rests, float64, still add up to the
    ages. The features, float32, are those of the pictures as they are, whatever the views.
    """
    seen = {view: model.activation_map(view.of(images), is_male) for view in views_of(views)}
    maps = _mean([view.back(one.maps) for view, one in seen.items()])
    rests = _mean([one.rests for one in seen.values()])
    if _AS_IT_IS in seen:
        return AgeMaps(maps, rests, seen[_AS_IT_IS].features.float().cpu())
    return AgeMaps(maps, rests, pool(model, images))


def _mean(values: list[Tensor]) -> Tensor:
    """Mean of equally shaped tensors, float64 on the CPU."""
    return torch.stack([value.cpu().double() for value in values]).mean(0)
