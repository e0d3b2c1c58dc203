"""A light U-Net decoder on any convolutional timm network."""

from itertools import pairwise
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from boneage_kedro.models.backbone import create_backbone
from boneage_kedro.models.segmentation_network import SegmentationNetwork
from boneage_kedro.models.unet import conv


class EncoderUNet(SegmentationNetwork):
    """Feature maps of a timm network, joined from coarse to fine as in U-Net, one convolution a scale.

    The decoder ends at the encoder's finest scale, 1/2 or 1/4 of the picture; the logits are enlarged from
    there bilinearly, which saves the dearest convolutions.

    Attributes:
        encoder: the timm network cut behind its last used stage. Parameters keep timm's names, so
            ``PretrainedWeights.load_into`` fills it as it fills a whole backbone.
    """

    def __init__(self, backbone: str, classes: int, width: int, depth: int) -> None:
        """Build it with random weights.

        Args:
            backbone: name of a convolutional network in timm.
            classes: channels of the logits.
            width: channels of the decoder at 1/2 of the picture; they double with each coarser scale.
            depth: the coarsest scale used is 1 / 2 ** depth.

        Raises:
            ValueError: timm has no such network, or it has no pyramid of scales down to that one.
        """
        super().__init__()
        self.encoder, self.encoder_name = create_backbone(backbone), backbone
        stages, channels, reductions = _pyramid(self.encoder, backbone, depth)
        # what lies behind the last stage would never learn
        self.stages: list[int] = cast(Any, self.encoder).prune_intermediate_layers(
            stages, prune_norm=True, prune_head=True
        )
        widths = [width * reduction // 2 for reduction in reductions[:-1]] + [channels[-1]]
        self.up = nn.ModuleList(
            conv(skip + coarser, own)
            for skip, own, coarser in zip(channels[:-1], widths[:-1], widths[1:], strict=True)
        )
        self.head = nn.Conv2d(widths[0], classes, 1)

    def with_features(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (B, classes, H, W) of gray pictures (B, 1, H, W), and the encoder's deepest features."""
        size = x.shape[-2:]
        *skips, deepest = cast(Any, self.encoder).forward_intermediates(
            x.expand(-1, 3, -1, -1), indices=self.stages, intermediates_only=True
        )
        x = deepest
        for up, skip in zip(reversed(self.up), reversed(skips), strict=True):
            # some networks pad less than fully, so a scale is not always exactly twice the next
            x = F.interpolate(x, skip.shape[-2:], mode="nearest")
            x = up(torch.cat([skip, x], 1))  # (B, C, h, w) of the skip
        return F.interpolate(self.head(x), size, mode="bilinear", align_corners=False), deepest


def _pyramid(encoder: nn.Module, name: str, depth: int) -> tuple[list[int], list[int], list[int]]:
    """Indices, channels and reductions of the stages from 1/2 to 1 / 2 ** depth, finest first."""
    information = cast(list[dict[str, Any]], list(cast(Any, encoder.feature_info)))
    used = [
        (i, s["num_chs"], s["reduction"])
        for i, s in enumerate(information)
        if 2 <= s["reduction"] <= 2**depth
    ]
    reductions = [reduction for _, _, reduction in used]
    doubles = all(b == 2 * a for a, b in pairwise(reductions))
    if len(used) < 2 or not doubles or reductions[-1] != 2**depth:
        have = ", ".join(f"1/{s['reduction']}" for s in information)
        raise ValueError(
            f"{name!r} has features at {have} of the picture, which is no pyramid down to 1/{2**depth}; "
            "choose a convolutional timm network or another depth"
        )
    return [i for i, _, _ in used], [channels for _, channels, _ in used], reductions
