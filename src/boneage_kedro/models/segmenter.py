"""Bones in a radiograph: a network that gives each pixel a score for every class."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from boneage_kedro.models.encoder_unet import EncoderUNet
from boneage_kedro.models.fc_densenet import FCDenseNet
from boneage_kedro.models.fcn import FCN, STRIDES
from boneage_kedro.models.segmentation_network import SegmentationNetwork
from boneage_kedro.models.unet import UNet

_ONE_GRAY_LEVEL = 1 / 255
_POOLINGS_OF_VGG16 = 5
_OWNERS = {"growth": "fc_densenet", "layers": "fc_densenet", "head_channels": "fcn"}  # how their names begin


@dataclass(frozen=True)
class SegmenterConfig:
    """All that is needed to build the network again before its weights are loaded.

    Attributes:
        architecture: a name in ``ARCHITECTURES``, or the name of a convolutional timm network, which then
            gets a U-Net decoder.
        input_px: side of the square picture it is trained on; other multiples of the stride work too.
        classes: number of classes with the background, which is class 0.
        width: channels of the finest scale; they double with each coarser one. With a timm network, those of
            the decoder at half resolution; with fc_densenet and fcn, those of its first convolution.
        depth: how often the resolution is halved; 5 for fcn.
        reduction: the network works on pictures made so many times smaller, and its scores are enlarged again. It
            learns from outlines at full size for the price of the small one.
        growth: maps that a layer of fc_densenet adds; None for other architectures.
        layers: layers in a dense block of fc_densenet; None for other architectures.
        head_channels: of the fully connected layers that fcn has turned into convolutions; None for other
            architectures.
    """

    architecture: str
    input_px: int
    classes: int
    width: int
    depth: int
    reduction: int
    growth: int | None = None
    layers: int | None = None
    head_channels: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON; ``SegmenterConfig(**values)`` reads them back."""
        return asdict(self)


def _fc_densenet(config: SegmenterConfig) -> SegmentationNetwork:
    if config.growth is None or config.layers is None:
        raise ValueError(f"architecture {config.architecture!r} needs growth and layers; add them beside it")
    return FCDenseNet(1, config.classes, config.width, config.depth, config.growth, config.layers)


def _fcn(stride: int, config: SegmenterConfig) -> SegmentationNetwork:
    if config.head_channels is None:
        raise ValueError(f"architecture {config.architecture!r} needs head_channels; add it beside it")
    if config.depth != _POOLINGS_OF_VGG16:
        raise ValueError(
            f"depth is {config.depth}, but {config.architecture!r} halves {_POOLINGS_OF_VGG16} times, as VGG16 does; "
            f"set it to {_POOLINGS_OF_VGG16}"
        )
    return FCN(config.classes, stride, config.width, config.head_channels)


ARCHITECTURES: dict[str, Callable[[SegmenterConfig], SegmentationNetwork]] = {
    "unet": lambda config: UNet(1, config.classes, config.width, config.depth),
    "fc_densenet": _fc_densenet,
    **{f"fcn{stride}s": partial(_fcn, stride) for stride in STRIDES},
}


def _on_timm_network(config: SegmenterConfig) -> SegmentationNetwork:
    return EncoderUNet(config.architecture, config.classes, config.width, config.depth)


class Segmenter(nn.Module):
    """Scores of every pixel for every class, from a radiograph normalised by its own mean and deviation.

    Raises:
        ValueError: fewer than two classes, a side that the network's stride does not divide, a setting of some
            architectures missing or out of place, or an architecture that cannot be built.
    """

    def __init__(self, config: SegmenterConfig) -> None:
        super().__init__()
        if config.classes < 2:
            raise ValueError(f"classes is {config.classes}; count the background too, so at least 2")
        _check_owners(config)
        self.config = config
        self.network = ARCHITECTURES.get(config.architecture, _on_timm_network)(config)
        self.stride = config.reduction * (1 if self.network.any_size else 2**config.depth)
        self._check_sides(config.input_px)

    @property
    def encoder(self) -> nn.Module | None:
        """The part that ``PretrainedWeights.load_into`` fills under the name `encoder_name`; or None."""
        encoder = getattr(self.network, "encoder", None)
        return encoder if isinstance(encoder, nn.Module) else None

    @property
    def encoder_name(self) -> str:
        """What a pretrained network is called whose weights fill `encoder`; empty without one."""
        return self.network.encoder_name

    def forward(self, images: Tensor) -> Tensor:
        """Logits (B, classes, H, W) of gray pictures (B, 1, H, W) in 0 to 1.

        Raises:
            ValueError: a side is no multiple of the stride.
        """
        return self.with_features(images)[0]

    def with_features(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (B, classes, H, W), and the features (B, C, h, w) of the network's middle.

        The middle is where the resolution is lowest, H / (reduction * 2 ** depth), rounded up if the network takes
        pictures of any size: what the two halves of the network have in common.

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


def _check_owners(config: SegmenterConfig) -> None:
    foreign = [
        name
        for name, owner in _OWNERS.items()
        if getattr(config, name) is not None and not config.architecture.startswith(owner)
    ]
    if foreign:
        raise ValueError(
            f"architecture {config.architecture!r} has no {' and no '.join(foreign)}; remove it or set it to null"
        )


def z_score(images: Tensor) -> Tensor:
    """Take each picture's mean away and divide by its standard deviation (paper 000, section III.A).

    A deviation below one gray level of 8 bits is rounding, not content: it is taken as one gray level, so a
    picture of one gray value gives zeros.
    """
    mean = images.mean((1, 2, 3), keepdim=True)
    deviation = images.std((1, 2, 3), correction=0, keepdim=True)
    return (images - mean) / deviation.clamp_min(_ONE_GRAY_LEVEL)
