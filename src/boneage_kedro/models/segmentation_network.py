"""What a network must offer to be part of a `boneage_kedro.models.segmenter.Segmenter`."""

from torch import Tensor, nn


class SegmentationNetwork(nn.Module):
    """Narrows a picture down to its middle features, and widens these again to scores of its pixels.

    Attributes:
        encoder_name: of the pretrained network whose weights fill the part ``encoder``; empty without such a part.
        any_size: whether it takes pictures of any size; else their sides must be multiples of 2 ** depth.
    """

    encoder_name: str = ""
    any_size: bool = False

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, classes, H, W) of pictures (B, in_channels, H, W)."""
        return self.with_features(x)[0]

    def with_features(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The logits, and the features (B, C, h, w) of the coarsest scale that they were made from."""
        raise NotImplementedError
