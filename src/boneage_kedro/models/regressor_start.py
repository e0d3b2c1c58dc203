"""Starting a network for bone age where an earlier one of the same backbone has ended."""

from collections.abc import Mapping

import torch
from torch import Tensor

from boneage_kedro.models.regressor import AgeRegressor, RegressorConfig


def start_from(model: AgeRegressor, weights: Mapping[str, Tensor], source: RegressorConfig) -> bool:
    """Take over backbone and heads of a trained network, in place; say whether the heads could be taken.

    Heads of the same kind give the same ages as before: a linear head is scaled from the ages that it was trained on
    to those of this network. Heads of another kind stay as they are.

    Raises:
        ValueError: the networks are on different backbones, or the weights do not belong to the source.
    """
    if source.backbone != model.config.backbone:
        raise ValueError(
            f"the run to start from is on backbone {source.backbone!r}, this network on {model.config.backbone!r}; "
            "choose the same backbone, or other initial_weights"
        )
    earlier = AgeRegressor(source)
    try:
        earlier.load_state_dict(dict(weights))
    except RuntimeError as error:
        raise ValueError(
            "weights and settings of the run to start from do not belong together; copy both files again from one run"
        ) from error
    model.backbone.load_state_dict(earlier.backbone.state_dict())
    if source.bin_months != model.config.bin_months:
        return False
    model.head.load_state_dict(earlier.head.state_dict())
    if source.bin_months is None:
        _rescale(model, source)
    return True


@torch.no_grad()
def _rescale(model: AgeRegressor, source: RegressorConfig) -> None:
    """Let mean + sd * score give what it gave with the mean and deviation of the source."""
    own, head = model.config, model.head
    head.weight.mul_(source.age_sd_months / own.age_sd_months)
    head.bias.mul_(source.age_sd_months / own.age_sd_months)
    head.bias.add_((source.age_mean_months - own.age_mean_months) / own.age_sd_months)
