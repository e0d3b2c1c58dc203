"""Random changes to a batch of pictures, done on the device where the batch is."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from boneage_kedro.training.settings import AugmentSettings, MoveSettings


def augment(images: Tensor, settings: AugmentSettings, generator: torch.Generator) -> Tensor:
    """Turn, shear, zoom, shift, mirror and re-expose each picture on its own (paper 001, section 3.4).

    Args:
        images: (B, 1, H, W) float in 0 to 1; what comes in from outside the picture is black.
        generator: a CPU generator, so that the same seed gives the same changes on every device.

    Returns:
        (B, 1, H, W) float in 0 to 1.
    """
    grid = _draw_grid(images, settings, generator)
    return expose(sample(images, grid, "bilinear"), settings, generator)


def augment_pair(
    images: Tensor, masks: Tensor, settings: AugmentSettings, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Change pictures as ``augment`` does and move their masks along.

    Args:
        images: (B, 1, H, W) float in 0 to 1.
        masks: (B, H, W) uint8 class codes; what comes in from outside is class 0.
        settings, generator: as for ``augment``.

    Returns:
        images as ``augment`` gives them, and masks (B, H, W) uint8 with no codes but those they had.
    """
    grid = _draw_grid(images, settings, generator)
    moved = sample(masks[:, None].to(images.dtype), grid, "nearest")[:, 0].to(masks.dtype)
    return expose(sample(images, grid, "bilinear"), settings, generator), moved


def move(planes: Tensor, settings: MoveSettings, generator: torch.Generator) -> Tensor:
    """Turn, shear, zoom, shift and mirror each picture on its own, all its planes alike.

    Args:
        planes: (B, C, H, W) float; what comes in from outside is 0.
        settings, generator: as for ``augment``.
    """
    return sample(planes, _draw_grid(planes, settings, generator), "bilinear")


def _draw_grid(images: Tensor, settings: MoveSettings, generator: torch.Generator) -> Tensor:
    return grid_of(draw_affine(len(images), settings, generator), images)


def grid_of(theta: Tensor, images: Tensor) -> Tensor:
    """Where each output pixel is looked up, (B, H, W, 2) in -1 to 1, by maps as `draw_affine` gives them."""
    return F.affine_grid(theta.to(images), list(images.shape), align_corners=False)


def sample(planes: Tensor, grid: Tensor, mode: str) -> Tensor:
    """Planes (B, C, H, W) looked up at a grid, ``bilinear`` or ``nearest``; 0 outside."""
    return F.grid_sample(planes, grid, mode=mode, padding_mode="zeros", align_corners=False)


def draw_affine(count: int, settings: MoveSettings, generator: torch.Generator) -> Tensor:
    """Random maps from output to input coordinates, (count, 2, 3), in units of half a picture side."""
    angle = _uniform(count, math.radians(settings["rotation_deg"]), generator)
    shear = _uniform(count, math.radians(settings["shear_deg"]), generator)
    zoom = 1 + _uniform(count, settings["zoom"], generator)
    mirror = torch.where(torch.rand(count, generator=generator) < settings["flip_probability"], -1.0, 1.0)
    theta = torch.zeros(count, 2, 3)
    theta[:, 0, 0] = mirror * angle.cos() * zoom
    theta[:, 0, 1] = -mirror * (angle + shear).sin() * zoom
    theta[:, 1, 0] = angle.sin() * zoom
    theta[:, 1, 1] = (angle + shear).cos() * zoom
    theta[:, 0, 2] = 2 * _uniform(count, settings["shift"], generator)
    theta[:, 1, 2] = 2 * _uniform(count, settings["shift"], generator)
    if settings["log_aspect"]:
        stretch = (0.5 * _uniform(count, settings["log_aspect"], generator)).exp()
        theta[:, 0, :2] *= stretch[:, None]
        theta[:, 1, :2] /= stretch[:, None]
    return theta


def expose(images: Tensor, settings: AugmentSettings, generator: torch.Generator) -> Tensor:
    """Change gamma, contrast and brightness; black background stays black under gamma and contrast."""
    count = len(images)
    gamma = _uniform(count, settings["log_gamma"], generator).exp()
    contrast = 1 + _uniform(count, settings["contrast"], generator)
    brightness = _uniform(count, settings["brightness"], generator)
    gamma, contrast, brightness = (v.to(images).view(-1, 1, 1, 1) for v in (gamma, contrast, brightness))
    return (images.clamp(0, 1) ** gamma * contrast + brightness).clamp(0, 1)


def _uniform(count: int, half_range: float, generator: torch.Generator) -> Tensor:
    return (2 * torch.rand(count, generator=generator) - 1) * half_range
