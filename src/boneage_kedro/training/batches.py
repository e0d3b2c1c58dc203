"""Batches of radiographs from the memory-mapped image store."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from boneage_kedro.imaging.parallel import map_ordered

_READ_AHEAD = 2  # batches read from disk while the network is at work


@dataclass(frozen=True)
class AgeBatch:
    """Pictures (B, 1, P, P) float in 0 to 1, sexes (B,) bool, bone ages in months (B,) float, and the ids."""

    ids: list[str]
    images: Tensor
    is_male: Tensor
    age_months: Tensor


@dataclass(frozen=True)
class AgeSamples:
    """A part of the store with its labels; pixels stay on disk until a batch is drawn.

    Attributes:
        pixels: (N, S, S) uint8, usually a memory map.
        rows: (n,) row of each sample in ``pixels``.
        ids, is_male, age_months: (n,) per sample; the age is nan where it is not known.
        input_px: side P of the pictures handed out.
    """

    pixels: np.ndarray
    rows: np.ndarray
    ids: list[str]
    is_male: np.ndarray
    age_months: np.ndarray
    input_px: int

    def __len__(self) -> int:
        return len(self.rows)

    def batch_count(self, batch_size: int) -> int:
        """How many batches `batches` makes of as many samples as there are."""
        return math.ceil(len(self) / batch_size)

    def batches(
        self, batch_size: int, device: torch.device, order: np.ndarray | None = None
    ) -> Iterator[AgeBatch]:
        """The samples at the places that ``order`` (m,) lists; without it each once, in the order of ``ids``.

        Batches are of nearly equal size, at most ``batch_size``: a small rest would give BatchNorm poor
        statistics, and a rest of one none at all.
        """
        order = np.arange(len(self)) if order is None else order
        batches = math.ceil(len(order) / batch_size)
        parts = np.array_split(order, batches) if batches else []

        def read(chosen: np.ndarray) -> tuple[np.ndarray, Tensor]:
            raw = torch.from_numpy(np.take(self.pixels, self.rows[chosen], axis=0))  # (B, S, S) uint8
            return chosen, raw.pin_memory() if device.type == "cuda" else raw

        for chosen, raw in map_ordered(read, parts, workers=1, ahead=_READ_AHEAD):
            yield self._batch(chosen, raw, device)

    def _batch(self, chosen: np.ndarray, raw: Tensor, device: torch.device) -> AgeBatch:
        return AgeBatch(
            ids=[self.ids[i] for i in chosen],
            images=to_input(raw.to(device, non_blocking=True), self.input_px),
            is_male=torch.from_numpy(self.is_male[chosen]).to(device),
            age_months=torch.from_numpy(self.age_months[chosen].astype(np.float32)).to(device),
        )


def to_input(raw: Tensor, input_px: int) -> Tensor:
    """Gray pictures (B, S, S) uint8 as network input (B, 1, P, P) float in 0 to 1, without aliasing."""
    images = raw[:, None].float() / 255
    if images.shape[-1] == input_px:
        return images
    return F.interpolate(images, (input_px, input_px), mode="bilinear", antialias=True).clamp(0, 1)


def draw_deck(count: int, samples: int, batch_size: int, shuffle: torch.Generator) -> list[np.ndarray]:
    """Which of ``count`` pictures make up the batches of an epoch of so many samples, in random order.

    Each picture comes up equally often up to one, so that trainings on few and on many are of the same length;
    batches are of nearly equal size, at most ``batch_size``.
    """
    rounds = math.ceil(samples / count)
    deck = torch.cat([torch.randperm(count, generator=shuffle) for _ in range(rounds)])
    return np.array_split(deck[:samples].numpy(), math.ceil(samples / batch_size))


def draw_order(ages_months: np.ndarray, band_months: float, shuffle: torch.Generator) -> np.ndarray:
    """Which pictures an epoch shows, in random order: as many as there are, (n,) places.

    Args:
        ages_months: (n,) read ages.
        band_months: of each band of ages so wide that is not empty as many pictures come up, but for one ("a same
            number of data in each bone age", paper 001, section 3.4), and of one band each equally often up to one.
            With 0 every picture comes up once.
        shuffle: what the draw depends on; each epoch is to bring its own.
    """
    count = len(ages_months)
    if not band_months:
        return torch.randperm(count, generator=shuffle).numpy()
    _, band_of = np.unique(ages_months // band_months, return_inverse=True)
    bands = band_of.max() + 1
    quotas = np.full(bands, count // bands)
    quotas[torch.randperm(bands, generator=shuffle)[: count % bands].numpy()] += 1
    drawn = []
    for band, quota in enumerate(quotas.tolist()):
        members = np.flatnonzero(band_of == band)
        decks = math.ceil(quota / len(members))
        deck = torch.cat([torch.randperm(len(members), generator=shuffle) for _ in range(decks)])
        drawn.append(members[deck[:quota].numpy()])
    return np.concatenate(drawn)[torch.randperm(count, generator=shuffle).numpy()]
