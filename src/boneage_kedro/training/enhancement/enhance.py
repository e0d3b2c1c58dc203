"""Enhancing pictures of any size with a trained generator, by tiles whose seams are blended."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from boneage_kedro.imaging.parallel import map_ordered
from boneage_kedro.models.enhancer import Enhancer, EnhancerConfig


def build_enhancer(weights: Mapping[str, Tensor], settings: Mapping[str, Any]) -> Enhancer:
    """A trained generator, in evaluation mode, from what was kept beside its weights (``generator``)."""
    model = Enhancer(EnhancerConfig(**settings["generator"]))
    model.load_state_dict(dict(weights))
    return model.to(memory_format=torch.channels_last).eval()


@torch.inference_mode()
def enhance(
    model: Enhancer, image: np.ndarray, tile_px: int, overlap_px: int, device: torch.device
) -> np.ndarray:
    """An enhanced picture (H, W) float32 of a picture (H, W) float32, both in 0 to 1, of any size.

    A picture that fits into a tile is enhanced as a whole. The network sees no more than a tile at once, so tiles
    should be at least as large as the pictures it learnt from.

    Raises:
        ValueError: the sides of tile and overlap are no multiples of the network's stride, or the overlap is not
            smaller than the tile.
        FloatingPointError: the network gives values that are not finite.
    """
    planes = torch.from_numpy(np.ascontiguousarray(image, np.float32))[None, None].to(device)
    made = _enhance(model.eval().to(device), planes, tile_px, overlap_px)
    _require_finite(made, ["the picture"])
    return made[0, 0].cpu().numpy()


@torch.inference_mode()
def enhance_store(
    model: Enhancer,
    images: Mapping[str, np.ndarray],
    masks: Mapping[str, np.ndarray],
    ids: Sequence[str],
    tile_px: int,
    overlap_px: int,
    batch_size: int,
    device: torch.device,
) -> Iterator[tuple[str, np.ndarray]]:
    """Enhanced pictures (H, W) uint8 by id, one at a time; memory does not grow with their number.

    Args:
        images: (H, W) uint8, such as an `ImageStore`, or float32 of 0 to 1; pictures of one size that follow each
            other are enhanced together. The next ones are read while the network works.
        masks: the hand (H, W), 0 outside, by id; what lies outside is 0 in the enhanced picture. One that has no
            mask keeps its background, enhanced as well.
        batch_size: pictures, or tiles of as many pictures, at once.

    Raises:
        ValueError: as `enhance`, or a mask is not of its picture's size.
        FloatingPointError: as `enhance`; the message names the cases.
    """
    model = model.eval().to(device)

    def read(group: list[str]) -> tuple[list[str], np.ndarray, np.ndarray]:
        hands = [_hand(key, images[key], masks) for key in group]
        return group, np.stack([images[key] for key in group]), np.stack(hands)

    for group, pixels, hands in map_ordered(read, _groups(images, ids, batch_size), workers=1, ahead=2):
        white = 255 if pixels.dtype == np.uint8 else 1
        pictures = torch.from_numpy(pixels).to(device)[:, None].float() / white  # (B, 1, H, W)
        made = _enhance(model, pictures, tile_px, overlap_px)
        _require_finite(made, group)
        gray = (made[:, 0] * 255).round().to(torch.uint8) * torch.from_numpy(hands).to(device)
        yield from zip(group, gray.cpu().numpy(), strict=True)


def _hand(key: str, image: np.ndarray, masks: Mapping[str, np.ndarray]) -> np.ndarray:
    """Where the hand of a case is, (H, W) bool; the whole picture without a mask."""
    if key not in masks:
        return np.ones(image.shape, bool)
    hand = np.asarray(masks[key]) > 0
    if hand.shape != image.shape:
        raise ValueError(
            f"case {key}: its hand mask is {hand.shape}, but its picture {image.shape}; give it on the same frame"
        )
    return hand


def _enhance(model: Enhancer, images: Tensor, tile_px: int, overlap_px: int) -> Tensor:
    """Pictures (B, 1, H, W) by tiles, the same tile of all of them at once."""
    _check_tiles(tile_px, overlap_px, model.stride)
    height, width = images.shape[-2:]
    if max(height, width) <= tile_px:
        made: Tensor = model(images)
        return made
    # tiles begin at multiples of the stride and the picture is filled up to one, as the network does it itself:
    # so it halves the same pixels together as in the whole picture
    filled = F.pad(images, (0, -width % model.stride, 0, -height % model.stride), mode="replicate")
    total, weight = torch.zeros_like(filled), torch.zeros_like(filled[:1])
    for top, left in product(*(_starts(side, tile_px, overlap_px) for side in filled.shape[-2:])):
        part = (..., slice(top, top + tile_px), slice(left, left + tile_px))
        window = _window(filled[part].shape[-2:], overlap_px, filled.device)
        total[part] += window * model(filled[part])
        weight[part] += window
    return (total / weight)[..., :height, :width]


def _starts(side: int, tile_px: int, overlap_px: int) -> list[int]:
    """Where tiles begin along a side; the last one ends with the side and may overlap more."""
    last = max(side - tile_px, 0)
    return [*range(0, last, tile_px - overlap_px), last]


def _window(shape: Sequence[int], overlap_px: int, device: torch.device) -> Tensor:
    """Weights (h, w) of a tile's pixels: 1 in the middle, falling smoothly to nearly 0 over the overlap.

    Where two tiles overlap by so much, their weights add up to 1.
    """
    rows, columns = (_ramp(side, overlap_px, device) for side in shape)
    return rows[:, None] * columns


def _ramp(side: int, overlap_px: int, device: torch.device) -> Tensor:
    place = torch.arange(side, device=device) + 0.5
    from_edge = torch.minimum(place, side - place) / overlap_px
    return (from_edge.clamp_max(1) * torch.pi / 2).sin() ** 2


def _check_tiles(tile_px: int, overlap_px: int, stride: int) -> None:
    if tile_px % stride or overlap_px % stride or not 0 < overlap_px < tile_px:
        raise ValueError(
            f"tiles of {tile_px} px with an overlap of {overlap_px} px do not suit the network: both must be "
            f"multiples of its stride, {stride}, and the overlap smaller than the tile"
        )


def _groups(images: Mapping[str, np.ndarray], ids: Sequence[str], batch_size: int) -> Iterator[list[str]]:
    """Cases that follow each other and are of one size, at most so many."""
    group: list[str] = []
    for key in ids:
        if group and (len(group) == batch_size or images[key].shape != images[group[0]].shape):
            yield group
            group = []
        group.append(key)
    if group:
        yield group


def _require_finite(made: Tensor, ids: Sequence[str]) -> None:
    whole = made.isfinite().flatten(1).all(1).tolist()
    bad = [key for key, good in zip(ids, whole, strict=True) if not good]
    if bad:
        raise FloatingPointError(
            f"the enhancer gives values that are not finite for {', '.join(bad)}; look at what it was given, or "
            "train it again at a lower learning rate"
        )
