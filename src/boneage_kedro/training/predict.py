"""Predictions of a trained network, in the order of the samples."""

import numpy as np
import torch

from boneage_kedro.models.regressor import AgeRegressor
from boneage_kedro.training.batches import AgeSamples


@torch.inference_mode()
def predict_ages(
    model: AgeRegressor, samples: AgeSamples, batch_size: int, device: torch.device
) -> np.ndarray:
    """Bone ages in months, (n,) float64, by a network in evaluation mode on ``device``."""
    model.eval()
    ages = [
        model(batch.images, batch.is_male).cpu().double() for batch in samples.batches(batch_size, device)
    ]
    return torch.cat(ages).numpy() if ages else np.empty(0)


@torch.inference_mode()
def map_attention(
    model: AgeRegressor, samples: AgeSamples, batch_size: int, device: torch.device
) -> tuple[np.ndarray, np.ndarray]:
    """Class activation maps (n, h, w) and biases (n,), both in months (see `AgeRegressor.activation_map`)."""
    model.eval()
    maps, biases = [], []
    for batch in samples.batches(batch_size, device):
        part, bias = model.activation_map(batch.images, batch.is_male)
        maps.append(part.cpu().double())
        biases.append(bias.cpu().double())
    return torch.cat(maps).numpy(), torch.cat(biases).numpy()
