"""Self-taught learning: a student network, a teacher that refines, and rounds of pseudo-labels (paper 000)."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pandas as pd
from torch import Tensor

from boneage_kedro.masks.crf_settings import CrfSettings
from boneage_kedro.models.segmenter import Segmenter
from boneage_kedro.models.weights import fingerprint_weights
from boneage_kedro.provenance import fingerprint, fingerprint_code
from boneage_kedro.training.checkpoint import CheckpointFile
from boneage_kedro.training.device import device_of
from boneage_kedro.training.fingers.pool import AreaPrior, PoolScore, choose, label_pool, score_pool
from boneage_kedro.training.fingers.settings import SelfTrainSettings
from boneage_kedro.training.loop import train
from boneage_kedro.training.seeding import derive_seed
from boneage_kedro.training.segmentation.lesson import Lesson, fingerprint_masks
from boneage_kedro.training.segmentation.network_training import SegmentationTask
from boneage_kedro.training.segmentation.samples import MaskSamples
from boneage_kedro.training.segmentation.scoring import gather_scores
from boneage_kedro.training.segmentation.settings import MaskFitSettings, SegmentationSettings

logger = logging.getLogger(__name__)


class Observer(Protocol):
    """Measures a student and its pseudo-labels after a round; what it returns decides nothing.

    ``name`` is a fingerprint of what they are measured against.
    """

    @property
    def name(self) -> str:
        """A fingerprint of what students are measured against."""

    def __call__(self, student: Segmenter, pseudo: Mapping[str, np.ndarray]) -> dict[str, float]:
        """Figures of a round."""


_CODE = ("training/*", "training/segmentation", "training/fingers", "models", "masks", "imaging")


@dataclass
class _State:
    """Where a self-training stands; plain values and tensors, so that a checkpoint holds it."""

    round: int = 0
    weights: dict[str, Tensor] = field(default_factory=dict)
    chosen: list[list[str]] = field(default_factory=list)
    masks: dict[str, Tensor] = field(default_factory=dict)
    records: list[dict[str, Any]] = field(default_factory=list)


class SelfTraining:
    """The rounds of paper 000, section III.B; a run that was killed goes on where it was.

    Round 0 trains the student on the labelled pictures. Each later round predicts the pool, lets the teacher
    refine the predictions, takes the pictures that the selection rule ranks first, and trains the student on
    labelled and pseudo-labelled pictures together. Pictures once chosen stay chosen; their masks stay as they
    were (``frozen``, the paper) or are made anew by each round's student (``refreshed``).

    Args:
        new_student: makes a student as it is before training, always the same one.
        lesson: what it learns from.
        observe: called after each round; what it returns is kept in the table of rounds.
        checkpoint: keeps the state between two steps.
        first_checkpoint: keeps round 0, which trainings that differ only in later rounds may share.
    """

    def __init__(
        self,
        new_student: Callable[[], Segmenter],
        lesson: Lesson,
        network: SegmentationSettings,
        rounds: SelfTrainSettings,
        crf: CrfSettings,
        observe: Observer,
        checkpoint: CheckpointFile,
        first_checkpoint: CheckpointFile,
    ) -> None:
        self._new_student, self._lesson, self._observe = new_student, lesson, observe
        self._network, self._rounds, self._crf = network, rounds, crf
        self._checkpoint, self._first_checkpoint = checkpoint, first_checkpoint
        self._student_checkpoint, self._scores = checkpoint.beside("student"), checkpoint.beside("scores")
        self._first_name = fingerprint(
            lesson.name,
            network,
            rounds["first_stage"],
            fingerprint_weights(new_student().state_dict()),
            fingerprint_code(*_CODE),
        )
        self._name = fingerprint(self._first_name, rounds, crf, observe.name)
        self._device = device_of(network["fit"]["accelerator"])
        self._area = AreaPrior.of(lesson.labelled.masks.values(), rounds["area_slack"])

    def run(self) -> tuple[Segmenter, pd.DataFrame]:
        """The student after the last round, and a row a round: what it learnt from and what was observed."""
        student, state = self._new_student(), self._resume()
        if state.weights:
            student.load_state_dict(state.weights)
        while state.round <= self._rounds["rounds"]:
            if len(state.chosen) < state.round:
                self._extend_pseudo_labels(student, state)
            student = self._train(student, state)
            observed = self._observe(student, _arrays(state.masks))
            state.records.append({"round": state.round, "pseudo_labels": len(state.masks), **observed})
            state.weights = student.state_dict()
            state.round += 1
            self._save(state)
            self._student_checkpoint.remove()
        return student, pd.DataFrame(state.records)

    def _extend_pseudo_labels(self, student: Segmenter, state: _State) -> None:
        """Choose pictures and make their masks, the first thing of a round."""
        ids = self._choose(student, state) if self._rounds["selection"] != "none" else []
        if self._rounds["pseudo_labels"] == "refreshed":
            ids_anew, state.masks = [key for chosen in state.chosen for key in chosen] + ids, {}
        else:
            ids_anew = ids
        pictures = self._lesson.pool.among(ids_anew)
        made = label_pool(student, pictures, self._crf, self._rounds, self._network["fit"], self._device)
        fit = {key: mask for key, mask in made.items() if self._area.allows(float((mask > 0).float().mean()))}
        wanted = 0 if self._rounds["selection"] == "none" else self._rounds["per_round"]
        if len(ids) < wanted or len(fit) < len(made):
            text = "round %d: %d of %d pictures wanted were found, %d of %d masks are fit to learn from"
            logger.warning(text, state.round, len(ids), wanted, len(fit), len(made))
        state.masks |= fit
        state.chosen.append(ids)
        self._save(state)
        self._scores.remove()

    def _choose(self, student: Segmenter, state: _State) -> list[str]:
        """Score what is left of the pool, a part at a time, and take the first of the ranking."""
        used = {key for ids in state.chosen for key in ids}
        pool, fit = self._lesson.pool, self._network["fit"]
        scores = gather_scores(
            [key for key in pool.ids if key not in used],
            lambda ids: score_pool(student, pool.among(ids), self._crf, self._rounds, fit, self._device),
            PoolScore,
            self._scores,
            fingerprint(self._name, state.round),
        )
        return choose(scores, self._rounds, self._area, fit["seed"], state.round)

    def _train(self, student: Segmenter, state: _State) -> Segmenter:
        """Train on labelled and pseudo-labelled pictures; as long for many of them as for few."""
        if self._rounds["start"] == "cold" or not state.round:
            student = self._new_student()
        task = SegmentationTask(
            student,
            self._samples(state),
            self._lesson.validation,
            self._network["fit"]["loss"],
            self._network["augment"],
        )
        seed = derive_seed(self._network["fit"]["seed"], "round", state.round)
        fit: MaskFitSettings = {**self._network["fit"], "seed": seed}
        if not state.round:
            train(task, [self._rounds["first_stage"]], fit, self._first_checkpoint, self._first_name)
        else:
            stage = self._rounds["round_stage" if self._rounds["start"] == "warm" else "first_stage"]
            name = fingerprint(self._name, state.round, fingerprint_masks(_arrays(state.masks)))
            train(task, [stage], fit, self._student_checkpoint, name)
        return student

    def _samples(self, state: _State) -> MaskSamples:
        """Labelled and pseudo-labelled pictures together."""
        labelled, pseudo = self._lesson.labelled, self._lesson.pool.among(list(state.masks))
        return MaskSamples(
            labelled.pictures + pseudo,
            {**labelled.masks, **_arrays(state.masks)},
            {**labelled.weights, **dict.fromkeys(state.masks, self._rounds["pseudo_weight"])},
            labelled.epoch_samples,
        )

    def _resume(self) -> _State:
        saved = self._checkpoint.load()
        if saved is None or saved["fingerprint"] != self._name:
            return _State()
        state = _State(**saved["state"])
        logger.info(
            "Going on with a self-training of the same data, settings and code, round %d.", state.round
        )
        return state

    def _save(self, state: _State) -> None:
        self._checkpoint.save({"fingerprint": self._name, "state": dict(vars(state))})


def _arrays(masks: Mapping[str, Tensor]) -> dict[str, np.ndarray]:
    return {key: mask.numpy() for key, mask in masks.items()}
