"""U-Net: an encoder of plain convolutions and a decoder that sees every scale again."""

import torch
from torch import Tensor, nn

from boneage_kedro.models.segmentation_network import SegmentationNetwork


class UNet(SegmentationNetwork):
    """U-Net (Ronneberger et al., MICCAI 2015, figure 1) with batch normalisation and same padding.

    With same padding the logits have the size of the picture, so nothing is cropped at the skip connections.
    """

    def __init__(self, in_channels: int, classes: int, width: int, depth: int) -> None:
        """Build it with random weights.

        Args:
            in_channels: channels of the picture.
            classes: channels of the logits.
            width: channels at full resolution; they double with each pooling.
            depth: number of poolings; sides must be multiples of 2 ** depth.
        """
        super().__init__()
        self.first = double_conv(in_channels, width)
        scales = range(depth)
        self.down = nn.ModuleList(double_conv(width << i, width << (i + 1)) for i in scales)
        self.raise_ = nn.ModuleList(nn.ConvTranspose2d(width << (i + 1), width << i, 2, 2) for i in scales)
        self.up = nn.ModuleList(double_conv(width << (i + 1), width << i) for i in scales)
        self.pool = nn.MaxPool2d(2)
        self.head = nn.Conv2d(width, classes, 1)

    def with_features(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (B, classes, H, W) of pictures (B, in_channels, H, W), and what lies at the bottom of the U."""
        x = self.first(x)  # (B, width, H, W)
        skips = []
        for down in self.down:
            skips.append(x)
            x = down(self.pool(x))  # (B, 2 C, h / 2, w / 2)
        bottom = x
        for raise_, up, skip in zip(reversed(self.raise_), reversed(self.up), reversed(skips), strict=True):
            x = up(torch.cat([skip, raise_(x)], 1))  # (B, C / 2, 2 h, 2 w)
        return self.head(x), bottom


def conv(in_channels: int, out_channels: int) -> nn.Sequential:
    """A 3 x 3 convolution that keeps the size, batch normalisation and ReLU."""
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(inplace=True),
    )


def double_conv(in_channels: int, out_channels: int) -> nn.Sequential:
    """Two of them, as at every scale of U-Net."""
    return nn.Sequential(conv(in_channels, out_channels), conv(out_channels, out_channels))
