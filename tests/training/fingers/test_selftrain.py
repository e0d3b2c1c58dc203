"""Self-training on pictures of squares: what a round learns from, and that a kill changes nothing."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from boneage_kedro.masks.crf_settings import rescale_crf
from boneage_kedro.models.weights import PretrainedWeights
from boneage_kedro.training.checkpoint import CheckpointFile
from boneage_kedro.training.fingers.selftrain import SelfTraining
from boneage_kedro.training.segmentation.lesson import make_lesson
from boneage_kedro.training.segmentation.network_training import mean_dice, new_segmenter, predict
from boneage_kedro.training.segmentation.samples import Pictures
from tests.training.killing import Killed, KillingFile
from tests.training.squares import SIDE, square_splits, square_store

COUNT = 22


@pytest.fixture
def settings(parameters: dict[str, Any]) -> dict[str, Any]:
    mine = parameters["finger_selftrain"]
    mine["network"] |= {"input_px": SIDE, "width": 4, "depth": 2, "epoch_samples": 16, "architecture": "unet"}
    mine["network"]["initial_weights"] = "random"
    mine["network"]["fit"] |= {"batch_size": 4}
    mine["rounds"] |= {"rounds": 2, "per_round": 3, "area_slack": 3.0}
    mine["rounds"]["first_stage"] |= {"max_epochs": 6, "patience": 6, "learning_rate": 0.01}
    mine["rounds"]["round_stage"] |= {"max_epochs": 2, "patience": 2}
    return mine


def training(folder: Path, settings: dict[str, Any], checkpoint: CheckpointFile | None = None, **rounds: Any):
    store, masks = square_store(folder / "store", COUNT)
    splits = square_splits(COUNT, validation=4, test=4)
    network, seen = settings["network"], []
    lesson = make_lesson(store, splits, masks, network, labelled=4, seed=1)

    class Observer:
        name = "of squares"

        def __call__(self, student, pseudo):
            seen.append({key: mask.copy() for key, mask in pseudo.items()})
            return {"validation_dice": mean_dice(student, lesson.validation, 4, torch.device("cpu"))}

    checkpoint = checkpoint or CheckpointFile(folder / "state.pt")
    made = SelfTraining(
        lambda: new_segmenter(network, 2, PretrainedWeights(folder)),
        lesson,
        network,
        settings["rounds"] | rounds,
        rescale_crf(settings["crf"], SIDE / settings["crf_px"]),
        Observer(),
        checkpoint,
        checkpoint.beside("first"),
    )
    return made, lesson, seen, masks


def test_rounds_add_the_best_of_the_pool_and_learn(tmp_path: Path, settings: dict[str, Any]) -> None:
    made, lesson, seen, masks = training(tmp_path, settings)
    _, table = made.run()
    assert table["round"].tolist() == [0, 1, 2]
    assert table["pseudo_labels"].tolist() == [0, 3, 6]
    assert table["validation_dice"].iloc[-1] > 0.9
    assert set(seen[2]) <= set(lesson.pool.ids)
    assert all(np.array_equal(seen[1][key], seen[2][key]) for key in seen[1])  # frozen
    overlap = [(seen[2][k] > 0) & (masks[k] > 0) for k in seen[2]]
    assert np.mean([o.sum() / masks[k].sum() for o, k in zip(overlap, seen[2], strict=True)]) > 0.8


def test_refreshed_labels_are_made_anew(tmp_path: Path, settings: dict[str, Any]) -> None:
    made, _, seen, _ = training(tmp_path, settings, pseudo_labels="refreshed", teacher="none")
    made.run()
    assert set(seen[1]) < set(seen[2])
    assert any(not np.array_equal(seen[1][key], seen[2][key]) for key in seen[1])


def test_without_selection_the_student_learns_from_drawn_masks_alone(
    tmp_path: Path, settings: dict[str, Any]
) -> None:
    made, _, seen, _ = training(tmp_path, settings, selection="none")
    _, table = made.run()
    assert table["pseudo_labels"].tolist() == [0, 0, 0]
    assert seen[-1] == {}


def test_labels_depend_on_the_number_asked_for(tmp_path: Path, settings: dict[str, Any]) -> None:
    store, masks = square_store(tmp_path / "store", COUNT)
    splits, network = square_splits(COUNT, 4, 4), settings["network"]
    few = make_lesson(store, splits, masks, network, labelled=5, seed=1)
    assert len(few.labelled) == 5
    assert len(few.pool) == COUNT - 8 - 5
    assert not set(few.pool.ids) & set(few.labelled.pictures.ids)
    assert few.validation.pictures.ids == ["s14", "s15", "s16", "s17"]
    every = make_lesson(store, splits, masks, network, labelled=0, seed=1)
    assert len(every.labelled) == COUNT - 8
    other = make_lesson(store, splits, masks, network, labelled=5, seed=2)
    assert other.labelled.pictures.ids != few.labelled.pictures.ids
    with pytest.raises(
        ValueError, match=r"15 labelled pictures are asked for .*, and 14 of the training part have"
    ):
        make_lesson(store, splits, masks, network, labelled=15, seed=1)


@pytest.mark.parametrize("saves", [3, 7, 8, 9, 10, 12, 14])
def test_a_killed_run_ends_with_the_same_numbers(
    tmp_path: Path, settings: dict[str, Any], saves: int
) -> None:
    whole, *_ = training(tmp_path / "a", settings)
    wanted_student, wanted = whole.run()
    file = KillingFile(tmp_path / "b" / "state.pt")
    KillingFile.saves_left = [saves]
    killed, *_ = training(tmp_path / "b", settings, file)
    with pytest.raises(Killed):
        killed.run()
    KillingFile.saves_left = [-1]
    resumed, *_ = training(tmp_path / "b", settings, file)
    student, table = resumed.run()
    assert table.to_dict() == wanted.to_dict()
    for name, value in wanted_student.state_dict().items():
        assert torch.equal(value, student.state_dict()[name]), name


def test_masks_out_of_proportion_are_not_learnt_from(
    tmp_path: Path, settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the teacher makes of a prediction is judged, not only the prediction."""

    def wipe(probabilities, images, crf, ids):
        wiped = torch.zeros_like(probabilities)
        wiped[:, 0] = 1
        return wiped

    monkeypatch.setattr("boneage_kedro.training.fingers.pool.refine", wipe)
    made, _, seen, _ = training(tmp_path, settings, selection="confidence")
    _, table = made.run()
    assert table["pseudo_labels"].tolist() == [0, 0, 0]
    assert seen[-1] == {}


