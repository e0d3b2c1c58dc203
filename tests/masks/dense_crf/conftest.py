"""Small pictures with edges and noise, and soft labels that blur and disturb the truth."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from boneage_kedro.masks.crf_settings import CrfSettings
from boneage_kedro.phantom import fabricate_hand

Case = tuple[Tensor, Tensor]


@pytest.fixture
def settings() -> CrfSettings:
    return {
        "backend": "torch",
        "bilateral_sigma_px": 10.0,
        "bilateral_sigma_gray": 10.0,
        "bilateral_weight": 3.0,
        "gaussian_sigma_px": 3.0,
        "gaussian_weight": 3.0,
        "steps": 50,
        "tolerance": 0.0,
    }


@pytest.fixture
def make_case() -> Callable[..., Case]:
    """Probabilities (1, K, H, W) and image (1, H, W): regions of different gray level around random centres."""

    def make(classes: int, seed: int = 0, size: tuple[int, int] = (32, 28)) -> Case:
        rng = np.random.default_rng(seed)
        rows, columns = np.indices(size)
        centres = rng.uniform(0, size, (classes, 2))
        truth = np.argmin([(rows - y) ** 2 + (columns - x) ** 2 for y, x in centres], 0)
        levels = rng.permutation(np.linspace(30, 220, classes))
        image = (levels[truth] + rng.normal(0, 4, size)).clip(0, 255).astype(np.uint8)
        return _soften(truth, classes, rng), torch.from_numpy(image)[None]

    return make


@pytest.fixture(scope="session")
def phantom_pieces() -> list[Case]:
    """Pieces of 32 px around the middle of bones of one phantom, bone against background."""
    phantom = fabricate_hand(120, "F", seed=0, size_px=512)
    rng = np.random.default_rng(0)
    pieces = []
    for top, left in rng.choice(np.argwhere(phantom.bones[16:-16, 16:-16]), 5):
        piece = np.s_[top : top + 32, left : left + 32]
        labels = (phantom.bones[piece] > 0).astype(int)
        pieces.append((_soften(labels, 2, rng), torch.from_numpy(phantom.image[piece].copy())[None]))
    return pieces


def _soften(labels: np.ndarray, classes: int, rng: np.random.Generator) -> Tensor:
    """Probabilities (1, K, H, W): labels blurred, and disturbed by blurred noise."""
    planes = (labels == np.arange(classes)[:, None, None]).astype(np.float32)
    noise = rng.normal(size=planes.shape).astype(np.float32)
    soft = [
        cv2.GaussianBlur(plane, (0, 0), 3) + abs(cv2.GaussianBlur(each, (0, 0), 2))
        for plane, each in zip(planes, noise, strict=True)
    ]
    probabilities = torch.from_numpy(np.stack(soft) + 0.02)
    return (probabilities / probabilities.sum(0))[None]
