"""Discriminators of paper 001, section 2.3: is y the gold standard of x, or did the generator make it of x?

Spectral normalisation of every layer (Miyato et al., ICLR 2018) bounds how fast the answer may change with the
picture. So a discriminator cannot win by what nobody sees, such as a fraction of a gray level, and it leaves the
generator a gradient to follow. There is no batch normalisation: a picture is judged on its own.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

_GRID = 4
_SLOPE = 0.2


class PaperDiscriminator(nn.Module):
    """Three convolutions and one fully connected layer, one answer for the whole pair.

    The paper says no more. Here each convolution halves the sides, and their maps are averaged over a grid of 4 x 4
    before the fully connected layer: so pictures of any size from 8 px do, and where something lies still counts.
    """

    def __init__(self, width: int) -> None:
        """Build it with random weights; ``width`` is the number of channels behind the first convolution."""
        super().__init__()
        self.features = nn.Sequential(
            halving(2, width),
            halving(width, 2 * width),
            halving(2 * width, 4 * width),
            nn.AdaptiveAvgPool2d(_GRID),
            nn.Flatten(),
        )
        self.score = spectral_norm(nn.Linear(4 * width * _GRID**2, 1))

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Logits (B, 1) that y is gold, of pictures x and y (B, 1, H, W) in 0 to 1."""
        logits: Tensor = self.score(self.features(torch.cat([x, y], 1)))
        return logits


class PatchDiscriminator(nn.Module):
    """PatchGAN (Isola et al., CVPR 2017, section 3.2.2): one answer for every patch of 70 x 70 px."""

    def __init__(self, width: int) -> None:
        """Build it with random weights; ``width`` is the number of channels behind the first convolution."""
        super().__init__()
        self.layers = nn.Sequential(
            halving(2, width),
            halving(width, 2 * width),
            halving(2 * width, 4 * width),
            convolution(4 * width, 8 * width, stride=1),
            nn.LeakyReLU(_SLOPE),
            convolution(8 * width, 1, stride=1),
        )

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Logits (B, 1, H / 8 - 2, W / 8 - 2) that y is gold, of pictures x and y (B, 1, H, W), at least 24 px."""
        logits: Tensor = self.layers(torch.cat([x, y], 1))
        return logits


DISCRIMINATORS: dict[str, Callable[[int], nn.Module]] = {
    "paper": PaperDiscriminator,
    "patch": PatchDiscriminator,
}


def build_discriminator(name: str, width: int) -> nn.Module:
    """A discriminator with random weights.

    Raises:
        ValueError: there is none of that name.
    """
    if name not in DISCRIMINATORS:
        raise ValueError(f"discriminator {name!r} is not one of {', '.join(DISCRIMINATORS)}")
    return DISCRIMINATORS[name](width)


def convolution(in_channels: int, out_channels: int, stride: int) -> nn.Module:
    """A spectrally normalised 4 x 4 convolution; stride 2 halves the sides, stride 1 takes one pixel off."""
    return spectral_norm(nn.Conv2d(in_channels, out_channels, 4, stride, padding=1))


def halving(in_channels: int, out_channels: int) -> nn.Sequential:
    """Such a convolution of stride 2, and a leaky ReLU."""
    return nn.Sequential(convolution(in_channels, out_channels, stride=2), nn.LeakyReLU(_SLOPE))
