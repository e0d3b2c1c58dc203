from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from boneage_kedro.training.checkpoint import CheckpointFile
from boneage_kedro.training.enhancement.gan import Sheet, train_gan
from boneage_kedro.training.enhancement.gan_losses import RECONSTRUCTIONS
from boneage_kedro.training.enhancement.gan_steps import average_weights, decay_at, new_enhancer
from boneage_kedro.training.enhancement.pair_batches import in_order, pair_batches
from tests.training.gan_setup import Discs, settings
from tests.training.killing import Killed, KillingFile

CPU = torch.device("cpu")
LEARNING, VALIDATION = Discs(7, seed=1), Discs(3, seed=2)


def run(folder: Path, checkpoint: CheckpointFile | None = None, show=None, data: str = "d", **changed):
    kept = checkpoint or CheckpointFile(folder / "gan.pt")
    return train_gan(LEARNING, VALIDATION, settings(**changed), kept, data, show)


def killing(file: Path, saves: int) -> KillingFile:
    found = KillingFile(file)
    object.__setattr__(found, "saves_left", [saves])
    return found


def timeless(history):
    return [{k: v for k, v in row.items() if k != "seconds"} for row in history]


@pytest.mark.parametrize("epochs_before_the_kill", [1, 2, 3])
@pytest.mark.parametrize("name", ["paper", "patch"])
def test_a_killed_run_ends_with_the_same_weights(
    tmp_path: Path, name: str, epochs_before_the_kill: int
) -> None:
    judge = {"name": name, "width": 4}
    unbroken, wanted = run(tmp_path / "a", discriminator=judge)
    with pytest.raises(Killed):
        run(tmp_path, killing(tmp_path / "gan.pt", epochs_before_the_kill), discriminator=judge)
    resumed, history = run(tmp_path, discriminator=judge)
    assert timeless(history) == timeless(wanted)
    for key, value in unbroken.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[key]), key


def test_a_finished_training_is_not_done_again(tmp_path: Path) -> None:
    first, wanted = run(tmp_path)
    again, history = run(tmp_path, killing(tmp_path / "gan.pt", 1))  # a save would end it
    assert history == wanted
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))


def test_a_checkpoint_of_other_data_or_settings_is_not_used(tmp_path: Path) -> None:
    for changed in ({"data": "other"}, {"seed": 4}):
        run(tmp_path)
        with pytest.raises(Killed):
            run(tmp_path, killing(tmp_path / "gan.pt", 1), **changed)


def test_the_number_of_workers_does_not_matter(tmp_path: Path) -> None:
    one, few = run(tmp_path / "1", workers=1)[0], run(tmp_path / "3", workers=3)[0]
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), few.parameters(), strict=True))


def psnr_and_l1(model: nn.Module) -> tuple[float, float]:
    (batch,) = pair_batches(VALIDATION, in_order(3, 4), 0, CPU, 1)
    with torch.no_grad():
        difference = (model(batch.pictures) - batch.gold)[:, 0].numpy()
    inside = batch.inside[:, 0].numpy()
    l1 = [abs(d[i]).mean() for d, i in zip(difference, inside, strict=True)]
    psnr = [-10 * np.log10((d[i] ** 2).mean()) for d, i in zip(difference, inside, strict=True)]
    return float(np.mean(psnr)), float(np.mean(l1))


@pytest.mark.parametrize("kind", RECONSTRUCTIONS)
def test_it_learns_and_the_best_epoch_is_kept(tmp_path: Path, kind: str) -> None:
    model, history = run(tmp_path, reconstruction=kind, epochs=5, epoch_samples=20)
    psnr, l1 = psnr_and_l1(model)
    best = min(history, key=lambda row: row["validation_l1"])
    assert l1 == pytest.approx(best["validation_l1"], abs=1e-6)
    assert psnr == pytest.approx(best["validation_psnr"], abs=1e-3)
    assert psnr > psnr_and_l1(nn.Identity())[0] + 1
    assert not model.training


def test_a_row_tells_all_of_an_epoch(tmp_path: Path) -> None:
    _, history = run(tmp_path)
    assert [row["epoch"] for row in history] == [0, 1, 2]
    assert set(history[0]) == {
        "epoch",
        "generator_loss",
        "adversarial_loss",
        "reconstruction",
        "discriminator_loss",
        "validation_l1",
        "validation_psnr",
        "seconds",
    }
    for row in history:
        assert row["generator_loss"] == pytest.approx(0.01 * row["adversarial_loss"] + row["reconstruction"])
        assert 0.5 < row["discriminator_loss"] < 2.5


