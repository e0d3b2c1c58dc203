"""A committee of segmentation networks, and what it thinks of pictures without masks (paper 001, section 2.2)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import torch
from rich.progress import track
from torch import Tensor
from torch.nn import functional as F

from boneage_kedro.models.segmenter import Segmenter
from boneage_kedro.training.segmentation.network_training import require_finite
from boneage_kedro.training.segmentation.overlap import label_dice, most_likely
from boneage_kedro.training.segmentation.samples import PictureBatch, Pictures

# The state of a scoring is saved after so many batches.
_BATCHES_A_PART = 25


class CommitteeScore(NamedTuple):
    """What a committee makes of a picture.

    Attributes:
        dissimilarity: sum of the sine dissimilarity over all pairs of members (paper 001, equation 7).
        entropy: of the mean probabilities, in nats, mean over pixels.
        dice_disagreement: 1 minus the mean Dice between the masks of two members.
        area_share: foreground of the whole committee's mask, as a share of the picture.
        embedding: (D,) float16, where the committee sees the picture among others (see `pooled_embedding`); None
            if it was not asked for.
    """

    dissimilarity: float
    entropy: float
    dice_disagreement: float
    area_share: float
    embedding: Tensor | None


@dataclass(frozen=True)
class Opinions:
    """What the members of a committee make of a batch.

    Attributes:
        probabilities: (B, K, P, P) of each member.
        features: (B, C, h, w) of each member, from the middle of its network.
    """

    batch: PictureBatch
    probabilities: list[Tensor]
    features: list[Tensor]

    @property
    def mean(self) -> Tensor:
        """Class probabilities (B, K, P, P) of the whole committee."""
        return torch.stack(self.probabilities).mean(0)


@torch.inference_mode()
def consult(
    members: Sequence[Segmenter], pictures: Pictures, batch_size: int, device: torch.device
) -> Iterator[Opinions]:
    """Ask all members about each picture once, batch by batch; a batch is read once for all of them.

    Raises:
        ValueError: there are fewer than two members.
        FloatingPointError: a network gives values that are not finite; the message names the cases.
    """
    for member in members:
        member.eval().to(device)
    for batch in pictures.batches(batch_size, device):
        yield consult_on(members, batch)


def consult_on(members: Sequence[Segmenter], batch: PictureBatch) -> Opinions:
    """What all members make of one batch on their device; they are in evaluation mode.

    Raises:
        ValueError, FloatingPointError: as `consult`.
    """
    if len(members) < 2:
        raise ValueError(f"a committee of {len(members)} cannot disagree; give it at least two members")
    answers = [member.with_features(batch.images) for member in members]
    return Opinions(
        batch,
        [require_finite(logits.softmax(1), batch.ids) for logits, _ in answers],
        [require_finite(features, batch.ids) for _, features in answers],
    )


def score_committee(
    members: Sequence[Segmenter], pool: Pictures, batch_size: int, device: torch.device, embed: bool
) -> Iterator[dict[str, CommitteeScore]]:
    """Score every picture by every rule in one pass, part by part; no more than a batch is ever in memory.

    Raises:
        ValueError, FloatingPointError: as `consult`; or the members' middle layers differ in size.
    """
    part: dict[str, CommitteeScore] = {}
    batches = -(-len(pool) // batch_size)
    consulted = consult(members, pool, batch_size, device)
    for i, opinions in enumerate(track(consulted, "scoring", total=batches, transient=True), 1):
        part |= score_opinions(opinions, embed)
        if i % _BATCHES_A_PART == 0 or i == batches:
            yield part
            part = {}


def score_opinions(opinions: Opinions, embed: bool) -> dict[str, CommitteeScore]:
    """Scores of a batch by id; ``embed`` asks for the embedding, too."""
    mean = opinions.mean
    columns = [
        committee_dissimilarity(opinions.features),
        predictive_entropy(mean),
        dice_disagreement(opinions.probabilities),
        (most_likely(mean) > 0).float().mean((1, 2)),
    ]
    ids = opinions.batch.ids
    embeddings = pooled_embedding(opinions.features).cpu() if embed else [None] * len(ids)
    rows = zip(ids, *(column.tolist() for column in columns), embeddings, strict=True)
    return {key: CommitteeScore(*values) for key, *values in rows}


def sine_dissimilarity(first: Tensor, second: Tensor) -> Tensor:
    """Squared sine of the angle between two vectors for each picture, (B,) float64 in 0 to 1.

    This is paper 001, equation 5: 1 - (u . v)^2 / (|u|^2 |v|^2), with u and v the features (B, ...) flattened. For
    vectors of length one it equals |u - v|^2 |u + v|^2 / 4, which keeps its digits where the angle is small. Vectors
    of opposite direction agree like those of the same. Two vectors of zeros agree, 0; one alone agrees with nothing,
    1.

    Raises:
        ValueError: they differ in shape.
    """
    if first.shape != second.shape:
        raise ValueError(
            f"features of {tuple(first.shape)} and {tuple(second.shape)} cannot be compared; all members of a "
            "committee need the same architecture and size"
        )
    return _sine(_unit(first), _unit(second))


def committee_dissimilarity(features: Sequence[Tensor]) -> Tensor:
    """Sine dissimilarity (B,) float64 summed over all pairs of members (paper 001, equations 6 and 7).

    Args:
        features: (B, ...) of each member.

    Raises:
        ValueError: they differ in shape.
    """
    pairs = [sine_dissimilarity(first, second) for first, second in combinations(features, 2)]
    return torch.stack(pairs).sum(0)


def predictive_entropy(probabilities: Tensor) -> Tensor:
    """Entropy (B,) of class probabilities (B, K, H, W), in nats, mean over pixels."""
    return torch.special.entr(probabilities).sum(1).mean((1, 2))


def dice_disagreement(probabilities: Sequence[Tensor]) -> Tensor:
    """1 minus the mean Dice between the masks of two members, (B,), from the probabilities (B, K, H, W) of each."""
    masks = [most_likely(shares) for shares in probabilities]
    pairs = [label_dice(first, second) for first, second in combinations(masks, 2)]
    return 1 - torch.stack(pairs).mean(0)


def pooled_embedding(features: Sequence[Tensor]) -> Tensor:
    """The members' features (B, C, h, w) in few numbers: (B, members * C) float16.

    Each member's is the mean over places, brought to length one, so that all count the same.
    """
    return torch.cat([F.normalize(found.float().mean((2, 3))) for found in features], 1).half()


def _unit(features: Tensor) -> Tensor:
    """Flattened and brought to length one, (B, D) float64; zeros stay zeros."""
    flat = features.flatten(1).double()
    length = flat.norm(dim=1, keepdim=True)
    return flat / length.where(length > 0, 1)


def _sine(first: Tensor, second: Tensor) -> Tensor:
    chords = (first - second).square().sum(1) * (first + second).square().sum(1) / 4
    one_alone = first.any(1) != second.any(1)
    return chords.clamp(max=1).where(~one_alone, 1)
