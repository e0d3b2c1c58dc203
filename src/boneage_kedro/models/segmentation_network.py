"""What a network must offer to be part of a `boneage_kedro.models.segmenter.Segmenter`."""

from torch import Tensor, nn


class SegmentationNetwork(nn.Module):
    """Narrows a picture down to its middle features, and widens these again to scores of its pixels."""

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, classes, H, W) of pictures (B, in_channels, H, W)."""
        return self.with_features(x)[0]

    def with_features(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The logits, and the features (B, C, h, w) of the coarsest scale that they were made from."""
        raise NotImplementedError
