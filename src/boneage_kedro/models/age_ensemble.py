"""Age regressors that answer as one."""

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from boneage_kedro.models.regressor import AgeMaps, AgeRegressor, RegressorConfig
from boneage_kedro.models.regressor_start import start_from


class AgeEnsemble(nn.Module):
    """Networks of one kind whose ages are averaged; all that works with one `AgeRegressor` works with it.

    Maps and rests are averaged as well, so they still add up to the age.

    Raises:
        ValueError: there is no member, or members differ in backbone or size.
    """

    def __init__(self, members: Sequence[AgeRegressor]) -> None:
        super().__init__()
        kinds = {(member.config.backbone, member.config.input_px) for member in members}
        if len(kinds) != 1:
            raise ValueError(
                f"an ensemble needs members of one backbone and size; {len(members)} of {len(kinds)} kinds are given"
            )
        self.members = nn.ModuleList(members)

    @property
    def regressors(self) -> list[AgeRegressor]:
        """The members."""
        return [cast(AgeRegressor, member) for member in self.members]

    @property
    def config(self) -> RegressorConfig:
        """That of the first member; others differ in no more than mean and deviation of the ages they learnt from."""
        return self.regressors[0].config

    @property
    def backbone(self) -> nn.Module:
        """That of the first member; the cells of all lie at the same places."""
        return self.regressors[0].backbone

    def features(self, images: Tensor) -> Tensor:
        """Feature map (B, C, h, w) of the first member: features of networks apart share no basis."""
        return self.regressors[0].features(images)

    def forward(self, images: Tensor, is_male: Tensor) -> Tensor:
        """Mean bone age in months (B,), of pictures (B, 1, H, W) in 0 to 1 and sexes (B,) bool."""
        return torch.stack([member(images, is_male) for member in self.regressors]).mean(0)

    def activation_map(self, images: Tensor, is_male: Tensor) -> AgeMaps:
        """Mean maps and rests (see `AgeRegressor.activation_map`), and the features of the first member."""
        seen = [member.activation_map(images, is_male) for member in self.regressors]
        maps = torch.stack([one.maps for one in seen]).mean(0)
        return AgeMaps(maps, torch.stack([one.rests for one in seen]).mean(0), seen[0].features)


def merge(ensemble: AgeEnsemble) -> AgeRegressor:
    """One network with the mean of the members' weights (Wortsman et al., ICML 2022), which must have begun alike.

    Raises:
        ValueError: the members have heads of different kinds.
    """
    own = ensemble.config
    states = []
    for member in ensemble.regressors:
        alike = AgeRegressor(own)
        if not start_from(alike, member.state_dict(), member.config):  # heads differ in scale
            raise ValueError("networks with heads of different kinds have no mean of their weights")
        states.append(alike.state_dict())
    merged = AgeRegressor(own)
    mean = {name: torch.stack([state[name].double() for state in states]).mean(0) for name in states[0]}
    merged.load_state_dict(mean)
    return merged


AgeNetwork = AgeRegressor | AgeEnsemble
"""What reads ages from pictures."""
