"""Which masks active learning begins with, and which it may ask for."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from boneage_kedro.training.hands.settings import QuerySettings
from boneage_kedro.training.seeding import derive_seed


@dataclass(frozen=True)
class Questions:
    """Cases by what their masks are for: to begin with, to choose the best epoch, and to be asked for later."""

    first: list[str]
    validation: list[str]
    pool: list[str]


def draw_questions(
    splits: pd.DataFrame,
    answerable: Iterable[str],
    free: Collection[str],
    settings: QuerySettings,
    seed: int,
) -> Questions:
    """Draw cases at random, from the training part to learn from, from validation and calibration part to validate.

    Cases whose masks are ``free`` are all taken, and come before those that must be asked for. The test part is left
    alone.

    Raises:
        ValueError: there are fewer cases than are asked for to begin with, or none to validate with.
    """
    part_of = dict(zip(splits["id"], splits["split"], strict=True))
    ids = sorted(answerable)
    training = _shuffled([key for key in ids if part_of.get(key) == "train"], free, seed, "first")
    others = [key for key in ids if part_of.get(key) in {"validation", "calibration"}]
    validation = _shuffled(others, free, seed, "validation")
    if len(training) < settings["first_labels"] or not validation:
        raise ValueError(
            f"{settings['first_labels']} masks are wanted to begin with (hand_active_learning.query.first_labels), "
            f"and some to validate with; masks can be had for {len(training)} cases of the training part and "
            f"{len(validation)} of the validation part: ask for fewer, or bring more"
        )
    first = max(settings["first_labels"], sum(key in free for key in training))
    kept = max(settings["validation_labels"], sum(key in free for key in validation))
    return Questions(sorted(training[:first]), sorted(validation[:kept]), sorted(training[first:]))


def _shuffled(ids: list[str], free: Collection[str], seed: int, purpose: str) -> list[str]:
    order = np.random.default_rng(derive_seed(seed, "questions", purpose)).permutation(len(ids))
    return sorted((ids[i] for i in order), key=lambda key: key not in free)
