"""Bone age from a radiograph: a backbone, global average pooling and one head per sex."""

from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, NamedTuple, cast

import torch
from torch import Tensor, nn

from boneage_kedro.models.backbone import block_of_parameters, create_backbone
from boneage_kedro.models.blocks import BLOCKS, Block

OLDEST_MONTHS = 240.0  # no read age is above it


@dataclass(frozen=True)
class RegressorConfig:
    """All that is needed to build the network again before its weights are loaded.

    Attributes:
        backbone: name of the network in timm, or of a BoNet (`boneage_kedro.models.bonet.create_bonet`).
        input_px: side of the square picture it is fed.
        age_mean_months: mean bone age of the training part; the network starts from this guess.
        age_sd_months: standard deviation of it; scales the heads, so that weights stay near one.
        dropout: share of pooled features dropped in training, 0 to 1.
        bin_months: distance of the ages whose probabilities an expectation head gives; None for a linear head.
    """

    backbone: str
    input_px: int
    age_mean_months: float
    age_sd_months: float
    dropout: float
    bin_months: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON; ``RegressorConfig(**values)`` reads them back."""
        return asdict(self)


class AgeMaps(NamedTuple):
    """Ages by the places of the picture that they come from.

    Attributes:
        maps: (B, h, w) months that each place of the feature map adds to or takes from the rest.
        rests: (B,) months.
        features: (B, C) float, the average of the feature map, from which the age was read.
    """

    maps: Tensor
    rests: Tensor
    features: Tensor

    @property
    def ages(self) -> Tensor:
        """Predictions in months (B,)."""
        return self.maps.mean((1, 2)) + self.rests


class AgeRegressor(nn.Module):
    """Bone age in months from the average feature vector, by one head for each sex.

    A linear head gives the age as a linear function of the features. Then the class activation map is exact: for
    every picture ``activation_map(...).maps.mean() + bias(sex) == forward(...)`` (paper 001, section 2.5). An
    expectation head gives a probability for every age of a grid from 0 to 240 months, and their mean as the age
    (Rothe et al., Int J Comput Vis 2018;126:144). A head per sex keeps these properties while one network learns
    from both cohorts; a training part of one sex gives the separate cohorts of the paper.

    Raises:
        ValueError: the backbone is unknown, or 240 months are no multiple of ``bin_months``.
    """

    mean: Tensor
    std: Tensor
    grid_months: Tensor | None

    def __init__(self, config: RegressorConfig) -> None:
        super().__init__()
        self.config = config
        self.backbone = create_backbone(config.backbone)
        self.dropout = nn.Dropout(config.dropout)
        grid = None if config.bin_months is None else _age_grid(config.bin_months)
        self.register_buffer("grid_months", grid, persistent=False)  # (K,)
        self.head = nn.Linear(cast(int, self.backbone.num_features), 2 * (1 if grid is None else len(grid)))
        nn.init.normal_(self.head.weight, std=0.01)  # "normal, zero mean, small deviation", section 2.4
        nn.init.zeros_(self.head.bias)
        if (
            grid is not None
        ):  # begin with the ages of the training part, as a linear head does with their mean
            prior = -0.5 * ((grid - config.age_mean_months) / config.age_sd_months) ** 2
            self.head.bias.data.copy_(prior.repeat(2))
        statistics = cast(dict[str, Any], self.backbone.pretrained_cfg)
        for name in ("mean", "std"):
            self.register_buffer(name, torch.tensor(statistics[name]).view(1, 3, 1, 1), persistent=False)

    def features(self, images: Tensor) -> Tensor:
        """Feature map (B, C, h, w) of gray pictures (B, 1, H, W) in 0 to 1."""
        return self.backbone((images.expand(-1, 3, -1, -1) - self.mean) / self.std)

    def forward(self, images: Tensor, is_male: Tensor, as_scores: bool = False) -> Tensor:
        """Bone age in months (B,) from pictures (B, 1, H, W) in 0 to 1 and sexes (B,) bool.

        With ``as_scores`` it gives what `ages` makes them of: (B, 1) of a linear head, (B, K) of an expectation
        head.
        """
        pooled = self.dropout(self.features(images).mean((2, 3)))  # (B, C)
        scores = self._scores(pooled, is_male)
        return scores if as_scores else self.ages(scores)

    def _scores(self, pooled: Tensor, is_male: Tensor) -> Tensor:
        with torch.autocast(pooled.device.type, enabled=False):  # 16 bits tell no months apart above 128
            by_sex = self.head(pooled.float()).view(pooled.shape[0], 2, -1)  # (B, 2, K)
        return by_sex[torch.arange(pooled.shape[0], device=pooled.device), is_male.long()]

    def ages(self, scores: Tensor) -> Tensor:
        """Ages in months (B,) of the heads' scores (B, K)."""
        if self.grid_months is None:
            return self.config.age_mean_months + self.config.age_sd_months * scores[:, 0]
        return (scores.softmax(1) * self.grid_months).sum(1)  # a matrix product may be done in 16 bits

    def activation_map(self, images: Tensor, is_male: Tensor) -> AgeMaps:
        """Ages of pictures (B, 1, H, W) in 0 to 1 and sexes (B,) bool by the places that they come from.

        With a linear head the map is exact and the rest is the head's bias. An expectation head is not linear in the
        features: its map is the linear response, the features times the gradient of the age (Grad-CAM without
        the rectifier), and the rest is what is then left of the age, another for each picture.
        """
        features = self.features(images)
        pooled = features.mean((2, 3))
        scores = self._scores(pooled, is_male)
        heads = self.head.weight.view(2, scores.shape[1], -1)[is_male.long()]  # (B, K, C)
        weights = torch.einsum("bk,bkc->bc", self._months_per_score(scores), heads)
        maps = torch.einsum("bchw,bc->bhw", features, weights)
        if self.grid_months is None:
            rests = self.ages(self.head.bias[is_male.long(), None])
        else:
            rests = self.ages(scores) - maps.mean((1, 2))
        return AgeMaps(maps, rests, pooled)

    def _months_per_score(self, scores: Tensor) -> Tensor:
        """Derivative of the age by each score, (B, K)."""
        if self.grid_months is None:
            return torch.full_like(scores, self.config.age_sd_months)
        return scores.softmax(1) * (self.grid_months - self.ages(scores)[:, None])

    def straighten(self, intercept_months: float, slope: float) -> None:
        """From now on give ``intercept_months`` + ``slope`` * the ages of before; maps and rests follow.

        Raises:
            ValueError: the head is no linear one.
        """
        if self.grid_months is not None:
            raise ValueError(
                "a line can be put into a linear head alone, and this one gives an expectation: set head.kind to "
                "linear, or folds.straighten to false"
            )
        mean, sd = self.config.age_mean_months, self.config.age_sd_months
        self.config = replace(
            self.config, age_mean_months=intercept_months + slope * mean, age_sd_months=slope * sd
        )

    def free_only(self, blocks: Collection[str], frozen_statistics: Literal["keep", "update"]) -> None:
        """Let only these blocks learn; call it after every ``train()``.

        BatchNorm of a frozen block either keeps its statistics, which belong to the weights they were learnt with, or
        normalises by each batch and goes on updating them, so that they follow the new kind of pictures.

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
        if frozen_statistics == "update":
            return
        for module in self.backbone.modules():
            own = list(module.parameters(recurse=False))
            if isinstance(module, nn.modules.batchnorm._NormBase) and not any(p.requires_grad for p in own):
                module.eval()


def _age_grid(bin_months: float) -> Tensor:
    """Ages from 0 to 240 months, both included, (K,)."""
    steps = OLDEST_MONTHS / bin_months
    if round(steps) < 1 or abs(steps - round(steps)) > 1e-6:
        raise ValueError(f"bin_months is {bin_months}; {OLDEST_MONTHS:.0f} months must be a multiple of it")
    return torch.linspace(0, OLDEST_MONTHS, round(steps) + 1)
