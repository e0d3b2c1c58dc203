"""The radius-ulna block in a radiograph: a heat map of its centre, and from each place the way to its sides."""

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from boneage_kedro.models.segmenter import z_score
from boneage_kedro.models.unet import UNet

_RARE = (
    -4.6
)  # a score of 1%: at first there is a block nowhere (Lin et al. 2017, arXiv 1708.02002, section 4.1)
_NEAR = -2.0  # sides at first lie an eighth of the picture away


@dataclass(frozen=True)
class DetectorConfig:
    """All that is needed to build the network again before its weights are loaded.

    Attributes:
        input_px: side of the square picture it is trained on.
        width: maps of U-Net at full resolution; they double with each pooling.
        depth: how often the resolution is halved.
    """

    input_px: int
    width: int
    depth: int

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON; ``DetectorConfig(**values)`` reads them back."""
        return asdict(self)


class BlockDetector(nn.Module):
    """A U-Net with five maps: the score of the block's centre, and the distances to its four sides.

    A centre's heat map as in CenterNet (Zhou et al. 2019, arXiv 1904.07850), with distances to the sides as in FCOS
    (Tian et al. 2019, arXiv 1904.01355), for one box at most.

    Raises:
        ValueError: the side is no multiple of 2 ** depth.
    """

    def __init__(self, config: DetectorConfig) -> None:
        super().__init__()
        if config.input_px % 2**config.depth:
            raise ValueError(
                f"pictures of {config.input_px} px cannot be halved {config.depth} times; give input_px a multiple "
                f"of {2**config.depth}"
            )
        self.config = config
        self.network = UNet(1, 5, config.width, config.depth)
        bias = torch.tensor([_RARE, _NEAR, _NEAR, _NEAR, _NEAR])
        self.network.head.bias = nn.Parameter(bias)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """What each place says of the block in pictures (B, 1, H, W) in 0 to 1.

        Returns:
            logits (B, H, W) of being its centre, and the boxes (B, H, W, 4) that each place sees, in shares of the
            picture's sides.
        """
        maps = self.network(z_score(images)).float()  # (B, 5, H, W)
        distances = maps[:, 1:].sigmoid().permute(0, 2, 3, 1)
        centres = places(images)  # (H, W, 2)
        return maps[:, 0], torch.cat([centres - distances[..., :2], centres + distances[..., 2:]], 3)

    def detect(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """The likeliest block of each picture.

        Returns:
            boxes (B, 4) in shares of the picture's sides, within it, and their confidences (B,), 0 to 1.
        """
        logits, boxes = self(images)
        confidences, at = logits.flatten(1).sigmoid().max(1)
        return boxes.flatten(1, 2)[torch.arange(len(at), device=at.device), at].clamp(0, 1), confidences


def places(images: Tensor) -> Tensor:
    """Where the centres of the pixels of (B, C, H, W) lie, x and y in shares of the sides, (H, W, 2)."""
    height, width = images.shape[-2:]
    y = (torch.arange(height, device=images.device) + 0.5) / height
    x = (torch.arange(width, device=images.device) + 0.5) / width
    return torch.stack(torch.meshgrid(x, y, indexing="xy"), 2)
