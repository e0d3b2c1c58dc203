"""Predictions of a trained network, in the order of the samples."""

import numpy as np
import torch
from torch import Tensor

from boneage_kedro.models.age_ensemble import AgeNetwork
from boneage_kedro.training.batches import AgeSamples
from boneage_kedro.training.settings import ViewSettings
from boneage_kedro.training.views import PLAIN, views_of


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
    """Class activation maps (n, h, w) and rests (n,), both in months (see ``activation_map`` of the network).

    The maps of all views are averaged in the frame of the picture, so map and rest still add up to the predicted age.
    """
    model.eval()
    maps, rests = [], []
    for batch in samples.batches(batch_size, device):
        own_maps, own_rests = [], []
        for view in views_of(views):
            part, rest = model.activation_map(view.of(batch.images), batch.is_male)
            own_maps.append(view.back(part))
            own_rests.append(rest)
        maps.append(_mean(own_maps))
        rests.append(_mean(own_rests))
    return torch.cat(maps).numpy(), torch.cat(rests).numpy()


def _mean(values: list[Tensor]) -> Tensor:
    """Mean of equally shaped tensors, float64 on the CPU."""
    return torch.stack([value.cpu().double() for value in values]).mean(0)
