import cv2
import numpy as np
import pytest
import torch

from boneage_kedro.training.equalisation import TILES, equalise_locally


def shaded(side: int, count: int = 3) -> torch.Tensor:
    """Pictures of a slope from dark to bright with fine grains."""
    grains = torch.rand(count, 1, side, side, generator=torch.Generator().manual_seed(2))
    return 0.8 * torch.linspace(0, 1, side) ** 2 + 0.2 * grains


@pytest.mark.parametrize("clip_limit", [1.5, 4.0, 40.0])
def test_it_does_what_opencv_does(clip_limit: float) -> None:
    images = shaded(512)  # whose tiles have 16 pixels a level: OpenCV counts whole ones
    ours = equalise_locally(images, torch.full((3,), clip_limit))
    theirs = cv2.createCLAHE(clip_limit, (TILES, TILES))
    for image, equalised in zip(images[:, 0].numpy(), ours[:, 0].numpy(), strict=True):
        wanted = theirs.apply(np.round(image * 255).astype(np.uint8)) / 255
        assert abs(equalised - wanted).mean() < 0.01


def test_a_limit_of_0_changes_nothing_and_each_picture_has_its_own() -> None:
    images = shaded(50)  # no multiple of the tiles
    equalised = equalise_locally(images, torch.tensor([0.0, 4.0, 0.0]))
    assert (equalised - images)[[0, 2]].abs().max() < 1 / 127
    assert (equalised - images)[1].abs().mean() > 0.03
    assert equalised.min() >= 0 and equalised.max() <= 1 + 1e-6


def test_local_contrast_grows_where_there_was_little() -> None:
    faint = 0.45 + 0.02 * shaded(64)
    assert equalise_locally(faint, torch.full((3,), 8.0)).std() > 3 * faint.std()
