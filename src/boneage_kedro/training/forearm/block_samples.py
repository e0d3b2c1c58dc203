"""Radiographs with the box of their radius-ulna block, as batches, and what augmentation makes of them."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from boneage_kedro.imaging.boxes import map_box, scale_box, unmap_box
from boneage_kedro.imaging.store import ImageStore
from boneage_kedro.training.augment import draw_affine, expose, grid_of, sample
from boneage_kedro.training.batches import draw_deck
from boneage_kedro.training.forearm.block_settings import BlockSettings
from boneage_kedro.training.segmentation.samples import Pictures

_SEEN = 0.5  # a block of which less than this part is in the picture is none


@dataclass(frozen=True)
class BoxBatch:
    """Pictures (B, 1, P, P) float in 0 to 1, boxes (B, 4) in shares of their sides, nan without one, and the ids."""

    ids: list[str]
    images: Tensor
    boxes: Tensor


@dataclass(frozen=True)
class BoxSamples:
    """Pictures with a box each.

    Attributes:
        boxes: (4,) ``left, top, right, bottom`` by id, in shares of the picture's sides; nan where there is none.
        epoch_samples: pictures in an epoch, however many there are.
    """

    pictures: Pictures
    boxes: Mapping[str, np.ndarray]
    epoch_samples: int

    def __len__(self) -> int:
        return len(self.pictures)

    def batch_count(self, batch_size: int) -> int:
        """How many batches `batches` gives."""
        return math.ceil(self.epoch_samples / batch_size)

    def batches(self, batch_size: int, device: torch.device, shuffle: torch.Generator) -> Iterator[BoxBatch]:
        """An epoch in random order; batches are of nearly equal size, at most ``batch_size``."""
        for chosen in draw_deck(len(self), self.epoch_samples, batch_size, shuffle):
            ids = [self.pictures.ids[i] for i in chosen]
            yield BoxBatch(ids, self.pictures.draw(chosen, device), self.boxes_of(ids, device))

    def boxes_of(self, ids: list[str], device: torch.device) -> Tensor:
        """The boxes of these cases, (n, 4)."""
        stacked = np.stack([self.boxes[key] for key in ids])
        return torch.from_numpy(stacked.astype(np.float32)).to(device)


def boxes_in_store(blocks: pd.DataFrame, store: ImageStore) -> dict[str, np.ndarray]:
    """Boxes of a table brought to the pictures of a store, by id, in shares of their sides.

    Args:
        blocks: ``id, left, top, right, bottom, width, height`` in pixels of a picture of any size (as
            `boneage_kedro.cohort.roi_boxes.first_reader` gives them); nan sides where there is no block. Cases that
            the store lacks are passed over.
    """
    found = {}
    side = store.header.canvas_px
    for row in blocks[blocks["id"].isin(store.ids)].to_dict("records"):
        transform, shape = store.frame(row["id"], side)
        box = np.array([row[name] for name in ("left", "top", "right", "bottom")], float)
        found[row["id"]] = map_box(scale_box(box, (row["height"], row["width"]), shape), transform) / side
    return found


def box_in_source(box: np.ndarray, store: ImageStore, key: str) -> np.ndarray:
    """A box in shares of the store's picture, in pixels of the case's source; the inverse of `boxes_in_store`."""
    side = store.header.canvas_px
    return unmap_box(box * side, store.frame(key, side)[0])


def augment_boxes(
    images: Tensor, boxes: Tensor, settings: BlockSettings, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Change pictures as `boneage_kedro.training.augment.augment` does, move boxes along, and end some above theirs.

    Args:
        images: (B, 1, H, W) float in 0 to 1.
        boxes: (B, 4) in shares of the sides, nan without one.
        generator: a CPU generator.

    Returns:
        images and boxes as they came; a box that has left the picture is none.
    """
    theta = draw_affine(len(images), settings["augment"], generator)
    moved = sample(images, grid_of(theta, images), "bilinear")
    boxes = keep_seen(move_boxes(boxes, theta.to(boxes)))
    cut = (torch.rand(len(images), generator=generator) < settings["cut_share"]).to(boxes.device)
    moved = expose(moved, settings["augment"], generator)
    return end_above(moved, torch.where(cut, boxes[:, 1], torch.nan)), boxes.masked_fill(
        cut[:, None], torch.nan
    )


def move_boxes(boxes: Tensor, theta: Tensor) -> Tensor:
    """Boxes (B, 4) in shares of the sides, moved as pictures are by maps (B, 2, 3) of output to input places.

    A turned box grows to what its inscribed ellipse needs, not to what its corners do: the ends of bones are round.
    """
    centre, half = boxes[:, :2] + boxes[:, 2:] - 1, boxes[:, 2:] - boxes[:, :2]  # in half sides, as theta is
    back = torch.linalg.inv(theta[:, :, :2])
    centre = (back @ (centre - theta[:, :, 2])[:, :, None])[:, :, 0]
    half = (back**2 @ (half**2)[:, :, None])[:, :, 0].sqrt()
    return (torch.cat([centre - half, centre + half], 1) + 1) / 2


def keep_seen(boxes: Tensor) -> Tensor:
    """Boxes cut to the picture; nan where less than half of one is left."""
    inside = boxes.clamp(0, 1)
    seen = _area(inside) >= _SEEN * _area(boxes)
    return torch.where(seen[:, None], inside, torch.nan)


def end_above(images: Tensor, tops: Tensor) -> Tensor:
    """Pictures (B, 1, H, W) with black from a height on, (B,) in shares from the top; nan leaves one as it is."""
    rows = torch.arange(images.shape[2], device=images.device) / images.shape[2]
    black = rows[None] >= tops.to(images.device)[:, None]
    return images.masked_fill(black[:, None, :, None], 0)


def _area(boxes: Tensor) -> Tensor:
    return (boxes[:, 2:] - boxes[:, :2]).prod(1)
