"""FC-DenseNet: a fully convolutional network of dense blocks, in which every layer sees all before it."""

import torch
from torch import Tensor, nn

from boneage_kedro.models.segmentation_network import SegmentationNetwork


class FCDenseNet(SegmentationNetwork):
    """The network of paper 001, section 2.1 and figure 2, after Jegou et al., CVPR workshops 2017.

    Paper 001 says that there are three transitions down and three up, and 192 maps in the middle. Growth, layers and
    width it does not say. A dense block adds ``layers * growth`` maps to those it is given and a transition down
    keeps their number, so behind the middle block there are ``width + (depth + 1) * layers * growth`` maps: with
    width 48 (Jegou's), depth 3, growth 12 and layers 3 these are 48 + 4 * 36 = 192, and with 64, 3, 16 and 2 they are
    64 + 4 * 32 = 192 as well, at three quarters of the time.

    As in Jegou et al., the way up enlarges only the maps that a block has added, since the skip connections bring
    the others back, and the scores are made from all maps of the last block. Unlike theirs it has no dropout, which
    paper 001 does not mention.
    """

    def __init__(
        self, in_channels: int, classes: int, width: int, depth: int, growth: int, layers: int
    ) -> None:
        """Build it with random weights.

        Args:
            in_channels: channels of the picture.
            classes: channels of the logits.
            width: channels of the first convolution, at full resolution.
            depth: number of transitions down, and up; sides must be multiples of 2 ** depth.
            growth: maps that a layer adds.
            layers: number of layers in each dense block.
        """
        super().__init__()
        self.added = layers * growth
        given = [
            width + i * self.added for i in range(depth + 1)
        ]  # to the block of each scale on the way down
        self.first = nn.Conv2d(in_channels, width, 3, padding=1, bias=False)
        self.down = nn.ModuleList(DenseBlock(channels, growth, layers) for channels in given[:-1])
        self.shrink = nn.ModuleList(transition_down(channels) for channels in given[1:])
        self.middle = DenseBlock(given[-1], growth, layers)
        self.enlarge = nn.ModuleList(transition_up(self.added) for _ in range(depth))
        self.up = nn.ModuleList(DenseBlock(channels + self.added, growth, layers) for channels in given[1:])
        self.head = nn.Conv2d(given[0] + 3 * self.added, classes, 1)

    def with_features(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (B, classes, H, W) of pictures (B, in_channels, H, W), and the maps of the middle layer.

        These are (B, width + (depth + 1) * layers * growth, H / 2 ** depth, W / 2 ** depth), and not rectified.
        """
        x = self.first(x)  # (B, width, H, W)
        skips = []
        for block, shrink in zip(self.down, self.shrink, strict=True):
            x = block(x)  # (B, C + added, h, w)
            skips.append(x)
            x = shrink(x)  # (B, C + added, h / 2, w / 2)
        middle = x = self.middle(x)
        for enlarge, block, skip in zip(
            reversed(self.enlarge), reversed(self.up), reversed(skips), strict=True
        ):
            raised = enlarge(x[:, -self.added :])  # (B, added, 2 h, 2 w)
            x = block(torch.cat([skip, raised], 1))  # (B, C + 2 added, 2 h, 2 w) for a skip of C
        return self.head(x), middle


class DenseBlock(nn.Module):
    """Layers that each see what the block was given and what all layers before have added (Huang et al., 2017)."""

    def __init__(self, channels: int, growth: int, layers: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            pre_activated(channels + i * growth, growth, kernel_px=3) for i in range(layers)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Maps (B, C + layers * growth, H, W): the given ones (B, C, H, W), then the added ones."""
        for layer in self.layers:
            x = torch.cat([x, layer(x)], 1)
        return x


def pre_activated(in_channels: int, out_channels: int, kernel_px: int) -> nn.Sequential:
    """Batch normalisation, ReLU, and a convolution that keeps the size."""
    return nn.Sequential(
        nn.BatchNorm2d(in_channels),
        nn.ReLU(inplace=True),
        nn.Conv2d(in_channels, out_channels, kernel_px, padding=kernel_px // 2, bias=False),
    )


def transition_down(channels: int) -> nn.Sequential:
    """Mix the maps and halve their sides."""
    return nn.Sequential(pre_activated(channels, channels, kernel_px=1), nn.MaxPool2d(2))


def transition_up(channels: int) -> nn.ConvTranspose2d:
    """Double the sides of the maps."""
    return nn.ConvTranspose2d(channels, channels, 3, stride=2, padding=1, output_padding=1, bias=False)
