"""Precision, recall and intersection over union of segmented pixels, class by class (paper 002, section 3.4)."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

BACKGROUND = "background"
OVERALL = "overall"


def confusion(predicted: np.ndarray, truth: np.ndarray, classes: int) -> np.ndarray:
    """How many pixels of each class (rows) were given each class (columns).

    Args:
        predicted, truth: (H, W) unsigned integer codes below ``classes``.
        classes: K, with the background.

    Returns:
        (K, K) int64; those of several pictures may be added up.

    Raises:
        ValueError: the shapes differ, or there are other codes.
    """
    if predicted.shape != truth.shape:
        raise ValueError(
            f"the predicted mask is {predicted.shape}, the truth {truth.shape}; compare them in one frame"
        )
    highest = max(int(predicted.max(initial=0)), int(truth.max(initial=0)))
    if highest >= classes:
        raise ValueError(
            f"the masks hold code {highest}, but there are {classes} classes, 0 to {classes - 1}"
        )
    pairs = truth.astype(np.int64) * classes + predicted
    return np.bincount(pairs.ravel(), minlength=classes**2).reshape(classes, classes)


def pixel_scores(counts: np.ndarray, class_names: Sequence[str]) -> dict[str, float]:
    """Precision TP / (TP + FP), recall TP / (TP + FN) and IoU TP / (TP + FP + FN) of every class.

    A class that neither has is right: 1. One that only the truth or only the prediction has scores 0 in all three,
    so that missing it altogether is not passed over.

    The paper's overall IoU (97%) is above that of both bones (96.6 and 95%), so it can only be a mean that counts the
    background as a class, as FCN's authors do; ``overall`` is that here, too.

    Args:
        counts: (K, K) of `confusion`.
        class_names: of the codes 1 to K - 1.

    Returns:
        ``<measure>_<class>``, 0 to 1, with the measures ``precision``, ``recall`` and ``iou``; each for ``overall``,
        ``background`` and the named classes.
    """
    right = np.diag(counts)
    given, true = counts.sum(0), counts.sum(1)
    absent = (given == 0) & (true == 0)
    scores: dict[str, float] = {}
    for measure, whole in {"precision": given, "recall": true, "iou": given + true - right}.items():
        values = np.where(absent, 1.0, right / np.maximum(whole, 1))
        named = zip((BACKGROUND, *class_names), values.tolist(), strict=True)
        scores |= {f"{measure}_{OVERALL}": float(values.mean())}
        scores |= {f"{measure}_{name}": value for name, value in named}
    return scores


def score_classes(
    predicted: Mapping[str, np.ndarray], truth: Mapping[str, np.ndarray], class_names: Sequence[str]
) -> pd.DataFrame:
    """Score every mask of the truth against its prediction, class by class.

    Args:
        predicted, truth: id -> (H, W) masks of codes, 0 background; predictions of other ids are passed over.
        class_names: of the codes 1, 2, ...

    Returns:
        One row a case: ``id`` and the columns of `pixel_scores`; `boneage_kedro.evaluation.segmentation.scores` has
        the mean and spread of such tables (``summarise_scores``).

    Raises:
        LookupError: cases without a prediction.
        ValueError: a mask is of another size than its prediction, or holds codes without a name.
    """
    counts = _confusions(predicted, truth, len(class_names) + 1)
    rows = [{"id": key, **pixel_scores(found, class_names)} for key, found in counts.items()]
    return pd.DataFrame(rows or {"id": []})


def score_pooled(
    predicted: Mapping[str, np.ndarray], truth: Mapping[str, np.ndarray], class_names: Sequence[str]
) -> dict[str, float]:
    """The scores of all cases' pixels taken together, as FCN's authors do it; see `pixel_scores`.

    Large pictures count more than small ones. Arguments and errors are those of `score_classes`.

    Raises:
        ValueError: there is no case.
    """
    counts = _confusions(predicted, truth, len(class_names) + 1)
    if not counts:
        raise ValueError("there is no case to score; give at least one mask")
    return pixel_scores(np.sum(list(counts.values()), axis=0), class_names)


def _confusions(
    predicted: Mapping[str, np.ndarray], truth: Mapping[str, np.ndarray], classes: int
) -> dict[str, np.ndarray]:
    missing = [key for key in truth if key not in predicted]
    if missing:
        raise LookupError(
            f"{len(missing)} of {len(truth)} cases have no predicted mask, such as {missing[:3]}"
        )
    counts = {}
    for key, mask in truth.items():
        try:
            counts[key] = confusion(predicted[key], mask, classes)
        except ValueError as error:
            raise ValueError(f"case {key}: {error}") from error
    return counts
