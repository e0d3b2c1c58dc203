"""Active learning: a committee that asks for the masks that it disagrees on most (paper 001, algorithm 1)."""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np
import pandas as pd
from torch import Tensor

from boneage_kedro.imaging.store import ImageStore
from boneage_kedro.models.committee import Committee
from boneage_kedro.models.segmenter import Segmenter
from boneage_kedro.models.weights import fingerprint_weights
from boneage_kedro.provenance import fingerprint, fingerprint_code
from boneage_kedro.training.checkpoint import CheckpointFile
from boneage_kedro.training.device import device_of
from boneage_kedro.training.hands.committee import CommitteeScore, score_committee
from boneage_kedro.training.hands.oracle import Oracle
from boneage_kedro.training.hands.queries import choose_queries, draw_queries
from boneage_kedro.training.hands.questions import Questions
from boneage_kedro.training.hands.settings import FlatSettings, QuerySettings
from boneage_kedro.training.loop import train
from boneage_kedro.training.seeding import derive_seed
from boneage_kedro.training.segmentation.lesson import fingerprint_masks
from boneage_kedro.training.segmentation.network_training import SegmentationTask, mean_dice, predict_masks
from boneage_kedro.training.segmentation.samples import MaskSamples, Pictures
from boneage_kedro.training.segmentation.scoring import gather_scores
from boneage_kedro.training.segmentation.settings import MaskFitSettings, SegmentationSettings

logger = logging.getLogger(__name__)

_CODE = ("training/*", "training/segmentation", "training/hands", "models", "masks", "imaging")


class Observer(Protocol):
    """Measures a committee after a round; what it returns decides nothing."""

    @property
    def name(self) -> str:
        """A fingerprint of what committees are measured against."""

    def __call__(self, network: Committee) -> dict[str, float]:
        """Figures of a round."""


class Outcome(NamedTuple):
    """Where an active learning stands.

    Attributes:
        members: as they are after the last finished round, or before the first.
        rounds: a row a round: ``round, labels, validation_dice``, ``disagreement`` (mean of the pool; nan where it
            was not asked for) and what the observer gave.
        labelled: cases that it has learnt from.
        open_ids: questions without an answer; as long as there are some, it is not finished.
    """

    members: list[Segmenter]
    rounds: pd.DataFrame
    labelled: list[str]
    open_ids: list[str]


@dataclass
class _State:
    """Plain values and tensors, so that a checkpoint holds it.

    Each list of ``asked`` is one round's questions; once the round has its record they have been learnt from.
    """

    asked: list[list[str]]
    members: list[dict[str, Tensor]] = field(default_factory=list)
    records: list[dict[str, Any]] = field(default_factory=list)

    @property
    def all_asked(self) -> list[str]:
        """The questions of all rounds."""
        return [key for ids in self.asked for key in ids]


