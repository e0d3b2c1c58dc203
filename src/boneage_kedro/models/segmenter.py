"""Bones in a radiograph: a network that gives each pixel a score for every class."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from boneage_kedro.models.encoder_unet import EncoderUNet
from boneage_kedro.models.fc_densenet import FCDenseNet
from boneage_kedro.models.segmentation_network import SegmentationNetwork
from boneage_kedro.models.unet import UNet

_ONE_GRAY_LEVEL = 1 / 255


@dataclass(frozen=True)
class SegmenterConfig:
    """All that is needed to build the network again before its weights are loaded.

    Attributes:
        architecture: a name in ``ARCHITECTURES``, or the name of a convolutional timm network, which then
            gets a U-Net decoder.
        input_px: side of the square picture it is trained on; other multiples of the stride work too.
        classes: number of classes with the background, which is class 0.
        width: channels of the finest scale; they double with each coarser one. With a timm network, those of
            the decoder at half resolution; with fc_densenet, those of its first convolution.
        depth: how often the resolution is halved.
        reduction: the network works on pictures made so many times smaller, and its scores are enlarged again. It
            learns from outlines at full size for the price of the small one.
        growth: maps that a layer of fc_densenet adds; None for other architectures.
        layers: layers in a dense block of fc_densenet; None for other architectures.
    """

    architecture: str
    input_px: int
    classes: int
    width: int
    depth: int
    reduction: int
    growth: int | None = None
    layers: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON; ``SegmenterConfig(**values)`` reads them back."""
        return asdict(self)


def _fc_densenet(config: SegmenterConfig) -> SegmentationNetwork:
    if config.growth is None or config.layers is None:
        raise ValueError(f"architecture {config.architecture!r} needs growth and layers; add them beside it")
    return FCDenseNet(1, config.classes, config.width, config.depth, config.growth, config.layers)


ARCHITECTURES: dict[str, Callable[[SegmenterConfig], SegmentationNetwork]] = {
    "unet": lambda config: UNet(1, config.classes, config.width, config.depth),
    "fc_densenet": _fc_densenet,
}


def _on_timm_network(config: SegmenterConfig) -> SegmentationNetwork:
    return EncoderUNet(config.architecture, config.classes, config.width, config.depth)


class Segmenter(nn.Module):
    """Scores of every pixel for every class, from a radiograph normalised by its own mean and deviation.

    Raises:
        ValueError: fewer than two classes, a side that the network's stride does not divide, growth or layers
            missing or out of place, or an architecture that cannot be built.
    """

    def __init__(self, config: SegmenterConfig) -> None:
        super().__init__()
        if config.classes < 2:
            raise ValueError(f"classes is {config.classes}; count the background too, so at least 2")
        self.config = config
        self.stride = config.reduction * 2**config.depth
        self._check_sides(config.input_px)
        _check_dense(config)
        self.network = ARCHITECTURES.get(config.architecture, _on_timm_network)(config)

    @property
    def encoder(self) -> nn.Module | None:
        """The part that ``PretrainedWeights.load_into`` fills, with the architecture as its name; or None."""
        encoder = getattr(self.network, "encoder", None)
        return encoder if isinstance(encoder, nn.Module) else None

    def forward(self, images: Tensor) -> Tensor:
        """Logits (B, classes, H, W) of gray pictures (B, 1, H, W) in 0 to 1.

        Raises:
            ValueError: a side is no multiple of the stride.
        """
        return self.with_features(images)[0]

    def with_features(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (B, classes, H, W), and the features (B, C, h, w) of the network's middle.

        The middle is where the resolution is lowest, H / stride: what the two halves of the network have in common.

        Raises:
            ValueError: a side is no multiple of the stride.
        """
        self._check_sides(*images.shape[-2:])
        factor = self.config.reduction
        if factor == 1:
            return self.network.with_features(z_score(images))
        logits, features = self.network.with_features(z_score(F.avg_pool2d(images, factor)))
        return F.interpolate(logits, images.shape[-2:], mode="bilinear", align_corners=False), features

    def _check_sides(self, *sides: int) -> None:
        if any(side % self.stride for side in sides):
            raise ValueError(
                f"pictures of {' x '.join(map(str, sides))} px cannot be reduced {self.config.reduction} times and "
                f"halved {self.config.depth} times; their sides must be multiples of {self.stride}"
            )


def _check_dense(config: SegmenterConfig) -> None:
    if config.architecture != "fc_densenet" and (config.growth, config.layers) != (None, None):
        raise ValueError(
            f"architecture {config.architecture!r} has no growth and no layers; remove them or set them to null"
        )


def z_score(images: Tensor) -> Tensor:
    """Take each picture's mean away and divide by its standard deviation (paper 000, section III.A).

    A deviation below one gray level of 8 bits is rounding, not content: it is taken as one gray level, so a
    picture of one gray value gives zeros.
    """
    mean = images.mean((1, 2, 3), keepdim=True)
    deviation = images.std((1, 2, 3), correction=0, keepdim=True)
    return (images - mean) / deviation.clamp_min(_ONE_GRAY_LEVEL)
