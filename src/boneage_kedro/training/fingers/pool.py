"""The pool of pictures without masks: scoring it, and choosing what to learn from."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
import torch
from rich.progress import track
from torch import Tensor

from boneage_kedro.masks.crf_settings import CrfSettings
from boneage_kedro.masks.dense_crf import refine
from boneage_kedro.models.segmenter import Segmenter
from boneage_kedro.training.fingers.settings import SelfTrainSettings
from boneage_kedro.training.seeding import derive_seed
from boneage_kedro.training.segmentation.network_training import predict
from boneage_kedro.training.segmentation.overlap import label_dice, most_likely
from boneage_kedro.training.segmentation.samples import Pictures
from boneage_kedro.training.settings import FitSettings

# The state of a scoring is saved after so many batches.
_BATCHES_A_PART = 25


class PoolScore(NamedTuple):
    """What is known of a picture of the pool.

    Attributes:
        agreement: Dice between what goes into the teacher and what comes out (paper 000, section III.B).
        confidence: Dice that the student's own probabilities expect of its mask.
        area_share: foreground as a share of the picture.
    """

    agreement: float
    confidence: float
    area_share: float


@dataclass(frozen=True)
class AreaPrior:
    """Foreground shares that a mask may have; an empty prediction agrees with its refinement, but is not easy."""

    low: float
    high: float

    @classmethod
    def of(cls, masks: Iterable[np.ndarray], slack: float) -> Self:
        """From ``1 / slack`` times the smallest to ``slack`` times the largest share of some masks."""
        shares = [float((mask > 0).mean()) for mask in masks]
        return cls(min(shares) / slack, max(shares) * slack)

    def allows(self, area_share: float) -> bool:
        """Whether a share is within the prior; nothing at all never is."""
        return area_share > 0 and self.low <= area_share <= self.high


def score_pool(
    student: Segmenter,
    pool: Pictures,
    crf: CrfSettings,
    rounds: SelfTrainSettings,
    fit: FitSettings,
    device: torch.device,
) -> Iterator[dict[str, PoolScore]]:
    """Score the pictures part by part; no more than a batch of them is ever in memory.

    The teacher is only asked where the selection needs its agreement, which is nan otherwise.
    """
    part: dict[str, PoolScore] = {}
    ask_teacher = rounds["selection"] == "top_dice"
    batches = -(-len(pool) // fit["batch_size"])
    predictions = predict(student, pool, fit["batch_size"], device)
    for i, (batch, probabilities) in enumerate(
        track(predictions, "scoring", total=batches, transient=True), 1
    ):
        ids = batch.ids
        labels = most_likely(probabilities)
        agreement = torch.full((len(ids),), torch.nan)
        if ask_teacher:
            refined = refine(probabilities, batch.gray_levels, crf, ids)
            agreement = label_dice(labels, most_likely(refined)).cpu()
        confidence = expected_dice(probabilities).cpu()
        area = (labels > 0).float().mean((1, 2)).cpu()
        rows = zip(ids, agreement.tolist(), confidence.tolist(), area.tolist(), strict=True)
        part |= {key: PoolScore(*values) for key, *values in rows}
        if i % _BATCHES_A_PART == 0 or i == batches:
            yield part
            part = {}


def choose(
    scores: Mapping[str, PoolScore], rounds: SelfTrainSettings, area: AreaPrior, seed: int, number: int
) -> list[str]:
    """The ids of this round's pseudo-labels, best first; ties are broken by id."""
    fit = sorted(key for key, score in scores.items() if area.allows(score.area_share))
    if rounds["selection"] == "random":
        rng = np.random.default_rng(derive_seed(seed, "selection", number))
        fit = [fit[i] for i in rng.permutation(len(fit))]
    elif rounds["selection"] == "top_dice":
        fit.sort(key=lambda key: -scores[key].agreement)
    else:
        fit.sort(key=lambda key: -scores[key].confidence)
    return fit[: rounds["per_round"]]


def label_pool(
    student: Segmenter,
    pictures: Pictures,
    crf: CrfSettings,
    rounds: SelfTrainSettings,
    fit: FitSettings,
    device: torch.device,
) -> dict[str, Tensor]:
    """Pseudo-labels (P, P) uint8 by id: the student's masks, refined if there is a teacher."""
    masks: dict[str, Tensor] = {}
    for batch, probabilities in predict(student, pictures, fit["batch_size"], device):
        taught = probabilities
        if rounds["teacher"] == "crf":
            taught = refine(probabilities, batch.gray_levels, crf, batch.ids)
        masks |= dict(zip(batch.ids, most_likely(taught).to(torch.uint8).cpu(), strict=True))
    return masks


def expected_dice(probabilities: Tensor) -> Tensor:
    """Dice (B,) between each mask and a truth drawn from its own probabilities (B, K, H, W), in expectation.

    Near 1 where the network is sure of every pixel of its mask; 0 for an empty mask.
    """
    best, labels = probabilities.max(1)
    inside = labels > 0
    kept = (best * inside).sum((1, 2))
    foreground = (1 - probabilities[:, 0]).sum((1, 2))
    return 2 * kept / (inside.sum((1, 2)) + foreground).clamp(min=1e-6)
