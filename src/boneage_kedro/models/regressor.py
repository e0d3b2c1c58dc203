"""Bone age from a radiograph: a backbone, global average pooling and one linear head per sex."""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn

from boneage_kedro.models.backbone import block_of_parameters, create_backbone
from boneage_kedro.models.blocks import BLOCKS, Block


@dataclass(frozen=True)
class RegressorConfig:
    """All that is needed to build the network again before its weights are loaded.

    Attributes:
        backbone: name of the network in timm.
        input_px: side of the square picture it is fed.
        age_mean_months: mean bone age of the training part; the network starts from this guess.
        age_sd_months: standard deviation of it; scales the heads, so that weights stay near one.
        dropout: share of pooled features dropped in training, 0 to 1.
    """

    backbone: str
    input_px: int
    age_mean_months: float
    age_sd_months: float
    dropout: float

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON; ``RegressorConfig(**values)`` reads them back."""
        return asdict(self)


class AgeRegressor(nn.Module):
    """Bone age in months as a linear function of the average feature vector, one function for each sex.

    With a linear head on average-pooled features the class activation map is exact: for every picture
    ``activation_map(...).mean() + bias(sex) == forward(...)`` (paper 001, section 2.5). A head per sex keeps
    that property while one network learns from both cohorts; a training part of one sex gives the separate
    cohorts of the paper.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, config: RegressorConfig) -> None:
        super().__init__()
        self.config = config
        self.backbone = create_backbone(config.backbone)
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(cast(int, self.backbone.num_features), 2)
        nn.init.normal_(self.head.weight, std=0.01)  # "normal, zero mean, small deviation", section 2.4
        nn.init.zeros_(self.head.bias)
        statistics = cast(dict[str, Any], self.backbone.pretrained_cfg)
        for name in ("mean", "std"):
            self.register_buffer(name, torch.tensor(statistics[name]).view(1, 3, 1, 1), persistent=False)

    def features(self, images: Tensor) -> Tensor:
        """Feature map (B, C, h, w) of gray pictures (B, 1, H, W) in 0 to 1."""
        return self.backbone((images.expand(-1, 3, -1, -1) - self.mean) / self.std)

    def forward(self, images: Tensor, is_male: Tensor) -> Tensor:
        """Bone age in months (B,) from pictures (B, 1, H, W) in 0 to 1 and sexes (B,) bool."""
        pooled = self.dropout(self.features(images).mean((2, 3)))  # (B, C)
        by_sex = self.head(pooled)  # (B, 2)
        score = by_sex.gather(1, is_male.long()[:, None])[:, 0]  # (B,)
        return self.config.age_mean_months + self.config.age_sd_months * score

    def activation_map(self, images: Tensor, is_male: Tensor) -> tuple[Tensor, Tensor]:
        """Months that each place of the feature map adds to or takes from the bias, and the bias.

        Returns:
            maps (B, h, w) and biases (B,), both in months; ``maps.mean((1, 2)) + biases`` is the prediction.
        """
        weights = self.head.weight[is_male.long()]  # (B, C)
        maps = torch.einsum("bchw,bc->bhw", self.features(images), weights)
        sd = self.config.age_sd_months
        return sd * maps, self.config.age_mean_months + sd * self.head.bias[is_male.long()]

    def free_only(self, blocks: Collection[str]) -> None:
        """Let only these blocks learn; call it after every ``train()``.

        A frozen block also keeps its normalisation statistics: they belong to the weights they were
        learnt with.

        Raises:
            ValueError: a name is not one of entry, middle, exit, head, or none is given.
        """
        unknown = set(blocks) - set(BLOCKS)
        if unknown or not blocks:
            raise ValueError(f"cannot free {sorted(unknown) or 'nothing'}; choose from {', '.join(BLOCKS)}")
        owner: dict[str, Block] = block_of_parameters(self.backbone, self.config.backbone)
        for name, parameter in self.backbone.named_parameters():
            parameter.requires_grad_(owner[name] in blocks)
        self.head.requires_grad_("head" in blocks)
        for module in self.backbone.modules():
            own = list(module.parameters(recurse=False))
            if isinstance(module, nn.modules.batchnorm._NormBase) and not any(p.requires_grad for p in own):
                module.eval()