def test_cold_rounds_train_as_long_as_the_first(
    tmp_path: Path, settings: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    made, *_ = training(tmp_path, settings, start="cold", rounds=1)
    with caplog.at_level("INFO"):
        made.run()
    assert sum("first 6/6" in message for message in caplog.messages) == 2


def test_a_network_that_gives_nan_is_named_with_the_cases(tmp_path: Path, settings: dict[str, Any]) -> None:
    store, _ = square_store(tmp_path / "store", 4)
    network = new_segmenter(settings["network"], 2, PretrainedWeights(tmp_path))
    pictures = Pictures.of(store, store.ids, SIDE)
    with torch.no_grad():
        next(network.parameters()).fill_(torch.nan)
    with pytest.raises(FloatingPointError, match="not finite for the cases s00, s01"):
        next(predict(network, pictures, 2, torch.device("cpu")))


def test_a_finished_training_is_not_done_again(tmp_path: Path, settings: dict[str, Any]) -> None:
    first, *_ = training(tmp_path, settings)
    _, wanted = first.run()
    again, _, seen, _ = training(tmp_path, settings)
    _, table = again.run()
    assert table.to_dict() == wanted.to_dict()
    assert seen == []


def test_trainings_that_begin_alike_share_round_0(tmp_path: Path, settings: dict[str, Any]) -> None:
    top, *_ = training(tmp_path, settings)
    _, table = top.run()
    control, *_ = training(tmp_path, settings, selection="random")
    stamp = (tmp_path / "state_first.pt").stat().st_mtime_ns
    _, other = control.run()
    assert (tmp_path / "state_first.pt").stat().st_mtime_ns == stamp
    assert other["validation_dice"][0] == table["validation_dice"][0]
