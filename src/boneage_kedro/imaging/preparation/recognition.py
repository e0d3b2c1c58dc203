"""Recognising the hand: which polarity and pose of a picture look like an upright left hand with bright bone.

A small network (one hidden layer) scores how much a thumbnail looks like that. It is asked about all 16
versions of the picture, two polarities times eight poses, and the softmax over its scores is the probability
of each. It is fitted on phantoms and on real radiographs; ``benchmarks/fit_recognition.py`` makes its weights.
"""

from functools import cache
from importlib.resources import files
from typing import NamedTuple

import cv2
import numpy as np

from boneage_kedro.imaging.geometry import UPRIGHT, Pose

VIEW_PX = 32
POSES = tuple(Pose(mirrored, turns) for mirrored in (False, True) for turns in range(4))


class Appearance(NamedTuple):
    """What has to be done to a picture so that it shows an upright left hand with bright bone."""

    inverted: bool
    pose: Pose


AS_IT_SHOULD = Appearance(inverted=False, pose=UPRIGHT)
APPEARANCES = tuple(Appearance(inverted, pose) for inverted in (False, True) for pose in POSES)


_TURNED = np.stack([pose.apply(np.arange(VIEW_PX**2).reshape(VIEW_PX, VIEW_PX)).ravel() for pose in POSES])


class _Weights(NamedTuple):
    """A hidden layer of K units over the pixels of a view, and what each adds to the score."""

    hidden: np.ndarray  # (VIEW_PX * VIEW_PX, K)
    bias: np.ndarray  # (K,)
    output: np.ndarray  # (K,)


def recognise(field: np.ndarray) -> np.ndarray:
    """The probabilities of the 16 `APPEARANCES` of a (H, W) float32 field, as (16,); even for a constant one."""
    weights = _weights()
    # One product a view: larger ones make BLAS start threads of its own inside those that prepare pictures.
    upright = np.stack([view @ weights.hidden for view in turned_views(field_view(field))])
    hidden = np.maximum(np.concatenate([upright, -upright]) + weights.bias, 0)
    scores = (hidden * weights.output).sum(axis=1)
    likelihood = np.exp(scores - scores.max())
    return likelihood / likelihood.sum()


def field_view(field: np.ndarray) -> np.ndarray:
    """The field as (VIEW_PX, VIEW_PX) float32 in 0..1, letterboxed in the gray of its rim."""
    scale = VIEW_PX / max(field.shape)
    size = tuple(max(1, round(side * scale)) for side in field.shape[::-1])
    small = cv2.resize(field, size, interpolation=cv2.INTER_AREA)
    ordered = np.sort(small, axis=None)
    low, high = ordered[ordered.size // 50], ordered[-1 - ordered.size // 50]
    if high > low:
        small = np.clip((small - low) / (high - low), 0, 1)
    rim = np.concatenate([small[:, 0], small[:, -1], small[0]])
    top, left = (VIEW_PX - small.shape[0]) // 2, (VIEW_PX - small.shape[1]) // 2
    view = np.full((VIEW_PX, VIEW_PX), np.sort(rim)[rim.size // 2], np.float32)
    view[top : top + small.shape[0], left : left + small.shape[1]] = small
    return view


def turned_views(view: np.ndarray) -> np.ndarray:
    """A view in the eight `POSES`, as (8, pixels) of mean 0 and unit variance; 0 where it is constant."""
    flat = view.ravel() - view.mean()
    return (flat / max(float(flat.std()), 1e-6))[_TURNED]


@cache
def _weights() -> _Weights:
    with (files(__package__) / "recognition.npz").open("rb") as file, np.load(file) as stored:
        return _Weights(*(stored[name].astype(np.float32) for name in _Weights._fields))
