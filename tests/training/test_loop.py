import copy
import dataclasses
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch

from boneage_kedro.models.regressor import AgeRegressor
from boneage_kedro.training.ages.predict import predict_ages
from boneage_kedro.training.ages.settings import PacedStage, RegressionSettings
from boneage_kedro.training.ages.task import AgeTask
from boneage_kedro.training.batches import AgeSamples
from boneage_kedro.training.loop import train
from boneage_kedro.training.progress import Progress
from tests.training.age_setup import network, regression_settings, samples, stage


class Killed(Exception):
    """Stands for the end of the process."""


class MemoryCheckpoint:
    """Keeps the state in memory; with ``kill_after`` it stops the run after so many epochs."""

    def __init__(self, kill_after: int | None = None) -> None:
        self.state, self.saves, self.kill_after = None, 0, kill_after

    def load(self):
        return self.state

    def save(self, state) -> None:
        self.state = copy.deepcopy(state)
        self.saves += 1
        if self.saves == self.kill_after:
            raise Killed


class Recipe(NamedTuple):
    stages: list[PacedStage]
    settings: RegressionSettings


def recipe(*stages: PacedStage, **changed) -> Recipe:
    return Recipe(list(stages), regression_settings(changed))


PACED = recipe(
    stage("head", ["head"], 1),
    stage("exit", ["head", "exit"], 2),
    stage("all", ["head", "exit", "middle", "entry"], 2),
)


def run(
    model: AgeRegressor,
    chosen: Recipe,
    checkpoint: MemoryCheckpoint,
    fingerprint: str = "f",
    learning: AgeSamples | None = None,
):
    settings = chosen.settings
    task = AgeTask(model, learning or samples(13, 1), samples(6, 2), settings)
    fit = settings["fit"]
    return train(task, chosen.stages, fit, checkpoint, fingerprint, fit["ema_decay"])


def sized(first_px: int, last_px: int) -> Recipe:
    """Two stages on pictures of two sizes, of which the second hardly learns."""
    blocks = ["head", "exit", "middle", "entry"]
    last = stage("last", blocks, 2) | {"input_px": last_px, "learning_rate": 1e-9}
    return recipe(stage("first", blocks, 2) | {"input_px": first_px}, last)


def timeless(history):
    return [{k: v for k, v in record.items() if k != "seconds"} for record in history]


@pytest.mark.parametrize("ema_decay", [0, 0.9])
@pytest.mark.parametrize("epochs_before_the_kill", [1, 2, 3, 4, 5])
def test_a_killed_run_ends_with_the_same_numbers(epochs_before_the_kill: int, ema_decay: float) -> None:
    paced = recipe(*PACED.stages, ema_decay=ema_decay)
    unbroken = network()
    wanted = run(unbroken, paced, MemoryCheckpoint())
    checkpoint = MemoryCheckpoint(kill_after=epochs_before_the_kill)
    with pytest.raises(Killed):
        run(network(), paced, checkpoint)
    resumed = network()
    history = run(resumed, paced, checkpoint)
    assert timeless(history) == timeless(wanted)
    for name, value in unbroken.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name


@pytest.mark.parametrize("epochs_before_the_kill", [1, 2, 3, 4])
def test_a_killed_run_on_pictures_of_two_sizes_ends_with_the_same_numbers(
    epochs_before_the_kill: int,
) -> None:
    wanted = run(network(), sized(16, 32), MemoryCheckpoint())
    checkpoint = MemoryCheckpoint(kill_after=epochs_before_the_kill)
    with pytest.raises(Killed):
        run(network(), sized(16, 32), checkpoint)
    assert timeless(run(network(), sized(16, 32), checkpoint)) == timeless(wanted)


@pytest.mark.parametrize(("first_px", "last_px"), [(16, 32), (32, 16)])
def test_the_best_epoch_is_one_on_pictures_of_the_last_size(first_px: int, last_px: int) -> None:
    model = network()
    history = run(model, sized(first_px, last_px), MemoryCheckpoint())
    errors = {
        name: [r["validation_mae_months"] for r in history if r["stage"] == name]
        for name in ("first", "last")
    }
    assert (
        abs(min(errors["last"]) - min(errors["first"])) > 1e-3
    )  # so in one of the two cases the first is better
    validation = dataclasses.replace(samples(6, 2), input_px=last_px)
    mae = np.abs(predict_ages(model, validation, 4, torch.device("cpu")) - validation.age_months).mean()
    assert mae == pytest.approx(min(errors["last"]), abs=1e-4)


def test_a_finished_training_is_not_done_again() -> None:
    checkpoint = MemoryCheckpoint()
    first, again = network(), network()
    wanted = run(first, PACED, checkpoint)
    assert checkpoint.saves == 6  # every epoch, and the end
    assert run(again, PACED, checkpoint) == wanted
    assert checkpoint.saves == 6
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))


def test_a_checkpoint_of_other_settings_is_not_used() -> None:
    checkpoint = MemoryCheckpoint(kill_after=3)
    with pytest.raises(Killed):
        run(network(), PACED, checkpoint, "old")
    history = run(network(), PACED, checkpoint, "new")
    assert [record["epoch"] for record in history] == [0, 1, 2, 3, 4]
    assert timeless(history) == timeless(run(network(), PACED, MemoryCheckpoint()))


