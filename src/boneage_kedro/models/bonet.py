"""BoNet: five convolutional layers, one that moves the hand into place, and one fully connected layer."""

import math
import re
from typing import Any, cast

import timm
import torch
from torch import Tensor, nn
from torch.nn import functional as F

_NAME = re.compile(r"bonet(?P<rigid>_rigid)?(/(?P<division>[1-9]\d?))?(:(?P<stem>.*))?")

_WIDTHS = 96, 256, 512, 1024, 1024
_FEATURES = 2048
_GRID = 3  # side of the map that the fully connected layer sees
_LOCATION_WIDTH, _LOCATION_GRID = 32, 4
_REACH = 0.5  # most that an entry of the deformation differs from the identity
_STEM_REDUCTION = 8
_PLAIN_STATISTICS = {"mean": (0.5, 0.5, 0.5), "std": (0.5, 0.5, 0.5)}


def is_bonet(name: str) -> bool:
    """Whether the name of a backbone is one of `create_bonet`."""
    return _NAME.fullmatch(name) is not None


def create_bonet(name: str) -> "BoNet":
    """Build a BoNet with random weights.

    Args:
        name: ``bonet``; ``bonet_rigid`` has no deformation layer; ``bonet:vgg16`` has the layers of this network in
            timm up to 1/8 of the picture in place of its own first two; ``bonet/4`` has a fourth of the maps and
            features in each of its own layers, for machines without a GPU. All go together: ``bonet_rigid/4:vgg16``.

    Raises:
        ValueError: timm has no such network, or it has no layers that end at 1/8 of the picture.
    """
    parts = _NAME.fullmatch(name)
    if parts is None:
        raise ValueError(f"{name!r} is no BoNet; name it as in bonet, bonet_rigid, bonet/4 or bonet:vgg16")
    return BoNet(parts["stem"] or None, deforms=not parts["rigid"], division=int(parts["division"] or 1))