class ActiveLearning:
    """The rounds of algorithm 1; a run that was killed goes on where it was, and so does one that waits for answers.

    Each round trains every member on all masks there are, scores what is left of the pool, and asks for the masks
    that the rule ranks first.

    Args:
        new_member: makes a member as it is before training, from its number and seed.
        questions: what to begin with and what may be asked for.
        oracle: has the answers.
        observe: called after each round.
        checkpoint: keeps the state between two steps.
        first_checkpoint: keeps round 0, which ways of asking that begin alike may share.
    """

    def __init__(
        self,
        new_member: Callable[[int, int], Segmenter],
        questions: Questions,
        store: ImageStore,
        oracle: Oracle,
        network: SegmentationSettings,
        query: QuerySettings,
        observe: Observer,
        checkpoint: CheckpointFile,
        first_checkpoint: CheckpointFile,
    ) -> None:
        self._new_member, self._questions, self._store = new_member, questions, store
        self._oracle, self._observe = oracle, observe
        self._network, self._query = network, query
        self._checkpoint, self._first_checkpoint = checkpoint, first_checkpoint
        self._scores = checkpoint.beside("scores")
        self._device = device_of(network["fit"]["accelerator"])
        self._batch_size = network["fit"]["batch_size"]
        self._start = fingerprint(
            network, fingerprint_weights(self._fresh(0).state_dict()), fingerprint_code(*_CODE)
        )
        every = questions.first + questions.validation + questions.pool
        self._name = fingerprint(self._start, query, store.fingerprint(every), oracle.name, observe.name)

    def run(self) -> Outcome:
        """Learn and ask until there are masks enough or more of them no longer pay, or until an answer is missing."""
        state = self._resume()
        members = self._members(state)
        while True:
            if len(state.records) < len(state.asked):
                wanted = self._questions.validation + state.all_asked
                masks = self._oracle.masks(wanted)
                open_ids = [key for key in wanted if key not in masks]
                if open_ids:
                    self._ask(members, open_ids)
                    return self._outcome(members, state, open_ids)
                members = self._learn(members, state, masks)
                self._save(state)
                for i in range(len(members)):
                    self._round_checkpoint(i).remove()
            queries = self._next_queries(members, state)
            if not queries:
                return self._outcome(members, state, [])
            state.asked.append(queries)
            self._save(state)
            self._scores.remove()

    def _learn(
        self, members: list[Segmenter], state: _State, masks: Mapping[str, np.ndarray]
    ) -> list[Segmenter]:
        """Train every member on all masks that were asked for, and note what came of it."""
        number, labelled = len(state.records), sorted(state.all_asked)
        learnt, validation = self._samples(labelled, masks), self._samples(self._questions.validation, masks)
        if self._query["start"] == "cold" or not number:
            members = [self._fresh(i) for i in range(self._query["members"])]
        for i, member in enumerate(members):
            self._train(member, i, number, learnt, validation)
        committee = Committee(members)
        dice = mean_dice(committee, validation, self._batch_size, self._device)
        logger.info(
            "round %d: %d masks, Dice of the committee in validation %.4f", number, len(labelled), dice
        )
        record = {"round": number, "labels": len(labelled), "validation_dice": dice, "disagreement": np.nan}
        state.records.append(record | self._observe(committee))
        state.members = [member.state_dict() for member in members]
        return members

    def _train(
        self, member: Segmenter, i: int, number: int, learnt: MaskSamples, validation: MaskSamples
    ) -> None:
        fit: MaskFitSettings = {**self._network["fit"], "seed": self._seed(i, "round", number)}
        task = SegmentationTask(member, learnt, validation, fit["loss"], self._network["augment"])
        begins = self._query["start"] == "cold" or not number
        stage = self._query["first_stage" if begins else "round_stage"]
        taught = fingerprint_masks(learnt.masks), fingerprint_masks(validation.masks)
        if not number:
            name = fingerprint(self._start, stage, i, taught)
            train(task, [stage], fit, self._first_checkpoint.beside(str(i)), name)
        else:
            name = fingerprint(self._name, number, i, taught)
            train(task, [stage], fit, self._round_checkpoint(i), name)

    def _round_checkpoint(self, i: int) -> CheckpointFile:
        return self._checkpoint.beside(f"member{i}")

    def _next_queries(self, members: list[Segmenter], state: _State) -> list[str]:
        """What to ask for next; nothing when there are masks enough, or when more of them no longer pay."""
        asked, rule = set(state.all_asked), self._query["rule"]
        left = [key for key in self._questions.pool if key not in asked]
        count = min(self._query["per_round"], self._query["labels"] - len(asked), len(left))
        if count <= 0:
            return []
        scores: dict[str, CommitteeScore] = {}
        if rule != "random" or self._query["flat"]["rounds"]:
            scores = self._score(members, left, len(state.records))
            state.records[-1]["disagreement"] = float(np.mean([s.dissimilarity for s in scores.values()]))
            if is_flat(state.records, self._query["flat"]):
                logger.info("more masks no longer pay: disagreement and Dice are flat")
                return []
        seed, number = self._network["fit"]["seed"], len(state.records)
        if rule == "random":
            return draw_queries(left, count, seed, number)
        return choose_queries(scores, rule, count, seed, number, self._query["diversity_factor"])

    def _score(self, members: list[Segmenter], ids: list[str], number: int) -> dict[str, CommitteeScore]:
        """Score the pool, a part at a time."""
        pool = Pictures.of(self._store, ids, self._network["input_px"])
        diverse = self._query["diversity_factor"] > 1
        return gather_scores(
            ids,
            lambda some: score_committee(members, pool.among(some), self._batch_size, self._device, diverse),
            CommitteeScore,
            self._scores,
            fingerprint(self._name, number),
        )

    def _ask(self, members: list[Segmenter], ids: list[str]) -> None:
        """Ask for masks, proposing those of the committee as it is."""
        committee, side = Committee(members), self._network["input_px"]

        def propose(some: list[str]) -> Iterator[tuple[str, np.ndarray]]:
            return predict_masks(committee, self._store, some, side, self._batch_size, self._device)

        self._oracle.ask(ids, propose)

    def _samples(self, ids: list[str], masks: Mapping[str, np.ndarray]) -> MaskSamples:
        pictures = Pictures.of(self._store, ids, self._network["input_px"])
        mine = {key: masks[key] for key in ids}
        return MaskSamples(pictures, mine, dict.fromkeys(ids, 1.0), self._network["epoch_samples"])

    def _fresh(self, i: int) -> Segmenter:
        return self._new_member(i, self._seed(i, "weights"))

    def _seed(self, i: int, *purpose: int | str) -> int:
        return derive_seed(self._network["fit"]["seed"], "member", i, *purpose)

    def _members(self, state: _State) -> list[Segmenter]:
        members = [self._fresh(i) for i in range(self._query["members"])]
        for member, weights in zip(members, state.members, strict=bool(state.members)):
            member.load_state_dict(weights)
        return members

    def _outcome(self, members: list[Segmenter], state: _State, open_ids: list[str]) -> Outcome:
        learnt = state.asked[: len(state.records)]
        labelled = sorted(key for ids in learnt for key in ids)
        return Outcome(members, pd.DataFrame(state.records), labelled, open_ids)

    def _resume(self) -> _State:
        saved = self._checkpoint.load()
        if saved is None or saved["fingerprint"] != self._name:
            return _State([self._questions.first])
        state = _State(**saved["state"])
        self._add_unasked(state)
        text = "Going on with an active learning of the same data, settings and code, round %d."
        logger.info(text, len(state.asked) - 1)
        return state

    def _add_unasked(self, state: _State) -> None:
        """Masks that came without being asked for are learnt from with the next round."""
        asked = set(state.all_asked)
        unasked = [key for key in self._questions.first if key not in asked]
        if unasked and len(state.records) == len(state.asked):
            state.asked.append(unasked)
        else:
            state.asked[-1] += unasked

    def _save(self, state: _State) -> None:
        self._checkpoint.save({"fingerprint": self._name, "state": dict(vars(state))})


def is_flat(records: list[dict[str, Any]], flat: FlatSettings) -> bool:
    """Whether neither Dice nor disagreement have moved enough over the last rounds for asking on (`FlatSettings`)."""
    if not flat["rounds"] or len(records) <= flat["rounds"]:
        return False
    before, *recent = records[-flat["rounds"] - 1 :]
    risen = max(record["validation_dice"] for record in recent) - before["validation_dice"]
    fallen = before["disagreement"] - min(record["disagreement"] for record in recent)
    return bool(risen < flat["dice"] and fallen < flat["disagreement"] * before["disagreement"])
