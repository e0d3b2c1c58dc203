"""Batches of radiographs from the memory-mapped image store."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F


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
        """How many batches `batches` gives."""
        return math.ceil(len(self) / batch_size)

    def batches(
        self, batch_size: int, device: torch.device, shuffle: torch.Generator | None = None
    ) -> Iterator[AgeBatch]:
        """Each sample once; in random order when a generator is given, else in the order of ``ids``.

        Batches are of nearly equal size, at most ``batch_size``: a small rest would give BatchNorm poor
        statistics, and a rest of one none at all.
        """
        count = len(self)
        order = np.arange(count) if shuffle is None else torch.randperm(count, generator=shuffle).numpy()
        batches = self.batch_count(batch_size)
        for chosen in np.array_split(order, batches) if batches else []:
            yield self._batch(chosen, device)

    def _batch(self, chosen: np.ndarray, device: torch.device) -> AgeBatch:
        raw = torch.from_numpy(self.pixels[self.rows[chosen]]).to(device)  # (B, S, S) uint8
        return AgeBatch(
            ids=[self.ids[i] for i in chosen],
            images=to_input(raw, self.input_px),
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
