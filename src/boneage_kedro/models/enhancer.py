"""The generator of paper 001, section 2.3: a U-Net that gives a hand the contrast of the gold standard."""

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from boneage_kedro.models.unet import UNet

# A quarter of a gray level of 8 bits: keeps the logits of black and white finite, and rounding does not see it.
_BLACK = 0.25 / 255


@dataclass(frozen=True)
class EnhancerConfig:
    """All that is needed to build the network again before its weights are loaded.

    Attributes:
        width: channels at full resolution; they double with each halving.
        depth: how often the resolution is halved; with 4 a pixel's answer depends on those within about 90 px.
    """

    width: int
    depth: int

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON; ``EnhancerConfig(**values)`` reads them back."""
        return asdict(self)


class Enhancer(nn.Module):
    """An enhanced picture of the same size; the same input always gives the same output, as there is no noise input.

    The U-Net says by how much the logit of each gray value changes. Brightness and contrast are a shift and a scale
    there, the result cannot leave 0 to 1, and no gradient is lost at the ends as it would be by clamping. The last
    layer starts at zero, so the untrained network returns its input: training begins from "do nothing", which is
    safe, instead of from a gray picture in which all structure has to be drawn anew.
    """

    def __init__(self, config: EnhancerConfig) -> None:
        super().__init__()
        self.config = config
        self.stride: int = 2**config.depth
        self.network = UNet(1, 1, config.width, config.depth)
        for parameter in self.network.head.parameters():
            nn.init.zeros_(parameter)

    def forward(self, images: Tensor) -> Tensor:
        """Enhanced pictures (B, 1, H, W) of pictures (B, 1, H, W), both in 0 to 1; any size, edges repeat outwards.

        Gray values nearer to black or white than a quarter of a level of 8 bits are taken as so near.
        """
        height, width = images.shape[-2:]
        # repeating the edge works for the smallest picture, where mirroring would need more rows than there are
        padded = F.pad(images, (0, -width % self.stride, 0, -height % self.stride), mode="replicate")
        change = self.network(padded)[..., :height, :width]
        return torch.sigmoid(images.logit(_BLACK) + change.float())  # 16 bits would show as steps of gray
