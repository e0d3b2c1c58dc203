"""Pairs of a picture and its gold standard, as batches."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch import Tensor

from boneage_kedro.imaging.parallel import map_ordered
from boneage_kedro.training.augment import move
from boneage_kedro.training.enhancement.pairs import Pairs
from boneage_kedro.training.settings import MoveSettings


@dataclass(frozen=True)
class PairBatch:
    """Pictures and gold (B, 1, H, W) float in 0 to 1, the hand (B, 1, H, W) bool, and the ids."""

    ids: list[str]
    pictures: Tensor
    gold: Tensor
    inside: Tensor

    def to(self, device: torch.device) -> Self:
        """The same on another device."""
        return type(self)(self.ids, *(t.to(device) for t in (self.pictures, self.gold, self.inside)))

    def moved(self, settings: MoveSettings, generator: torch.Generator) -> Self:
        """Every pair turned, mirrored and so on its own way, its picture, gold and hand alike."""
        planes = torch.cat([self.pictures, self.gold, self.inside.float()], 1)
        pictures, gold, inside = move(planes, settings, generator).split(1, 1)
        return type(self)(self.ids, pictures, gold, inside > 0.5)


def pair_batches(
    pairs: Pairs, deck: Iterable[np.ndarray], epoch: int, device: torch.device, workers: int
) -> Iterator[PairBatch]:
    """Batches of the pairs at these places, prepared in threads a few ahead, so that memory stays flat.

    A pair with an empty hand counts as a whole: better a background than a lost child.

    Raises:
        ValueError: pairs of a batch are not of one size.
    """

    def prepare(chosen: np.ndarray) -> PairBatch:
        return _stack([pairs.ids[i] for i in chosen], [pairs.pair(int(i), epoch) for i in chosen])

    for batch in map_ordered(prepare, deck, workers, ahead=workers + 1):
        yield batch.to(device)


def in_order(count: int, batch_size: int) -> list[np.ndarray]:
    """A deck in which each pair comes up once, in order."""
    return np.split(np.arange(count), range(batch_size, count, batch_size))


def _stack(ids: list[str], triples: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> PairBatch:
    wanted = triples[0][0].shape
    for key, triple in zip(ids, triples, strict=True):
        shapes = [part.shape for part in triple]
        if set(shapes) != {wanted}:
            found = ", ".join(" x ".join(map(str, shape)) for shape in shapes)
            raise ValueError(
                f"case {key}: picture, gold and hand are of {found} px, but {ids[0]} in the same batch has a picture "
                f"of {' x '.join(map(str, wanted))} px; give pairs of one size"
            )
    pictures, gold, inside = (
        torch.from_numpy(np.stack(part))[:, None] for part in zip(*triples, strict=True)
    )  # (B, 1, H, W)
    empty = ~inside.flatten(1).any(1)
    return PairBatch(ids, pictures.float(), gold.float(), inside | empty.view(-1, 1, 1, 1))
