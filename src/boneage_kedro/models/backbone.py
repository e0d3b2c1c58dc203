"""Feature extractors, and their blocks in the order that paced transfer learning frees them."""

from collections.abc import Iterable
from typing import Any, cast

import timm
from torch import nn

from boneage_kedro.models.blocks import Block
from boneage_kedro.models.bonet import BoNet, PretrainedStem, create_bonet, is_bonet

# Xception names its flows; timm's feature list of this network points inside its blocks, so it cannot tell.
_XCEPTION_ENTRY = ("conv1.", "bn1.", "conv2.", "bn2.", "block1.", "block2.", "block3.")
_XCEPTION_EXIT = ("block12.", "conv3.", "bn3.", "conv4.", "bn4.")

_ENTRY_REDUCTION = 8
_MIDDLE_REDUCTION = 16


def create_backbone(name: str) -> nn.Module:
    """Build a timm network without its classifier and pooling, or a BoNet, with random weights.

    The result maps (B, 3, H, W) to a feature map (B, C, H / r, W / r); C is its ``num_features``.

    Args:
        name: of the network in timm, or one of `boneage_kedro.models.bonet.create_bonet`.

    Raises:
        ValueError: timm has no network of that name.
    """
    if is_bonet(name):
        return create_bonet(name)
    if not timm.is_model(name):
        known = (
            ", ".join(timm.list_models(f"*{name.rsplit('_', maxsplit=1)[-1]}*")[:8])
            or "see timm.list_models()"
        )
        raise ValueError(f"backbone {name!r} is not a timm network; close names: {known}")
    return timm.create_model(name, pretrained=False, num_classes=0, global_pool="")


def pretrained_part(backbone: nn.Module, name: str) -> tuple[nn.Module, str]:
    """What ``PretrainedWeights.load_into`` is to fill of a backbone, and its name in timm.

    Raises:
        ValueError: none of it is of timm.
    """
    if not isinstance(backbone, BoNet):
        return backbone, name
    if not isinstance(backbone.stem, PretrainedStem):
        raise ValueError(
            f"there are no pretrained weights for {name!r}; set initial_weights to random, or name a timm network "
            f"that lends its first layers, as in {name}:vgg16"
        )
    return backbone.stem.network, backbone.stem.name


def block_of_parameters(backbone: nn.Module, name: str) -> dict[str, Block]:
    """Say for each parameter of a backbone whether it belongs to the entry, middle or exit block.

    Xception is cut into its own flows (paper 001, figure 5). Every other network is cut by its strides: the
    entry block ends where the feature map is 1/8 of the picture, the middle block at 1/16.
    """
    names = [parameter for parameter, _ in backbone.named_parameters()]
    if name.endswith("xception"):
        return {parameter: _xception_flow(parameter) for parameter in names}
    entry_end = _last_index(backbone, names, _ENTRY_REDUCTION)
    middle_end = _last_index(backbone, names, _MIDDLE_REDUCTION)
    return {
        parameter: "entry" if i <= entry_end else "middle" if i <= middle_end else "exit"
        for i, parameter in enumerate(names)
    }


def _xception_flow(parameter: str) -> Block:
    if parameter.startswith(_XCEPTION_ENTRY):
        return "entry"
    return "exit" if parameter.startswith(_XCEPTION_EXIT) else "middle"


def _last_index(backbone: nn.Module, names: list[str], reduction: int) -> int:
    """Index of the last parameter that works at the given stride or a finer one."""
    information = cast(Iterable[dict[str, Any]], backbone.feature_info)
    stages = [stage["module"] for stage in information if stage["reduction"] <= reduction]
    found = [i for i, parameter in enumerate(names) if any(parameter.startswith(f"{s}.") for s in stages)]
    if not found:
        raise ValueError(
            f"{type(backbone).__name__} has no stage at stride {reduction} or finer, so it cannot be cut into "
            "entry, middle and exit blocks; choose a convolutional timm network"
        )
    return found[-1]