class BoNet(nn.Module):
    """The network of Spampinato et al., Med Image Anal 2017;36:41 (paper 003), as a backbone of `AgeRegressor`.

    What is known of it here is the order of its layers: five convolutions, of which the first are taken over from
    OverFeat, a deformation layer (a spatial transformer on the feature maps), one fully connected layer and a linear
    output, which `AgeRegressor` adds, one for each sex. The rest is a choice of this project:

    - kernels and widths are those of OverFeat's fast model (Sermanet et al. 2014, arXiv 1312.6229, table 1), since
      the first layers come from OverFeat. Its weights cannot be had, so another pretrained network lends its own.
    - Batch normalisation behind every layer, which lets it learn from few pictures without OverFeat's weights;
      without it behind the fully connected layer, a step of Adam moves the age by more than it is.
    - The deformation layer lies behind the first two layers, so that those can come from any network.
    - The last map is reduced to 3 x 3 places, so that any size of picture does; OverFeat has 6 x 6 of one size. The
      fully connected layer gives 2,048 features.

    The features are of the whole picture, (B, 2048, 1, 1), so an activation map of it has one place: BoNet does not
    show where it looks.

    Attributes:
        stem: the first two layers, or those of the pretrained network with timm's names.
        pretrained_cfg: mean and deviation of the gray values that the stem wants.
        feature_info: where `boneage_kedro.models.backbone.block_of_parameters` cuts it: the stem is the entry block,
            the fifth convolution and the fully connected layer are the exit block.
    """

    def __init__(self, stem: str | None, deforms: bool, division: int = 1) -> None:
        super().__init__()
        first, second, third, fourth, fifth, features = (n // division for n in (*_WIDTHS, _FEATURES))
        self.stem = _own_stem(first, second) if stem is None else PretrainedStem(stem)
        width = second if stem is None else cast(int, self.stem.width)
        self.deformation = Deformation(width) if deforms else nn.Identity()
        self.conv3 = _conv(width, third, 3)
        self.conv4 = _conv(third, fourth, 3)
        self.conv5 = _conv(fourth, fifth, 3)
        self.fully_connected = nn.Sequential(
            nn.Linear(fifth * _GRID**2, features, bias=False),
            nn.BatchNorm1d(features),
            nn.ReLU(inplace=True),
        )
        self.num_features = features
        self.pretrained_cfg = _PLAIN_STATISTICS
        if stem is not None:
            self.pretrained_cfg = cast(dict[str, Any], self.stem.statistics)
        self.feature_info = [
            {"module": "stem", "num_chs": width, "reduction": 8},
            {"module": "conv4", "num_chs": fourth, "reduction": 16},
            {"module": "fully_connected", "num_chs": features, "reduction": 32},
        ]

    def forward(self, x: Tensor) -> Tensor:
        """Features (B, 2048 / division, 1, 1) of normalised pictures (B, 3, H, W), sides of 16 pixels at least."""
        x = F.max_pool2d(self.stem(x), 2, ceil_mode=True)  # (B, C, H / 16, W / 16)
        x = self.conv5(self.conv4(self.conv3(self.deformation(x))))
        x = F.adaptive_max_pool2d(x, _GRID)  # (B, 1024 / division, 3, 3)
        return self.fully_connected(x.flatten(1))[:, :, None, None]  # (B, 2048 / division, 1, 1)


class PretrainedStem(nn.Module):
    """The first layers of a timm network, up to 1/8 of the picture.

    Attributes:
        network: these layers; ``PretrainedWeights.load_into`` fills them under ``name``.
        width: number of maps that they give.
        statistics: timm's settings of it, with the mean and deviation of the gray values that it wants.

    Raises:
        ValueError: timm has no such network, or none of its stages ends at 1/8.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        if not timm.is_model(name):
            raise ValueError(f"{name!r} is not a timm network; name one behind bonet: or leave it out")
        self.name = name
        self.network = timm.create_model(name, pretrained=False, num_classes=0, global_pool="")
        self.statistics = cast(dict[str, Any], self.network.pretrained_cfg)
        stages = cast(list[dict[str, Any]], list(cast(Any, self.network.feature_info)))
        last = [i for i, stage in enumerate(stages) if stage["reduction"] == _STEM_REDUCTION]
        if not last or not hasattr(self.network, "prune_intermediate_layers"):
            raise ValueError(f"{name!r} has no stage at 1/{_STEM_REDUCTION} of the picture; choose another")
        self.width = cast(int, stages[last[0]]["num_chs"])
        # what lies behind it would never learn
        self.last = cast(Any, self.network).prune_intermediate_layers(
            last[:1], prune_norm=True, prune_head=True
        )

    def forward(self, x: Tensor) -> Tensor:
        """Maps (B, width, H / 8, W / 8) of normalised pictures (B, 3, H, W)."""
        (maps,) = cast(Any, self.network).forward_intermediates(x, indices=self.last, intermediates_only=True)
        return cast(Tensor, maps)


class Deformation(nn.Module):
    """A spatial transformer (Jaderberg et al. 2015, arXiv 1506.02025, section 3), which starts as the identity.

    From the maps themselves it reads an affine map for each picture, and looks the maps up by it, so that the layers
    behind it see all hands alike. What comes in from outside is 0.

    The map stays near the identity: maps that are moved out of sight say nothing of how to bring them back.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.localisation = nn.Sequential(
            _conv(width, _LOCATION_WIDTH, 3), nn.AdaptiveAvgPool2d(_LOCATION_GRID), nn.Flatten()
        )
        self.theta = nn.Linear(_LOCATION_WIDTH * _LOCATION_GRID**2, 6)
        nn.init.zeros_(self.theta.weight)
        nn.init.zeros_(self.theta.bias)

    def forward(self, maps: Tensor) -> Tensor:
        """Moved maps, (B, C, h, w) as they came."""
        theta = self.affine(maps)
        with torch.autocast(maps.device.type, enabled=False):  # 16 bits would blur by rounding the places
            grid = F.affine_grid(theta.float(), list(maps.shape), align_corners=False)
            moved = F.grid_sample(maps.float(), grid, align_corners=False)
        return moved.to(maps.dtype)

    def affine(self, maps: Tensor) -> Tensor:
        """The maps of output to input places, (B, 2, 3), in units of half a side."""
        seen = self.localisation(maps)
        # Adam moves each of many weights by the learning rate; divided, they do not move too far together
        change = self.theta(seen / math.sqrt(seen.shape[1])).tanh().view(-1, 2, 3) * _REACH
        return change + torch.eye(2, 3, device=maps.device)


def _own_stem(first: int, second: int) -> nn.Module:
    """The first two layers of OverFeat's fast model; maps (B, second, H / 8, W / 8)."""
    return nn.Sequential(
        _conv(3, first, 11, stride=4),
        nn.MaxPool2d(2, ceil_mode=True),
        _conv(first, second, 5),
    )


def _conv(in_channels: int, out_channels: int, kernel: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel, stride, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(inplace=True),
    )
