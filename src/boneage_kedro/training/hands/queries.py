"""Which pictures of the pool a person should draw next: query by committee (paper 001) and other rules."""

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from boneage_kedro.training.hands.committee import CommitteeScore
from boneage_kedro.training.hands.settings import QueryRule
from boneage_kedro.training.seeding import derive_seed

_COLUMN_OF: Mapping[QueryRule, str] = {
    "qbc": "dissimilarity",
    "entropy": "entropy",
    "dice_disagreement": "dice_disagreement",
}


def choose_queries(
    scores: Mapping[str, CommitteeScore],
    rule: QueryRule,
    count: int,
    seed: int,
    number: int,
    diversity_factor: float,
) -> list[str]:
    """The ids to ask for in a round, most wanted first; ties are broken by id.

    Args:
        scores: of all pictures that can be asked for.
        rule: ``qbc`` takes those on which the committee's features differ most (paper 001, section 2.2), ``entropy``
            those it is least sure of, ``dice_disagreement`` those on which its masks differ most; ``random`` is
            `draw_queries`, whatever the scores are.
        count: so many are asked for, or all that there are.
        seed, number: of the run and of the round; random draws follow from them and from the ids alone.
        diversity_factor: of the best ``diversity_factor * count`` by the rule, those are taken that lie far from
            each other (see `spread_out`); 1 takes the best. Random draws take no notice of it.

    Raises:
        ValueError: the rule is not known; or a factor above 1 is given, and the scores have no embeddings.
    """
    if rule == "random":
        return draw_queries(scores, count, seed, number)
    if rule not in _COLUMN_OF:
        raise ValueError(f"query rule {rule!r} is not one of random, {', '.join(_COLUMN_OF)}")
    column = _COLUMN_OF[rule]
    ranking = sorted(sorted(scores), key=lambda key: -getattr(scores[key], column))
    if diversity_factor <= 1:
        return ranking[:count]
    best = ranking[: math.ceil(diversity_factor * count)]
    return [best[i] for i in spread_out(_embeddings(scores, best), count)]


def draw_queries(ids: Iterable[str], count: int, seed: int, number: int) -> list[str]:
    """So many ids at random, each as likely as any other: the control of all rules."""
    drawn = sorted(ids)
    np.random.default_rng(derive_seed(seed, "queries", number)).shuffle(drawn)
    return drawn[:count]


def spread_out(points: Tensor, count: int) -> list[int]:
    """Places of up to ``count`` points (N, D), the first and then always the one farthest from all taken before.

    This is the greedy k-centre algorithm (Gonzalez 1985). Of points equally far the one that comes first is taken.
    """
    distance = torch.full((len(points),), torch.inf, dtype=torch.float64)
    taken: list[int] = []
    for _ in range(min(count, len(points))):
        taken.append(int(distance.argmax()))
        distance = distance.minimum((points - points[taken[-1]]).double().norm(dim=1))
        distance[taken] = -1  # a twin of a taken point is at 0, and may still be taken
    return taken


def _embeddings(scores: Mapping[str, CommitteeScore], ids: Sequence[str]) -> Tensor:
    found = [scores[key].embedding for key in ids]
    known = [embedding for embedding in found if embedding is not None]
    if len(known) < len(found):
        raise ValueError(
            f"{len(found) - len(known)} of {len(found)} scores have no embedding, which a diversity_factor above 1 "
            "needs; score the pool with embeddings, or set it to 1"
        )
    return torch.stack(known).float() if known else torch.empty(0, 0)
