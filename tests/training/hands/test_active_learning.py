"""Active learning on pictures of squares: what is asked for, waiting for answers, and that a kill changes nothing."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from safetensors.torch import save_file

from boneage_kedro.models.committee import Committee
from boneage_kedro.models.weights import PretrainedWeights
from boneage_kedro.training.checkpoint import CheckpointFile
from boneage_kedro.training.hands.active_learning import is_flat
from boneage_kedro.training.hands.oracle import Truth
from boneage_kedro.training.hands.questions import draw_questions
from boneage_kedro.training.hands.training import build_members, describe_committee, train_hand_committee
from boneage_kedro.training.segmentation.lesson import MaskedData
from tests.training.killing import Killed, KillingFile
from tests.training.squares import SIDE, square_splits, square_store

COUNT = 24


@pytest.fixture
def settings(parameters: dict[str, Any]) -> dict[str, Any]:
    mine = parameters["hand_active_learning"]
    mine["network"] |= {"input_px": SIDE, "width": 4, "depth": 2, "epoch_samples": 8, "architecture": "unet"}
    mine["network"] |= {"growth": None, "layers": None, "reduction": 1}
    mine["network"]["fit"] |= {"batch_size": 4}
    mine["query"] |= {"members": 2, "first_labels": 3, "labels": 7, "per_round": 2, "validation_labels": 3}
    mine["query"]["first_stage"] |= {"max_epochs": 3, "patience": 3, "learning_rate": 0.01}
    mine["query"]["round_stage"] |= {"max_epochs": 1, "patience": 1, "learning_rate": 0.01}
    mine["query"]["flat"] |= {"rounds": 0}
    return mine


@pytest.fixture
def data(tmp_path: Path) -> MaskedData:
    store, masks = square_store(tmp_path / "store", COUNT)
    test = {key: masks[key] for key in ("s20", "s21", "s22", "s23")}
    return MaskedData(store, square_splits(COUNT, 6, 4), masks, test, 2, PretrainedWeights(tmp_path))


def learn(data: MaskedData, settings: dict[str, Any], file: CheckpointFile, oracle: Any = None, **query: Any):
    oracle = oracle or Truth(data.masks)
    return train_hand_committee(
        data, oracle, settings["network"], settings["query"] | query, file, file.beside("first")
    )


def same(first: Any, second: Any) -> bool:
    weights = [describe_weights(outcome) for outcome in (first, second)]
    return (
        first.labelled == second.labelled
        and first.rounds.equals(second.rounds)
        and all(a.equal(b) for a, b in zip(*weights, strict=True))
    )


def describe_weights(outcome: Any) -> list[Any]:
    return [value for member in outcome.members for value in member.state_dict().values()]


def test_it_asks_round_by_round_until_there_are_masks_enough(
    tmp_path: Path, data: MaskedData, settings: dict[str, Any]
) -> None:
    outcome = learn(data, settings, CheckpointFile(tmp_path / "state.pt"))
    assert outcome.rounds["labels"].tolist() == [3, 5, 7]
    assert outcome.open_ids == []
    assert len(outcome.labelled) == len(set(outcome.labelled)) == 7
    assert set(outcome.labelled) <= {f"s{i:02d}" for i in range(14)}  # the training part
    assert outcome.rounds["disagreement"].notna().tolist() == [True, True, False]
    assert (outcome.rounds["test_dice"] > 0).all()
    weights, described = describe_committee(outcome, data, settings["network"])
    again = Committee(build_members(weights, described)).state_dict()
    assert all(again[name].equal(value) for name, value in weights.items())


def test_rules_that_begin_alike_share_the_first_round(
    tmp_path: Path, data: MaskedData, settings: dict[str, Any]
) -> None:
    file = CheckpointFile(tmp_path / "state.pt")
    qbc = learn(data, settings, file, rule="qbc")
    random = learn(data, settings, file.beside("random"), rule="random")
    assert qbc.rounds["test_dice"][0] == random.rounds["test_dice"][0]
    assert qbc.labelled != random.labelled


@pytest.mark.parametrize("saves", [1, 3, 6, 7, 8, 9, 11, 13, 15])
def test_a_kill_at_any_save_changes_nothing(
    tmp_path: Path, data: MaskedData, settings: dict[str, Any], saves: int
) -> None:
    whole = learn(data, settings, CheckpointFile(tmp_path / "whole.pt"))
    file = KillingFile(tmp_path / "killed.pt")
    KillingFile.saves_left = [saves]
    with pytest.raises(Killed):
        learn(data, settings, file)
    KillingFile.saves_left = [-1]
    assert same(whole, learn(data, settings, file))


class Slow(Truth):
    """Answers only what was asked in an earlier run, as people do."""

    def __init__(self, known: Any, answered: set[str]) -> None:
        super().__init__(known)
        object.__setattr__(self, "answered", answered)
        object.__setattr__(self, "asked", {})

    def masks(self, ids: Any) -> dict[str, np.ndarray]:
        return {key: mask for key, mask in super().masks(ids).items() if key in self.answered}

    def ask(self, ids: list[str], propose: Any) -> None:
        self.asked.update(propose(ids))


def test_it_waits_for_answers_and_goes_on_with_them(
    tmp_path: Path, data: MaskedData, settings: dict[str, Any]
) -> None:
    whole = learn(data, settings, CheckpointFile(tmp_path / "whole.pt"))
    file, answered, rounds = CheckpointFile(tmp_path / "waits.pt"), set(), []
    for _ in range(10):
        oracle = Slow(data.masks, answered)
        outcome = learn(data, settings, file, oracle)
        rounds.append(len(outcome.rounds))
        if not outcome.open_ids:
            break
        assert set(oracle.asked) == set(outcome.open_ids)
        assert all(mask.shape == (SIDE, SIDE) for mask in oracle.asked.values())
        answered |= set(outcome.open_ids[:-1] or outcome.open_ids)  # one stays open for another run
    assert rounds == [0, 0, 1, 1, 2, 2, 3]
    assert same(whole, outcome)


def test_masks_that_nobody_asked_for_are_learnt_from(
    tmp_path: Path, data: MaskedData, settings: dict[str, Any]
) -> None:
    class Gift(Slow):
        def free(self) -> set[str]:
            return set(self.answered)

    part_of = dict(zip(data.splits["id"], data.splits["split"], strict=True))
    file = CheckpointFile(tmp_path / "state.pt")
    before = learn(data, settings, file, Gift(data.masks, set()))
    answered = set(before.open_ids)
    after = learn(data, settings, file, Gift(data.masks, answered))
    assert len(after.rounds) == 1
    gift = next(
        key
        for key in data.images.ids
        if part_of[key] == "train" and key not in answered | set(after.open_ids)
    )
    last = learn(data, settings, file, Gift(data.masks, answered | set(after.open_ids) | {gift}))
    assert gift in last.labelled


def test_a_committee_from_elsewhere_is_taken_as_it_is(
    data: MaskedData, settings: dict[str, Any], tmp_path: Path
) -> None:
    file = CheckpointFile(tmp_path / "c.pt")
    taught = learn(data, settings, file)
    weights, _ = describe_committee(taught, data, settings["network"])
    save_file(weights, tmp_path / "taught.safetensors")
    settings["network"]["initial_weights"] = "taught"
    taken = learn(data, settings, CheckpointFile(tmp_path / "d.pt"), labels=0)
    assert all(a.equal(b) for a, b in zip(describe_weights(taken), describe_weights(taught), strict=True))
    assert taken.labelled == taken.open_ids == []
    assert taken.rounds["test_dice"].tolist() == [taught.rounds["test_dice"].iloc[-1]]


def test_random_weights_cannot_be_taken_as_they_are(
    data: MaskedData, settings: dict[str, Any], tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=r"name its file in hand_active_learning\.network"):
        learn(data, settings, CheckpointFile(tmp_path / "c.pt"), labels=0)


def test_a_committee_that_no_longer_gains_stops(
    tmp_path: Path, data: MaskedData, settings: dict[str, Any]
) -> None:
    flat = {"rounds": 1, "dice": 2.0, "disagreement": 1.0}  # nothing is ever gain enough
    outcome = learn(data, settings, CheckpointFile(tmp_path / "state.pt"), flat=flat)
    assert outcome.rounds["labels"].tolist() == [3, 5]


def test_flat_needs_both_dice_and_disagreement_to_rest() -> None:
    flat: Any = {"rounds": 2, "dice": 0.01, "disagreement": 0.1}

    def records(*pairs: tuple[float, float]) -> list[dict[str, Any]]:
        return [{"validation_dice": dice, "disagreement": far} for dice, far in pairs]

    assert is_flat(records((0.9, 1.0), (0.905, 0.95), (0.902, 0.96)), flat)
    assert not is_flat(records((0.9, 1.0), (0.92, 0.95), (0.9, 0.96)), flat)  # Dice rose in between
    assert not is_flat(records((0.9, 1.0), (0.9, 0.85), (0.9, 1.0)), flat)  # disagreement fell
    assert not is_flat(records((0.9, 1.0), (0.9, 1.0)), flat)  # too few rounds yet
    assert not is_flat(records(*[(0.9, 1.0)] * 5), {**flat, "rounds": 0})


def test_questions_are_drawn_from_their_parts(settings: dict[str, Any]) -> None:
    splits = pd.DataFrame(
        {
            "id": ["a", "b", "c", "d", "e", "f", "g"],
            "split": ["train"] * 4 + ["validation", "calibration", "test"],
        }
    )
    query = settings["query"] | {"first_labels": 2, "validation_labels": 1}
    drawn = draw_questions(splits, "abcdefg", (), query, seed=1)
    assert len(drawn.first) == 2
    assert sorted(drawn.first + drawn.pool) == ["a", "b", "c", "d"]
    assert drawn.validation in (["e"], ["f"])
    assert drawn == draw_questions(splits, "gfedcba", (), query, seed=1)
    free = draw_questions(splits, "abcdefg", {"a", "b", "c", "g"}, query, seed=1)
    assert free.first == ["a", "b", "c"]  # what is there already costs nothing
    with pytest.raises(
        ValueError, match=r"5 masks are wanted .*had for 4 cases of the training part and 2 of"
    ):
        draw_questions(splits, "abcdefg", (), query | {"first_labels": 5}, seed=1)
