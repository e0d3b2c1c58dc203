"""Views of a picture whose ages are averaged: test-time augmentation."""

from dataclasses import dataclass
from math import cos, radians, sin

import torch
from torch import Tensor

from boneage_kedro.training.ages.settings import ViewSettings
from boneage_kedro.training.augment import grid_of, sample

PLAIN: ViewSettings = {"flip": False, "rotations_deg": [0]}
"""The picture as it is."""


@dataclass(frozen=True)
class View:
    """A picture, mirrored or not, then turned clockwise."""

    flip: bool
    rotation_deg: float

    def of(self, images: Tensor) -> Tensor:
        """Pictures (B, 1, H, W) in this view; what comes in from outside is black."""
        return _turn(images.flip(-1) if self.flip else images, self.rotation_deg)

    def back(self, maps: Tensor) -> Tensor:
        """Maps (B, h, w) of this view in the frame of the picture, with the means that they had.

        What a turn moves out of the frame is spread evenly, so that a map still adds up to its age.
        """
        turned = _turn(maps[:, None], -self.rotation_deg)[:, 0]
        lost = maps.mean((1, 2), keepdim=True) - turned.mean((1, 2), keepdim=True)
        return (turned + lost).flip(-1) if self.flip else turned + lost


def views_of(settings: ViewSettings) -> list[View]:
    """All views that are asked for.

    Raises:
        ValueError: there is none, or one twice.
    """
    angles = settings["rotations_deg"]
    if not angles or len(set(angles)) < len(angles):
        raise ValueError(
            f"views.rotations_deg is {angles}; give at least one angle, and none twice ([0]: no turn)"
        )
    return [
        View(flip, angle) for flip in ((False, True) if settings["flip"] else (False,)) for angle in angles
    ]


def _turn(planes: Tensor, clockwise_deg: float) -> Tensor:
    if not clockwise_deg:
        return planes
    sine, cosine = sin(radians(clockwise_deg)), cos(radians(clockwise_deg))
    theta = torch.tensor([[cosine, sine, 0], [-sine, cosine, 0]]).expand(planes.shape[0], 2, 3)
    return sample(planes, grid_of(theta, planes), "bilinear")
