"""How good and how even pictures of hands are: PSNR and SSIM against a gold standard, tone and its spread."""

from collections.abc import Iterable
from typing import NamedTuple

import cv2
import numpy as np
import pandas as pd

_SSIM_SIGMA_PX = 1.5  # and the constants, as Wang and others have them, for pictures of 0 to 1
_SSIM_LUMINANCE, _SSIM_CONTRAST = 0.01**2, 0.03**2
_MAD = 1.4826  # from the median absolute deviation to the standard deviation of a normal distribution
_TONES = ("mean", "contrast", "robust_contrast")


class Graded(NamedTuple):
    """A picture to be graded.

    Attributes:
        method: that made it, such as "clahe".
        key: id of the case.
        picture: (H, W) float32, 0 to 1.
        inside: (H, W) bool of the hand.
        gold: (H, W) float32, what it should be, or None where nobody knows.
    """

    method: str
    key: str
    picture: np.ndarray
    inside: np.ndarray
    gold: np.ndarray | None


def psnr(picture: np.ndarray, gold: np.ndarray, inside: np.ndarray) -> float:
    """Peak signal-to-noise ratio within the hand in dB, for pictures of 0 to 1; inf if equal, nan without a hand."""
    if not inside.any():
        return float("nan")
    error = float(np.mean((picture[inside].astype(np.float64) - gold[inside]) ** 2))
    return -10 * float(np.log10(error)) if error > 0 else float("inf")


def ssim(picture: np.ndarray, gold: np.ndarray, inside: np.ndarray) -> float:
    """Mean structural similarity within the hand, -1 to 1, for pictures of 0 to 1; nan without a hand.

    Wang Z, Bovik AC, Sheikh HR, Simoncelli EP, IEEE Trans Image Process 2004;13:600-612: Gaussian window of 1.5
    pixels. The map is computed on the whole pictures and averaged over the hand.
    """
    if not inside.any():
        return float("nan")
    return float(_ssim_map(picture.astype(np.float64), gold.astype(np.float64))[inside].mean())


def tone(picture: np.ndarray, inside: np.ndarray) -> dict[str, float]:
    """Mean and contrast of one picture within the hand; nan without a hand.

    Returns:
        ``mean``; ``contrast``, the standard deviation; ``robust_contrast``, the scaled median absolute deviation.
    """
    gray = picture[inside].astype(np.float64)
    if not gray.size:
        return dict.fromkeys(_TONES, float("nan"))
    deviation = np.median(np.abs(gray - np.median(gray)))
    return {
        "mean": float(gray.mean()),
        "contrast": float(gray.std()),
        "robust_contrast": _MAD * float(deviation),
    }


def grade(pictures: Iterable[Graded]) -> pd.DataFrame:
    """A row a picture: ``method, id, psnr, ssim`` (nan without gold), ``mean, contrast, robust_contrast``."""
    columns = ["method", "id", "psnr", "ssim", *_TONES]
    return pd.DataFrame([_grade(graded) for graded in pictures], columns=columns)


def quality_table(grades: pd.DataFrame) -> pd.DataFrame:
    """A row a method, in the order of `grade`'s table, which it takes.

    Returns:
        ``method``, ``images``, mean ``psnr`` and ``ssim``, and for each of mean, contrast and robust contrast how it
        spreads over the images: ``<tone>`` (the average), ``<tone>_sd``, ``<tone>_cv`` (standard deviation over
        average) and ``<tone>_iqr`` (interquartile range). Less spread is more even.
    """
    return pd.DataFrame(
        [_summary(str(method), part) for method, part in grades.groupby("method", sort=False)]
    )


def compare_methods(grades: pd.DataFrame) -> pd.DataFrame:
    """What came of a study of enhancement: figures of merit as means over seeds, with their spread over seeds.

    Args:
        grades: ``arm, seed, pictures, psnr, ssim, mean, contrast, kept``, a row a picture; ``pictures`` is "pairs"
            for those with gold and "hands" for those as they came.

    Returns:
        a row an arm: ``arm, seeds``, the number of ``pairs`` and ``hands``; ``psnr`` (dB) and ``ssim`` of pairs;
        ``mean_sd`` and ``contrast_sd``, how mean and contrast spread over hands; ``kept``, the share of hands that
        the guard lets pass; and each of the last five with ``_over_seeds``, its standard deviation over seeds, nan
        with one seed.
    """
    of_seeds = pd.DataFrame(
        [
            {"arm": arm, "seed": seed, **_figures(part)}
            for (arm, seed), part in grades.groupby(["arm", "seed"], sort=False)
        ]
    )
    by_arm = of_seeds.drop(columns="seed").groupby("arm", sort=False)
    deviations = by_arm.std().drop(columns=["pairs", "hands"]).add_suffix("_over_seeds")
    return pd.concat([by_arm.size().rename("seeds"), by_arm.mean(), deviations], axis=1).reset_index()


def spread(values: pd.Series) -> dict[str, float]:
    """How figures spread: ``sd`` (n - 1), ``cv`` (sd over mean; nan where that is 0) and ``iqr``; nan is left out."""
    low, high = values.quantile([0.25, 0.75])
    deviation, mean = float(values.std()), float(values.mean())
    return {"sd": deviation, "cv": deviation / mean if mean else float("nan"), "iqr": float(high - low)}


def _grade(graded: Graded) -> dict[str, object]:
    row: dict[str, object] = {"method": graded.method, "id": graded.key}
    if graded.gold is not None:
        row |= {
            measure.__name__: measure(graded.picture, graded.gold, graded.inside) for measure in (psnr, ssim)
        }
    return row | tone(graded.picture, graded.inside)


def _figures(grades: pd.DataFrame) -> dict[str, float]:
    pairs, hands = (grades[grades["pictures"] == kind] for kind in ("pairs", "hands"))
    return {
        "pairs": len(pairs),
        "hands": len(hands),
        "psnr": pairs["psnr"].mean(),
        "ssim": pairs["ssim"].mean(),
        "mean_sd": hands["mean"].std(),
        "contrast_sd": hands["contrast"].std(),
        "kept": hands["kept"].astype(float).mean(),
    }


def _summary(method: str, grades: pd.DataFrame) -> dict[str, object]:
    row: dict[str, object] = {
        "method": method,
        "images": len(grades),
        "psnr": grades["psnr"].mean(),
        "ssim": grades["ssim"].mean(),
    }
    for name in _TONES:
        row[name] = grades[name].mean()
        row |= {f"{name}_{kind}": value for kind, value in spread(grades[name]).items()}
    return row


def _ssim_map(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    mean_x, mean_y, xx, yy, xy = (
        cv2.GaussianBlur(part, (0, 0), _SSIM_SIGMA_PX) for part in (x, y, x * x, y * y, x * y)
    )
    variances, covariance = xx - mean_x**2 + yy - mean_y**2, xy - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + _SSIM_LUMINANCE) / (mean_x**2 + mean_y**2 + _SSIM_LUMINANCE)
    return luminance * (2 * covariance + _SSIM_CONTRAST) / (variances + _SSIM_CONTRAST)
