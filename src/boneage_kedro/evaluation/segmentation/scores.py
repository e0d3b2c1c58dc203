"""How well masks agree with the truth: overlap, and distance between their outlines."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import cv2
import numpy as np
import pandas as pd

from boneage_kedro.evaluation.ages.metrics import mean_interval

_CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))


class BoundaryDistance(NamedTuple):
    """Distances between two outlines in pixels; nan where one of the masks is empty."""

    mean: float
    hausdorff_95: float


def dice(predicted: np.ndarray, truth: np.ndarray) -> float:
    """Dice coefficient of two bool masks of one shape, 0 to 1; two empty masks agree.

    Raises:
        ValueError: the shapes differ.
    """
    _check_shapes(predicted, truth)
    both = np.count_nonzero(predicted & truth)
    total = np.count_nonzero(predicted) + np.count_nonzero(truth)
    return 2 * both / total if total else 1.0


def iou(predicted: np.ndarray, truth: np.ndarray) -> float:
    """Intersection over union (Jaccard index) of two bool masks of one shape, 0 to 1; two empty masks agree.

    Raises:
        ValueError: the shapes differ.
    """
    overlap = dice(predicted, truth)
    return overlap / (2 - overlap)


def boundary_distance_px(predicted: np.ndarray, truth: np.ndarray) -> BoundaryDistance:
    """Mean and 95th percentile of the distances from each outline to the other, both directions taken together.

    These are the average symmetric surface distance and the 95% Hausdorff distance. Of the latter there are two
    definitions: the percentile of both directions together, as here, and the larger of one percentile a direction.

    Args:
        predicted, truth: bool masks of one shape. The outline is the mask's own pixels with a neighbour (of four)
            outside it; beyond the edge of the picture is outside.

    Returns:
        nan where a mask is empty: there is no distance to nothing, and 0 would praise a mask that was missed.

    Raises:
        ValueError: the shapes differ.
    """
    _check_shapes(predicted, truth)
    if not predicted.any() or not truth.any():
        return BoundaryDistance(float("nan"), float("nan"))
    outlines = outline(predicted), outline(truth)
    far = [_distance_to(other)[mine] for mine, other in (outlines, outlines[::-1])]
    distances = np.concatenate(far)
    return BoundaryDistance(float(distances.mean()), float(np.percentile(distances, 95)))


def outline(mask: np.ndarray, width_px: int = 1) -> np.ndarray:
    """The pixels of a bool mask within ``width_px`` steps (of four directions) of what is outside it."""
    eroded = cv2.erode(
        mask.astype(np.uint8), _CROSS, iterations=width_px, borderType=cv2.BORDER_CONSTANT, borderValue=(0,)
    )
    return mask & (eroded == 0)


def score_masks(
    predicted: Mapping[str, np.ndarray],
    truth: Mapping[str, np.ndarray],
    class_names: Sequence[str],
    relative: bool = False,
) -> pd.DataFrame:
    """Score every mask of the truth against its prediction.

    Args:
        predicted, truth: id -> (H, W) masks of codes, 0 background; predictions of other ids are passed over.
        class_names: of the codes 1, 2, ...
        relative: add the distances as shares of the hand's height, so that pictures of all sizes compare.

    Returns:
        One row a case: ``id``; ``dice`` and ``iou`` of all classes taken as one (the Dice of paper 000);
        ``dice_<class>`` for each class; ``boundary_mean_px`` and ``boundary_95_px`` of all classes taken as one,
        nan where nothing was predicted; with ``relative`` also ``boundary_mean_share`` and ``boundary_95_share``,
        in which the longer side of the box around the truth is 1.

    Raises:
        LookupError: cases without a prediction.
        ValueError: a mask is of another size than its prediction, or holds codes without a name.
    """
    missing = [key for key in truth if key not in predicted]
    if missing:
        raise LookupError(
            f"{len(missing)} of {len(truth)} cases have no predicted mask, such as {missing[:3]}"
        )
    rows = []
    for key, mask in truth.items():
        try:
            scores = _score(predicted[key], mask, class_names)
        except ValueError as error:
            raise ValueError(f"case {key}: {error}") from error
        shares = _relative(scores, mask != 0) if relative else {}
        rows.append({"id": key, **scores, **shares})
    return pd.DataFrame(rows or {"id": []})


def summarise_scores(scores: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Mean and spread over cases of each column of `score_masks`.

    Returns:
        One row a measure: ``measure``, ``cases`` (those that have it), ``mean``, ``sd``, and ``low`` and
        ``high``, the 95% bootstrap interval of the mean.
    """
    rows = []
    for measure in scores.columns.drop("id"):
        values = scores[measure].dropna().to_numpy(float)
        low, high = mean_interval(values, seed)
        row = {
            "measure": measure,
            "cases": len(values),
            "mean": scores[measure].mean(),
            "sd": scores[measure].std(),
        }
        rows.append({**row, "low": low, "high": high})
    return pd.DataFrame(rows, columns=["measure", "cases", "mean", "sd", "low", "high"])


def _score(predicted: np.ndarray, truth: np.ndarray, class_names: Sequence[str]) -> dict[str, float]:
    _check_shapes(predicted, truth)
    highest = max(int(predicted.max()), int(truth.max()))
    if highest > len(class_names):
        raise ValueError(f"the masks hold code {highest}, but only {len(class_names)} classes have a name")
    distance = boundary_distance_px(predicted != 0, truth != 0)
    return {
        "dice": dice(predicted != 0, truth != 0),
        **{
            f"dice_{name}": dice(predicted == code, truth == code) for code, name in enumerate(class_names, 1)
        },
        "iou": iou(predicted != 0, truth != 0),
        "boundary_mean_px": distance.mean,
        "boundary_95_px": distance.hausdorff_95,
    }


def _relative(scores: Mapping[str, float], truth: np.ndarray) -> dict[str, float]:
    """The boundary distances as shares of the truth's longer side; the hand may lie on its side."""
    height_px = max(cv2.boundingRect(truth.astype(np.uint8))[2:])
    names = ("boundary_mean", "boundary_95")
    return {
        f"{name}_share": scores[f"{name}_px"] / height_px if height_px else float("nan") for name in names
    }


def _distance_to(outline: np.ndarray) -> np.ndarray:
    """(H, W) float32: how far each pixel is from the outline."""
    return cv2.distanceTransform((~outline).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)


def _check_shapes(predicted: np.ndarray, truth: np.ndarray) -> None:
    if predicted.shape != truth.shape:
        raise ValueError(
            f"the predicted mask is {predicted.shape}, the truth {truth.shape}; compare them in one frame"
        )
