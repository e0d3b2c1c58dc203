"""Backend torch: mean field with fast filters, on CPU or GPU."""

import torch
from torch import Tensor

from boneage_kedro.masks.crf_settings import CrfSettings

from .bilateral import BilateralGrid
from .gaussians import BandedGaussian


def refine_on_grid(probabilities: Tensor, images: Tensor, settings: CrfSettings) -> Tensor:
    """Posterior class probabilities by mean field with fast filters.

    A GPU takes all pictures at once, a CPU one after the other, since the maps of one stay in its cache.

    Args:
        probabilities: (B, K, H, W) float32, greater than 0.
        images: (B, H, W) uint8, on the same device.
        settings: the terms.

    Returns:
        (B, K, H, W) float32.
    """
    if images.is_cuda:
        return mean_field(probabilities, images, settings)
    pairs = zip(probabilities.split(1), images.split(1), strict=True)
    return torch.cat([mean_field(own, image, settings) for own, image in pairs])


def mean_field(probabilities: Tensor, images: Tensor, settings: CrfSettings) -> Tensor:
    """`refine_on_grid` of all pictures at once; what comes of one does not depend on the others.

    Filters are linear and probabilities sum to 1, so it is enough to follow the log odds of the first K - 1 classes
    against the last: to those of class k, the message adds the filtered difference Q_k - Q_last. That is taken as
    Q_k + (Q_1 + ... + Q_(K-1)), what it falls short by one being put into the start.

    The pictures lie side by side, each in a padding of its own: maps are (K - 1, H, B, W).
    """
    gain = 2.0 if probabilities.shape[1] == 2 else 1.0
    messages = _Messages(images.transpose(0, 1), settings, gain)
    logs = probabilities.log().permute(1, 2, 0, 3)  # (K, H, B, W)
    unary = messages.pad(logs[:-1] - logs[-1], -torch.inf)  # probability 0 in the padding
    first = _first_probabilities(unary)
    unary -= messages.of_ones() / gain
    odds = unary.clone()
    moving = torch.ones(len(images), dtype=torch.bool, device=images.device)
    for _ in range(settings["steps"]):
        for charge, start, total in zip(_charges(first), unary, odds, strict=True):
            messages.add(start, charge, out=total)
        before, first = first, _first_probabilities(odds)
        if settings["tolerance"]:
            if not moving.all():  # a picture that has come to rest stays as it is
                first = torch.where(moving[:, None], first, before)
            moving &= _largest_moves(before, first) > settings["tolerance"]
            if not moving.any():
                break
    first = messages.crop(first)
    refined = torch.cat([first, 1 - first.sum(0, keepdim=True)]).clamp_(0, 1)
    return refined.permute(2, 0, 1, 3)  # (B, K, H, W)


def _first_probabilities(odds: Tensor) -> Tensor:
    """All probabilities but the last from log odds against it, both (K - 1, H, B, W)."""
    if len(odds) == 1:
        return odds.sigmoid()  # the same as below, four times as fast
    return torch.cat([odds, torch.zeros_like(odds[:1])]).softmax(0)[:-1]


def _charges(first: Tensor) -> Tensor:
    """Q_k - Q_last + 1; of two classes it is 2 Q_1, and the 2 is in the gain of the messages."""
    return first if len(first) == 1 else first + first.sum(0)


def _largest_moves(before: Tensor, after: Tensor) -> Tensor:
    """By how much any probability of each picture has moved, (B,)."""
    moves = after - before
    return torch.maximum(moves.abs().amax((0, 1, 3)), moves.sum(0).abs().amax((0, 2)))


class _Messages:
    """Weighted sum of both normalised filters D^-1/2 K D^-1/2, times a gain, on padded maps (H, B, W)."""

    def __init__(self, images: Tensor, settings: CrfSettings, gain: float) -> None:
        height, _, width = images.shape
        sigma = settings["gaussian_sigma_px"]
        self._rows = BandedGaussian(height, sigma, gain * settings["gaussian_weight"], images.device)
        self._columns = BandedGaussian(width, sigma, 1.0, images.device)
        self._size = height, width
        self._inside = self.pad(torch.ones_like(images, dtype=torch.float32)[None], 0.0)[0]
        self._bilateral = BilateralGrid(
            images,
            settings["bilateral_sigma_px"],
            settings["bilateral_sigma_gray"],
            self._inside.flatten().nonzero()[:, 0],
            self._inside.numel(),
        )
        mass = self._bilateral.cells.matrix @ self._bilateral.gather(self._inside.flatten())
        self._bilateral.cells.scale_rows((gain * settings["bilateral_weight"] / mass).sqrt())

    def pad(self, maps: Tensor, value: float) -> Tensor:
        """Put maps (C, H, B, W) into maps of the padded size, filled up with a value."""
        count, _, pictures, _ = maps.shape
        padded = maps.new_full((count, self._rows.padded, pictures, self._columns.padded), value)
        self.crop(padded).copy_(maps)
        return padded

    def crop(self, maps: Tensor) -> Tensor:
        """The view of padded maps that holds the pictures."""
        (height, width), top, left = self._size, self._rows.reach, self._columns.reach
        return maps[..., top : top + height, :, left : left + width]

    def of_ones(self) -> Tensor:
        """The message of a map that is 1 on the whole of each picture."""
        zeros = torch.zeros_like(self._inside)
        return self.add(zeros, self._inside, out=zeros)

    def add(self, start: Tensor, charge: Tensor, out: Tensor) -> Tensor:
        """Write start plus the message of a charge into ``out``, but for the padding, which it keeps."""
        down = self._rows.down(charge.flatten(1))  # (H, B W)
        across = self._columns.across(down.view(-1, self._columns.padded))  # (H B, tiles, tile)
        near = across.unflatten(0, (self._rows.inner, -1))
        torch.add(self._tiled(start, near.shape), near, out=self._tiled(out, near.shape))
        flat = out.view(-1)
        torch.addmv(flat, self._bilateral.cells.matrix, self._bilateral.gather(charge.view(-1)), out=flat)
        return out

    def _tiled(self, padded: Tensor, shape: torch.Size) -> Tensor:
        """View of a padded map without what the filters reach, by tiles of columns."""
        top, left = self._rows.reach, self._columns.reach
        inner = padded[top : top + self._rows.inner, :, left : left + self._columns.inner]
        return inner.unflatten(2, shape[2:])