def test_both_networks_matter(tmp_path: Path) -> None:
    alone = run(tmp_path / "0", weights={**settings()["weights"], "adversarial": 0.0})[0]
    against = run(tmp_path / "1")[0]
    assert not all(torch.equal(a, b) for a, b in zip(alone.parameters(), against.parameters(), strict=True))


def test_sheets_show_the_first_validation_pairs_each_few_epochs_and_at_the_end(tmp_path: Path) -> None:
    shown: list[tuple[int, Sheet]] = []
    run(tmp_path, show=lambda epoch, sheet: shown.append((epoch, sheet)))
    assert [epoch for epoch, _ in shown] == [1, 2]
    sheet = shown[-1][1]
    assert sheet.ids == ["d2-0", "d2-1"]
    assert sheet.pictures.shape == sheet.made.shape == sheet.gold.shape == (2, 32, 32)
    np.testing.assert_array_equal(sheet.gold[1], VALIDATION.pair(1, 0)[1])


def test_a_pair_is_moved_as_one() -> None:
    (batch,) = pair_batches(Discs(4, seed=5), in_order(4, 4), 0, CPU, 1)
    same = type(batch)(batch.ids, batch.gold, batch.gold, batch.inside)
    moved = same.moved(settings()["augment"], torch.Generator().manual_seed(0))
    assert torch.equal(moved.pictures, moved.gold)
    assert not torch.allclose(moved.gold, batch.gold, atol=0.1)
    bright = moved.gold > 0.1
    assert (bright & moved.inside).sum() / bright.sum() > 0.95


def test_decks_cover_every_pair_once_and_an_empty_hand_counts_as_a_whole() -> None:
    assert [part.tolist() for part in in_order(5, 2)] == [[0, 1], [2, 3], [4]]
    assert [part.tolist() for part in in_order(4, 2)] == [[0, 1], [2, 3]]

    class NoHand(Discs):
        def pair(self, i: int, epoch: int):
            x, y, inside = super().pair(i, epoch)
            return x, y, inside & (i != 1)

    (batch,) = pair_batches(NoHand(2, seed=1), in_order(2, 2), 0, CPU, 1)
    assert batch.inside[1].all()
    assert not batch.inside[0].all()


def test_averages_by_hand() -> None:
    average, model = nn.BatchNorm1d(1), nn.BatchNorm1d(1)
    with torch.no_grad():
        model.weight.fill_(3.0)
        model.running_mean.fill_(1.0)
        model.num_batches_tracked.fill_(7)
    average_weights(average, model, 0.75)
    assert average.weight.item() == pytest.approx(1.5)
    assert average.running_mean.item() == 1.0
    assert average.num_batches_tracked.item() == 7
    assert [round(decay_at(step, 0.9), 3) for step in (0, 10, 1000)] == [0.1, 0.55, 0.9]


def test_pairs_of_two_sizes_are_refused(tmp_path: Path) -> None:
    class Mixed(Discs):
        def pair(self, i: int, epoch: int):
            return Discs(self.count, self.seed, 32 + 16 * (i == 2)).pair(i, epoch)

    with pytest.raises(ValueError, match=r"case d1-2: .* are of 48 x 48.*has a picture of 32 x 32 px"):
        list(pair_batches(Mixed(3, seed=1), in_order(3, 4), 0, CPU, 1))


def test_a_picture_that_is_not_finite_is_named(tmp_path: Path) -> None:
    class Broken(Discs):
        def pair(self, i: int, epoch: int):
            x, y, inside = super().pair(i, epoch)
            return x, y * np.float32(np.nan if i == 2 else 1), inside

    with pytest.raises(FloatingPointError, match=r"loss is nan on the batch of cases .*\bd1-2\b"):
        train_gan(Broken(3, seed=1), VALIDATION, settings(), CheckpointFile(tmp_path / "c.pt"), "d")


def test_an_empty_part_and_unknown_names_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="7 training and 0 validation pairs"):
        train_gan(LEARNING, Discs(0, seed=1), settings(), CheckpointFile(tmp_path / "c.pt"), "d")
    with pytest.raises(ValueError, match="reconstruction 'l2' is not one of"):
        run(tmp_path, reconstruction="l2")
    with pytest.raises(ValueError, match="discriminator 'pixel' is not one of"):
        run(tmp_path, discriminator={"name": "pixel", "width": 4})


def test_the_seed_alone_decides_the_first_weights() -> None:
    torch.manual_seed(99)
    first = new_enhancer(settings()).state_dict()
    torch.manual_seed(7)
    second, other = new_enhancer(settings()).state_dict(), new_enhancer(settings(seed=4)).state_dict()
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert not all(torch.equal(first[key], other[key]) for key in first)
