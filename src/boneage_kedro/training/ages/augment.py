"""Random changes to the pictures of an age regressor: moves, crops, films and exports of other kinds.

Pictures from elsewhere are cropped and exposed in other ways, which costs more of the age than anything else; so the
network is to see such pictures in training. All is done on the device where the batch is, each picture on its own.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from boneage_kedro.training.ages.settings import AgeAugmentSettings
from boneage_kedro.training.augment import draw_affine, expose, grid_of, sample
from boneage_kedro.training.equalisation import equalise_locally


def augment_age(images: Tensor, settings: AgeAugmentSettings, generator: torch.Generator) -> Tensor:
    """Move and crop each picture, blur it and add noise, equalise, expose and window it, invert it, cut out a part.

    With all that `AgeAugmentSettings` adds switched off it gives what `boneage_kedro.training.augment.augment` gives.

    Args:
        images: (B, 1, H, W) float in 0 to 1; what comes in from outside the picture is black.
        generator: a CPU generator. The same seed gives the same changes on every device, but for the single grains
            of the noise.

    Returns:
        (B, 1, H, W) float in 0 to 1.
    """
    theta = draw_affine(len(images), settings, generator)
    if settings["crop_probability"]:
        theta = _crop(theta, settings, generator)
    images = sample(images, grid_of(theta, images), "bilinear")
    if settings["blur_px"]:
        images = _blur(images, settings["blur_px"], generator)
    if settings["noise_sd"]:
        images = _add_noise(images, settings["noise_sd"], generator)
    if settings["clip_limit"]:
        clip_limits = settings["clip_limit"] * torch.rand(len(images), generator=generator)
        images = equalise_locally(images, clip_limits)
    images = expose(images, settings, generator)
    if settings["window_probability"]:
        images = _window(images, settings, generator)
    if settings["invert_probability"]:
        chosen = _draw_chosen(images, settings["invert_probability"], generator)
        images = torch.where(chosen, 1 - images, images)
    if settings["cutout_probability"]:
        images = _cut_out(images, settings, generator)
    return images


def _crop(theta: Tensor, settings: AgeAugmentSettings, generator: torch.Generator) -> Tensor:
    """Look only at a part of the moved picture, or at more than it: each of its sides is drawn on its own."""
    count, crop, margin = len(theta), settings["crop"], settings["margin"]
    inwards = torch.rand(count, 4, generator=generator) * (crop + margin) - margin  # left, top, right, bottom
    inwards[torch.rand(count, generator=generator) >= settings["crop_probability"]] = 0
    first, last = inwards[:, :2], inwards[:, 2:]
    turn, shift = theta[:, :, :2], theta[:, :, 2:]
    centre = (first - last)[:, :, None]  # in half sides, as theta is
    half = (1 - first - last)[:, None]
    return torch.cat([turn * half, turn @ centre + shift], 2)


def _blur(images: Tensor, most_px: float, generator: torch.Generator) -> Tensor:
    """Gaussian blur, for each picture with a standard deviation of its own."""
    count, radius = len(images), math.ceil(3 * most_px)
    sigma = (most_px * torch.rand(count, 1, generator=generator)).clamp_min(1e-3)  # that blurs nothing
    kernel = (-0.5 * (torch.arange(-radius, radius + 1) / sigma) ** 2).softmax(1).to(images)  # (B, K)
    planes = F.pad(images.transpose(0, 1), (radius,) * 4, mode="replicate")  # (1, B, H + 2r, W + 2r)
    for shape in ((count, 1, 1, -1), (count, 1, -1, 1)):
        planes = F.conv2d(planes, kernel.view(shape), groups=count)
    return planes.transpose(0, 1)


def _add_noise(images: Tensor, most_sd: float, generator: torch.Generator) -> Tensor:
    sd = (most_sd * torch.rand(len(images), 1, 1, 1, generator=generator)).to(images)
    seed = int(torch.randint(2**62, (), generator=generator))
    grains = torch.Generator(images.device).manual_seed(seed)  # drawn where they are needed: they are many
    return images + sd * torch.randn(images.shape, generator=grains, device=images.device, dtype=images.dtype)


def _window(images: Tensor, settings: AgeAugmentSettings, generator: torch.Generator) -> Tensor:
    shape = len(images), 1, 1, 1
    low = settings["window_low"] * torch.rand(shape, generator=generator).to(images)
    high = 1 - settings["window_high"] * torch.rand(shape, generator=generator).to(images)
    chosen = _draw_chosen(images, settings["window_probability"], generator)
    return torch.where(chosen, ((images - low) / (high - low)).clamp(0, 1), images)


def _cut_out(images: Tensor, settings: AgeAugmentSettings, generator: torch.Generator) -> Tensor:
    """Put a black rectangle anywhere in the picture (DeVries and Taylor 2017, arXiv 1708.04552)."""
    inside = _draw_chosen(images, settings["cutout_probability"], generator)
    for axis in (2, 3):
        middle, half = torch.rand(2, len(images), 1, 1, 1, generator=generator).to(images)
        place = (torch.arange(images.shape[axis], device=images.device) + 0.5) / images.shape[axis]
        off = (place.view(-1, 1) if axis == 2 else place) - middle  # (B, 1, H, 1) or (B, 1, 1, W)
        inside = inside & (off.abs() < 0.5 * settings["cutout"] * half)
    return images.masked_fill(inside, 0)


def _draw_chosen(images: Tensor, probability: float, generator: torch.Generator) -> Tensor:
    """Which pictures are changed, (B, 1, 1, 1) bool."""
    return (torch.rand(len(images), 1, 1, 1, generator=generator) < probability).to(images.device)
