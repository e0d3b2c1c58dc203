"""Telling pictures that a regressor knows the like of from those that it does not."""

import numpy as np
import torch
from torch import Tensor

from boneage_kedro.evaluation.ages.intervals import conformal_quantile
from boneage_kedro.models.age_ensemble import AgeNetwork
from boneage_kedro.models.feature_distance import FeatureDistance
from boneage_kedro.training.ages.settings import FamiliaritySettings
from boneage_kedro.training.batches import AgeSamples


@torch.inference_mode()
def pooled_features(model: AgeNetwork, samples: AgeSamples, batch_size: int, device: torch.device) -> Tensor:
    """Features (n, C) float32 behind the average pooling, by a network in evaluation mode on ``device``."""
    model.eval()
    found = [pool(model, batch.images) for batch in samples.batches(batch_size, device)]
    return torch.cat(found)


def pool(model: AgeNetwork, images: Tensor) -> Tensor:
    """Features (B, C) float32 on the CPU, of pictures (B, 1, P, P) in 0 to 1."""
    return model.features(images).mean((2, 3)).float().cpu()


def fit_familiarity(
    learnt: Tensor, calibration: Tensor, settings: FamiliaritySettings
) -> tuple[FeatureDistance, dict[str, float]]:
    """Fit the distance to training pictures, and its threshold on pictures that were not trained on.

    Args:
        learnt: (n, C) features of the training part.
        calibration: (m, C) of the calibration part; the network must not have learnt from them, since what it learnt
            lies closer.

    Returns:
        the detector, to be kept by its ``state_dict``, and ``threshold``, ``median_distance`` of the calibration part
        and ``false_alarms``, for a report.

    Raises:
        ValueError: there are too few calibration pictures for the share of false alarms.
    """
    detector = FeatureDistance.fit(learnt)
    distances = detector(calibration).numpy().astype(float)
    try:
        threshold = conformal_quantile(distances, 1 - settings["false_alarms"])
    except ValueError as error:
        raise ValueError(
            f"a threshold with {settings['false_alarms']:.1%} false alarms needs more calibration pictures: {error}"
        ) from error
    # the next number above: in 32 bits the picture that set the threshold must not lie beyond it
    detector.threshold.fill_(float(np.nextafter(np.float32(threshold), np.float32(np.inf))))
    return detector, {
        "threshold": threshold,
        "median_distance": float(np.median(distances)),
        "false_alarms": settings["false_alarms"],
    }


def unfamiliar_reason(distance: float, threshold: float) -> str:
    """A sentence for a picture beyond the threshold; empty for others."""
    if distance <= threshold:
        return ""
    return (
        f"the picture is unlike those the network learnt from: distance {distance:.2f}, at most {threshold:.2f} is "
        "usual; check that it shows one whole hand of a child with the wrist"
    )
