"""A committee of segmentation networks that answers as one."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from boneage_kedro.models.segmenter import Segmenter


class Committee(nn.Module):
    """Networks of one configuration whose probabilities are averaged.

    Its logits are the logarithms of the mean probabilities, so all that works with one `Segmenter` works with a
    committee.

    Raises:
        ValueError: there is no member, or members are of different configurations.
    """

    def __init__(self, members: Sequence[Segmenter]) -> None:
        super().__init__()
        configs = {member.config for member in members}
        if len(configs) != 1:
            raise ValueError(
                f"a committee needs members of one configuration; {len(members)} of {len(configs)} are given"
            )
        self.config = configs.pop()
        self.members = nn.ModuleList(members)

    def forward(self, images: Tensor) -> Tensor:
        """Logits (B, classes, H, W) of gray pictures (B, 1, H, W) in 0 to 1."""
        if len(self.members) == 1:
            only: Tensor = self.members[0](images)
            return only
        shares = [member(images).log_softmax(1) for member in self.members]
        # the mean itself would be 0 where all are sure, and its logarithm not finite
        return torch.stack(shares).logsumexp(0) - torch.tensor(len(shares)).log()