@pytest.mark.parametrize("ema_decay", [0, 0.9])
def test_the_best_epoch_of_all_stages_is_kept(ema_decay: float) -> None:
    model = network()
    history = run(model, recipe(*PACED.stages, ema_decay=ema_decay), MemoryCheckpoint())
    validation = samples(6, 2)
    mae = np.abs(predict_ages(model, validation, 4, torch.device("cpu")) - validation.age_months).mean()
    assert mae == pytest.approx(min(record["validation_mae_months"] for record in history), abs=1e-4)


def test_stages_follow_each_other_and_learn() -> None:
    long = recipe(stage("head", ["head"], 2), stage("all", ["head", "exit", "middle", "entry"], 12))
    history = run(network(), long, MemoryCheckpoint())
    assert [r["stage"] for r in history] == ["head"] * 2 + ["all"] * 12
    assert history[-1]["train_mae_months"] < 0.8 * history[0]["train_mae_months"]
    rates = [r["learning_rate"] for r in history if r["stage"] == "all"]
    assert rates[0] == 1e-3
    assert rates == sorted(rates, reverse=True)


def test_one_cosine_over_all_stages_gives_each_epoch_the_rate_it_has_without_stages() -> None:
    everything = ["head", "exit", "middle", "entry"]
    paced = recipe(stage("head", ["head"], 1), stage("all", everything, 3), schedule="cosine_overall")
    plain = recipe(stage("all", everything, 4), schedule="cosine")
    rates, wanted = (
        [record["learning_rate"] for record in run(network(), chosen, MemoryCheckpoint())]
        for chosen in (paced, plain)
    )
    assert rates == wanted
    assert rates == pytest.approx([1e-3, 0.8535534e-3, 0.5e-3, 0.1464466e-3])


class RecordingCheckpoint(MemoryCheckpoint):
    """Keeps the weights after each epoch, too."""

    def __init__(self) -> None:
        super().__init__()
        self.weights: list[dict[str, torch.Tensor]] = []

    def save(self, state) -> None:
        super().save(state)
        if "weights" in state:
            self.weights.append(copy.deepcopy(state["weights"]))


@pytest.mark.parametrize("schedule, goes_on_from", [("cosine", 0), ("cosine_overall", 1)])
def test_a_stage_goes_on_from_the_best_weights_or_in_one_schedule_from_the_last(
    schedule: str, goes_on_from: int
) -> None:
    rates = {"good": 1e-4, "bad": 10.0, "still": 1e-12}
    stages = [stage(name, ["head"], 1) | {"learning_rate": rate} for name, rate in rates.items()]
    checkpoint = RecordingCheckpoint()
    history = run(network(), recipe(*stages, schedule=schedule), checkpoint)
    assert history[1]["validation_mae_months"] > history[0]["validation_mae_months"]
    still = checkpoint.weights[2]
    for name in ("head.weight", "head.bias"):
        torch.testing.assert_close(still[name], checkpoint.weights[goes_on_from][name])
        assert not torch.allclose(still[name], checkpoint.weights[1 - goes_on_from][name])


def test_a_killed_run_in_one_schedule_ends_with_the_same_numbers() -> None:
    paced = recipe(*PACED.stages, schedule="cosine_overall")
    wanted = run(network(), paced, MemoryCheckpoint())
    for epochs in range(1, 5):
        checkpoint = MemoryCheckpoint(kill_after=epochs)
        with pytest.raises(Killed):
            run(network(), paced, checkpoint)
        assert timeless(run(network(), paced, checkpoint)) == timeless(wanted)


def test_a_stage_ends_when_validation_stands_still() -> None:
    progress = Progress()
    waiting = stage("head", ["head"], 10, patience=1)
    model = torch.nn.Linear(1, 1)
    ended_after = None
    for epoch, mae in enumerate([20.0, 18.0, 18.5, 18.0, 10.0]):
        if progress.stage_is_over(waiting):
            ended_after = epoch
            break
        progress.finish_epoch({"validation_mae_months": mae}, mae, model)
    assert ended_after == 4  # two epochs without a gain are more than a patience of one
    assert progress.best_error == 18.0


def test_a_loss_that_is_not_finite_names_the_cases() -> None:
    learning = samples(13, 1)
    learning.age_months[3] = np.nan
    with pytest.raises(FloatingPointError, match=r"loss is nan on the batch of cases .*\bc3\b"):
        run(network(), PACED, MemoryCheckpoint(), learning=learning)


def test_an_empty_part_and_no_stage_are_refused() -> None:
    with pytest.raises(ValueError, match="13 training and 0 validation"):
        AgeTask(network(), samples(13, 1), samples(0, 2), PACED.settings)
    with pytest.raises(ValueError, match="without a stage"):
        run(network(), recipe(), MemoryCheckpoint())


def test_an_unknown_loss_is_refused() -> None:
    with pytest.raises(ValueError, match="'huber' is not one of l1, smooth_l1, l2"):
        run(network(), recipe(stage("head", ["head"], 1), loss="huber"), MemoryCheckpoint())


@pytest.mark.parametrize("changed", [{"optimiser": "rmsprop"}, {"optimiser": "sgd", "momentum": 0.9}])
def test_the_papers_optimisers_train(changed: dict[str, Any]) -> None:
    history = run(network(), recipe(stage("head", ["head"], 3), **changed), MemoryCheckpoint())
    assert all(np.isfinite(record["train_loss"]) for record in history)


def test_predictions_do_not_depend_on_the_batch_size_or_order() -> None:
    model, device = network(), torch.device("cpu")
    part = samples(9, 3)
    whole = predict_ages(model, part, 9, device)
    np.testing.assert_allclose(predict_ages(model, part, 2, device), whole, rtol=1e-4)
