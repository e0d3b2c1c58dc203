"""The probability above which a pixel is foreground: a fixed one, or Otsu's (paper 001, equation 2)."""

from typing import Literal

import numpy as np

MaskThreshold = Literal["half", "otsu"]

_LEVELS = 255


def threshold_of(foreground: np.ndarray, threshold: MaskThreshold) -> float:
    """The probability above which a pixel of this picture is foreground.

    Args:
        foreground: (H, W) floating point, 0 to 1.
        threshold: ``half`` is 0.5, the most likely class; ``otsu`` parts the histogram of the picture's
            probabilities, in steps of 1/255, so that the variance between the two parts is largest (Otsu 1979).

    Otsu's method finds two parts in anything, even in a picture without a hand. Where the means of both lie on the
    same side of 0.5 they are not foreground and background, and 0.5 is taken.

    Raises:
        ValueError: the threshold is another.
    """
    if threshold == "half":
        return 0.5
    if threshold != "otsu":
        raise ValueError(f"mask threshold {threshold!r} is not one of half, otsu")
    counts = np.bincount((foreground * _LEVELS).round().astype(np.uint8).ravel(), minlength=_LEVELS + 1)
    return _part(counts)


def _part(counts: np.ndarray) -> float:
    """Otsu's threshold of a histogram of probabilities, or 0.5 where it would part what belongs together."""
    sums = (counts * np.linspace(0, 1, len(counts))).cumsum()
    sizes = counts.cumsum()
    levels = np.flatnonzero((sizes > 0) & (sizes < sizes[-1]))  # the last ones of a lower part
    if not len(levels):
        return 0.5
    below, above = sizes[levels], sizes[-1] - sizes[levels]
    low, high = sums[levels] / below, (sums[-1] - sums[levels]) / above
    best = int((below * above * (high - low) ** 2).argmax())
    if not low[best] < 0.5 < high[best]:
        return 0.5
    # all of these part the pixels alike; enlarged, outlines need the middle
    gap = levels[below == below[best]]
    return float((gap.mean() + 0.5) / _LEVELS)
