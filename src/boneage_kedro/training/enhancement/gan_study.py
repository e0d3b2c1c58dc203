"""Ways of teaching the enhancer held against each other, and against plain methods on the same pictures."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from boneage_kedro.evaluation.enhancement.fidelity import judge, measure_fidelity
from boneage_kedro.evaluation.enhancement.image_quality import Graded, grade
from boneage_kedro.imaging.contrast.enhancement import Enhancement
from boneage_kedro.imaging.store import ImageStore
from boneage_kedro.training.checkpoint import CheckpointFile
from boneage_kedro.training.enhancement.cohort import as_method, grade_pairs, teach_enhancer
from boneage_kedro.training.enhancement.enhance import build_enhancer
from boneage_kedro.training.enhancement.gan_settings import (
    GanArm,
    GanSettings,
    GuardSettings,
    PairSettings,
    TileSettings,
)
from boneage_kedro.training.enhancement.gold import GoldPairs
from boneage_kedro.training.study import run_cells


def run_gan_study(
    gold: GoldPairs,
    hands: ImageStore,
    masks: Mapping[str, np.ndarray],
    test: Sequence[str],
    pairs: PairSettings,
    settings: GanSettings,
    tiles: TileSettings,
    guard: GuardSettings,
    arms: Sequence[GanArm],
    seeds: Sequence[int],
    checkpoint: CheckpointFile,
) -> Iterator[pd.DataFrame]:
    """Teach an enhancer by every arm with every seed; one that was finished before is not taught again.

    Args:
        test: hands of the test part that are graded as they came, without gold.

    Raises:
        ValueError: as `run_cells`.

    Yields:
        after each cell the table so far: ``arm, seed`` and what `grade_method` gives.
    """

    def run(arm: GanArm, seed: int, cell: CheckpointFile) -> pd.DataFrame:
        mine: GanSettings = {
            **settings,
            "reconstruction": arm["reconstruction"],
            "discriminator": {**settings["discriminator"], "name": arm["discriminator"]},
            "weights": {**settings["weights"], "adversarial": arm["adversarial"]},
            "seed": seed,
        }
        given: PairSettings = {**pairs, "input_tone": arm["input_tone"]}
        weights, described, _ = teach_enhancer(gold, hands, given, mine, cell)
        method = as_method(build_enhancer(weights, described), described, tiles, settings["accelerator"])
        return grade_method(method, gold, hands, masks, test, guard)

    yield from run_cells("gan_study", arms, seeds, checkpoint, run)


def grade_method(
    method: Enhancement,
    gold: GoldPairs,
    hands: ImageStore,
    masks: Mapping[str, np.ndarray],
    test: Sequence[str],
    guard: GuardSettings,
) -> pd.DataFrame:
    """Grade a method on the test part: its pairs against their gold, and hands as they came.

    Returns:
        a row a picture: ``pictures`` ("pairs" or "hands"), ``id``, those of
        `boneage_kedro.evaluation.enhancement.image_quality`, and for hands ``kept``, whether the guard lets the
        picture pass.
    """
    of_pairs = grade_pairs(gold.test, {"": method}).assign(pictures="pairs")
    graded, kept = [], []
    for key in test:
        original, inside = hands[key].astype(np.float32) / 255, masks[key] > 0
        picture = method(original, inside)
        graded.append(Graded("", key, picture, inside, None))
        facts = measure_fidelity(original * inside, picture * inside, inside, guard["fidelity"])
        kept.append(not judge(facts, guard["limits"]))
    of_hands = grade(graded).assign(pictures="hands", kept=kept)
    return pd.concat([of_pairs, of_hands], ignore_index=True).drop(columns="method")
