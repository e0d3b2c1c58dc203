"""How well boxes are found: overlap with the truth, and boxes where there is nothing.

Boxes are (4,) ``left, top, right, bottom`` in any unit, nan where there is none.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from boneage_kedro.evaluation.ages.metrics import mean_interval

THRESHOLDS = (0.5, 0.75)


def box_iou(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Intersection over union of boxes (..., 4) pair by pair, (...) in 0 to 1.

    Of a box and none it is 0; where both are none they agree, as two empty masks do.
    """
    low, high = np.maximum(boxes[..., :2], others[..., :2]), np.minimum(boxes[..., 2:], others[..., 2:])
    both = (high - low).clip(0).prod(-1)
    either = _area(boxes) + _area(others) - both
    none, other_none = np.isnan(boxes).any(-1), np.isnan(others).any(-1)
    shares = np.divide(both, either, out=np.zeros_like(both), where=either > 0)
    return np.where(none | other_none, (none & other_none).astype(float), shares)


def score_boxes(
    found: Mapping[str, np.ndarray], truth: Mapping[str, np.ndarray], confidences: Mapping[str, float]
) -> pd.DataFrame:
    """Score every case of the truth.

    Args:
        found, truth: id -> (4,) box in one frame and unit.
        confidences: id -> how sure the detector is that there is a box, 0 to 1.

    Returns:
        One row a case: ``id, iou, confidence``, ``has_box`` (there is one) and ``found_box`` (one was found).

    Raises:
        LookupError: cases that were not looked at.
    """
    missing = [key for key in truth if key not in found or key not in confidences]
    if missing:
        raise LookupError(f"{len(missing)} of {len(truth)} cases were not looked at, such as {missing[:3]}")
    rows = [
        {
            "id": key,
            "iou": float(box_iou(found[key], box)),
            "confidence": confidences[key],
            "has_box": not np.isnan(box).any(),
            "found_box": not np.isnan(found[key]).any(),
        }
        for key, box in truth.items()
    ]
    return pd.DataFrame(rows, columns=["id", "iou", "confidence", "has_box", "found_box"])


def summarise_boxes(scores: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Shares and means over the cases of `score_boxes`.

    Returns:
        One row a measure: ``measure``, ``cases``, ``mean``, and ``low`` and ``high``, its 95% bootstrap interval; nan
        without a case. Measures are ``iou``, ``found_50`` and ``found_75`` (share found with an IoU of at least that)
        and ``missed`` (share where no box was found) of the cases that have a box, and ``false_positives`` (share
        where one was found) of those that have none.
    """
    present, absent = scores[scores["has_box"]], scores[~scores["has_box"]]
    measures = {
        "iou": present["iou"],
        **{f"found_{100 * least:.0f}": present["iou"] >= least for least in THRESHOLDS},
        "missed": ~present["found_box"].astype(bool),
        "false_positives": absent["found_box"].astype(bool),
    }
    rows = [{"measure": name, **_summary(values.to_numpy(float), seed)} for name, values in measures.items()]
    return pd.DataFrame(rows, columns=["measure", "cases", "mean", "low", "high"])


def _summary(values: np.ndarray, seed: int) -> dict[str, float]:
    if not len(values):
        return {"cases": 0, "mean": np.nan, "low": np.nan, "high": np.nan}
    low, high = mean_interval(values, seed)
    return {"cases": len(values), "mean": float(values.mean()), "low": low, "high": high}


def _area(boxes: np.ndarray) -> np.ndarray:
    return np.asarray((boxes[..., 2:] - boxes[..., :2]).clip(0).prod(-1))
