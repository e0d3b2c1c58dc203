"""Predictions of a trained network, in the order of the samples."""

import numpy as np
import torch
from torch import Tensor

from boneage_kedro.models.age_ensemble import AgeNetwork
from boneage_kedro.training.ages.settings import ViewSettings
from boneage_kedro.training.ages.views import PLAIN, views_of
from boneage_kedro.training.batches import AgeSamples


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
    ages = [model(view.of(images), is_male).cpu().double() for view in views_of(views)]
    return torch.stack(ages).mean(0)
