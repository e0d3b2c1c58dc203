"""Radiographs with masks, as batches for training, and without, as batches for prediction."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch import Tensor

from boneage_kedro.imaging.store import ImageStore
from boneage_kedro.training.batches import draw_deck, to_input


@dataclass(frozen=True)
class PictureBatch:
    """Pictures (B, 1, P, P) float in 0 to 1, and their ids."""

    ids: list[str]
    images: Tensor

    @property
    def gray_levels(self) -> Tensor:
        """The pictures as (B, P, P) uint8."""
        return (self.images[:, 0] * 255).round().to(torch.uint8)


@dataclass(frozen=True)
class MaskBatch:
    """Pictures (B, 1, P, P) float in 0 to 1, masks (B, P, P) uint8, weights (B,) float, and the ids."""

    ids: list[str]
    images: Tensor
    masks: Tensor
    weights: Tensor


@dataclass(frozen=True)
class Pictures:
    """Some pictures of the store; pixels stay on disk until a batch is drawn.

    Attributes:
        pixels: (N, S, S) uint8, usually a memory map.
        rows: (n,) row of each picture in ``pixels``.
        input_px: side P of the pictures handed out.
    """

    pixels: np.ndarray
    rows: np.ndarray
    ids: list[str]
    input_px: int

    @classmethod
    def of(cls, store: ImageStore, ids: Sequence[str], input_px: int) -> Self:
        """The pictures of these cases, in this order."""
        return cls(store.pixels, store.rows(ids), list(ids), input_px)

    def __len__(self) -> int:
        return len(self.ids)

    def __add__(self, other: Self) -> Self:
        """These and others of the same store."""
        rows = np.concatenate([self.rows, other.rows])
        return type(self)(self.pixels, rows, self.ids + other.ids, self.input_px)

    def batches(self, batch_size: int, device: torch.device) -> Iterator[PictureBatch]:
        """Each picture once, in order."""
        for start in range(0, len(self), batch_size):
            chosen = np.arange(start, min(start + batch_size, len(self)))
            yield PictureBatch([self.ids[i] for i in chosen], self.draw(chosen, device))

    def draw(self, chosen: np.ndarray, device: torch.device) -> Tensor:
        """Network input (B, 1, P, P) of the pictures at these places."""
        return to_input(torch.from_numpy(self.pixels[self.rows[chosen]]).to(device), self.input_px)

    def among(self, ids: Sequence[str]) -> Self:
        """Those of these cases, in this order."""
        place = {key: i for i, key in enumerate(self.ids)}
        rows = self.rows[[place[key] for key in ids]] if ids else self.rows[:0]
        return type(self)(self.pixels, rows, list(ids), self.input_px)


@dataclass(frozen=True)
class MaskSamples:
    """Pictures with a mask each.

    Attributes:
        masks: (P, P) uint8 class codes by id; 0 is the background.
        weights: weight of a picture in the loss, by id.
        epoch_samples: pictures in an epoch, however many there are: each comes up equally often up to one, so
            that trainings on few and on many masks are of the same length.
    """

    pictures: Pictures
    masks: Mapping[str, np.ndarray]
    weights: Mapping[str, float]
    epoch_samples: int

    def __len__(self) -> int:
        return len(self.pictures)

    def batch_count(self, batch_size: int) -> int:
        """How many batches `batches` gives."""
        return math.ceil(self.epoch_samples / batch_size)

    def batches(self, batch_size: int, device: torch.device, shuffle: torch.Generator) -> Iterator[MaskBatch]:
        """An epoch in random order; batches are of nearly equal size, at most ``batch_size``."""
        for chosen in draw_deck(len(self), self.epoch_samples, batch_size, shuffle):
            ids = [self.pictures.ids[i] for i in chosen]
            yield MaskBatch(
                ids,
                self.pictures.draw(chosen, device),
                torch.from_numpy(np.stack([self.masks[key] for key in ids])).to(device),
                torch.tensor([self.weights[key] for key in ids], dtype=torch.float32, device=device),
            )
