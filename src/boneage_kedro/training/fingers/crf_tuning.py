"""Choice of the dense CRF's settings on annotated pictures (paper 000, IV.A: "tuned on the training set")."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import pandas as pd
from torch import Tensor

from boneage_kedro.masks.crf_settings import CrfSettings, rescale_crf
from boneage_kedro.masks.dense_crf import refine
from boneage_kedro.training.segmentation.overlap import label_dice


@dataclass(frozen=True)
class CrfSample:
    """One annotated picture with what a network made of it.

    Attributes:
        id: for messages.
        probabilities: (K, H, W) floating point, summing to 1 over the classes; class 0 is background.
        image: (H, W) uint8.
        truth: (H, W) uint8, class of each pixel.
    """

    id: str
    probabilities: Tensor
    image: Tensor
    truth: Tensor


def tune_crf(
    samples: Sequence[CrfSample],
    settings: CrfSettings,
    grid: Mapping[str, Sequence[float]],
    factor: float = 1,
) -> tuple[CrfSettings, pd.DataFrame]:
    """Settings with the highest mean foreground Dice of the refined labels, by coordinate search.

    One key after another takes its best value while the others stay, sweep after sweep until none improves. The start
    is a candidate, and a change must improve, so the outcome is never worse than it and does not hang on chance.

    Args:
        samples: annotated pictures; each is refined on its own, so they may differ in size.
        settings: the start.
        grid: key of the settings -> values to try.
        factor: side of the samples over that at which the settings' reaches are given.

    Returns:
        The best settings, and a row for each setting tried, in order: the keys of the grid and ``dice``.

    Raises:
        ValueError: no samples, a key of the grid is not a setting with a number, a key has no values, or a truth
            does not match its picture.
    """
    _check(samples, settings, grid)
    tried: dict[tuple[float, ...], float] = {}

    def dice_of(candidate: Mapping[str, Any]) -> float:
        key = tuple(candidate[name] for name in grid)
        if key not in tried:
            tried[key] = refined_dice(samples, rescale_crf(cast(CrfSettings, candidate), factor))
        return tried[key]

    best: dict[str, Any] = dict(settings)
    highest, before = dice_of(best), -math.inf
    while highest > before:
        before = highest
        for candidate in _sweep(best, grid):
            if dice_of(candidate) > highest:
                highest = dice_of(candidate)
                best.update(candidate)
    return cast(CrfSettings, best), pd.DataFrame(
        [dict(zip(grid, key, strict=True)) | {"dice": dice} for key, dice in tried.items()]
    )


def refined_dice(samples: Sequence[CrfSample], settings: CrfSettings) -> float:
    """Mean over pictures of the Dice between refined and true labels, as `label_dice`."""
    total = 0.0
    for sample in samples:
        posterior = refine(sample.probabilities[None], sample.image[None], settings, [sample.id])
        total += label_dice(posterior.argmax(1), sample.truth[None]).item()
    return total / len(samples)


def _sweep(best: Mapping[str, Any], grid: Mapping[str, Sequence[float]]) -> Iterator[dict[str, Any]]:
    """Candidates that differ from the best so far, read anew each time, in one key."""
    for key, values in grid.items():
        for value in values:
            yield {**best, key: value}


def _check(samples: Sequence[CrfSample], settings: CrfSettings, grid: Mapping[str, Sequence[float]]) -> None:
    if not samples:
        raise ValueError("no samples to tune the CRF on")
    numbers = [name for name in settings if name != "backend"]
    for key, values in grid.items():
        if key not in numbers:
            raise ValueError(
                f"cannot tune {key!r}; the CRF's settings with a number are {', '.join(numbers)}"
            )
        if not values:
            raise ValueError(f"no values to try for {key!r}")
    for sample in samples:
        if sample.truth.shape != sample.image.shape:
            raise ValueError(
                f"{sample.id}: truth {tuple(sample.truth.shape)} does not match image {tuple(sample.image.shape)}"
            )
