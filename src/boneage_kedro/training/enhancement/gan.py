"""Training the enhancer: a generator against a discriminator, step by step in turn (paper 001, section 2.3).

There are two networks with an optimiser each, of which neither alone tells how far the training has come. So the loop
is not that of `boneage_kedro.training.loop`, but it keeps its progress, seeds and checkpoints in the same way.
"""

import logging
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from rich.progress import track

from boneage_kedro.models.enhancer import Enhancer
from boneage_kedro.provenance import fingerprint, fingerprint_code
from boneage_kedro.training.batches import draw_deck
from boneage_kedro.training.enhancement.gan_losses import weighted_mean
from boneage_kedro.training.enhancement.gan_settings import GanSettings
from boneage_kedro.training.enhancement.gan_steps import Gan, average_weights, decay_at, take_step
from boneage_kedro.training.enhancement.pair_batches import Pairs, in_order, pair_batches
from boneage_kedro.training.loop import resumable
from boneage_kedro.training.progress import Checkpoint, EpochRecord, Progress
from boneage_kedro.training.seeding import derive_seed

logger = logging.getLogger(__name__)

_LEAST_ERROR = 1e-10  # mean squared; a picture that equals its gold has a PSNR of 100 dB


class Sheet(NamedTuple):
    """Fixed validation pairs as the averaged generator sees them: (n, H, W) float32 in 0 to 1 each."""

    ids: list[str]
    pictures: np.ndarray
    made: np.ndarray
    gold: np.ndarray


ShowSheet = Callable[[int, Sheet], None]


def train_gan(
    pairs: Pairs,
    validation: Pairs,
    settings: GanSettings,
    checkpoint: Checkpoint,
    data_fingerprint: str,
    on_sheet: ShowSheet | None = None,
) -> tuple[Enhancer, list[EpochRecord]]:
    """Train a generator and a discriminator in turn; return the generator, averaged over steps, of its best epoch.

    The weights of a GAN's generator circle around a good place rather than rest in it; their exponential moving
    average does not. Of all epochs that one is kept whose averaged generator has the smallest mean absolute
    difference from the gold in the hands of the validation pairs, so one that the discriminator led astray is not.

    After each epoch the whole state goes to the checkpoint; a run that was killed goes on from there and ends with
    the same weights, because every epoch draws its random numbers from a seed of its own.

    Args:
        data_fingerprint: names the pixels of all pairs; a checkpoint of other data, settings or code is not used.
        on_sheet: is shown the epoch and its sheet each few epochs, and of the last.

    Returns:
        the generator in evaluation mode, and a row for each epoch: ``epoch``, ``generator_loss``,
        ``adversarial_loss``, ``reconstruction``, ``discriminator_loss``, ``validation_l1``, ``validation_psnr`` (dB)
        and ``seconds``.

    Raises:
        ValueError: there is no pair to learn from or to validate with, or a name in the settings is unknown.
        FloatingPointError: a loss is not finite; the message names the cases of the batch.
    """
    _check_parts(pairs, validation)
    code = fingerprint_code("training/*", "training/enhancement", "models")
    name = fingerprint(data_fingerprint, list(pairs.ids), list(validation.ids), settings, code)
    state = resumable(checkpoint, name)
    progress = Progress.from_state(state["progress"]) if state else Progress()
    gan = Gan.new(settings)
    if state and "gan" in state:
        gan.load(state["gan"])
    while len(progress.history) < settings["epochs"]:
        record = _epoch(gan, pairs, validation, len(progress.history), settings)
        progress.finish_epoch(record, record["validation_l1"], gan.average)
        _log(record, progress, settings["epochs"])
        if on_sheet and _is_due(len(progress.history), settings):
            on_sheet(record["epoch"], _make_sheet(gan, validation, settings))
        kept = {"fingerprint": name, "progress": progress.state()}
        over = len(progress.history) == settings["epochs"]
        checkpoint.save(kept if over else {**kept, "gan": gan.state()})
    gan.average.load_state_dict(progress.best_weights)
    return gan.average.eval(), progress.history


def _epoch(gan: Gan, pairs: Pairs, validation: Pairs, epoch: int, settings: GanSettings) -> EpochRecord:
    start = time.perf_counter()
    means = _train_epoch(gan, pairs, epoch, settings)
    found = _validate(gan, validation, settings)
    return {"epoch": epoch, **means, **found, "seconds": time.perf_counter() - start}


def _train_epoch(gan: Gan, pairs: Pairs, epoch: int, settings: GanSettings) -> dict[str, float]:
    """One pass over an epoch's pairs; returns the mean of every named loss over pairs."""
    random = torch.Generator().manual_seed(derive_seed(settings["seed"], "epoch", epoch))
    deck = draw_deck(len(pairs), settings["epoch_samples"], settings["batch_size"], random)
    batches = pair_batches(pairs, deck, epoch, gan.fabric.device, settings["workers"])
    label = f"gan {epoch + 1}/{settings['epochs']}"
    gan.generator.train()
    sums: dict[str, float] = {}
    for i, batch in enumerate(track(batches, label, total=len(deck), transient=True)):
        values = take_step(gan, batch.moved(settings["augment"], random), settings)
        average_weights(gan.average, gan.generator, decay_at(epoch * len(deck) + i, settings["ema_decay"]))
        for name, value in values.items():
            sums[name] = sums.get(name, 0.0) + value.item() * len(batch.ids)
    return {name: value / settings["epoch_samples"] for name, value in sums.items()}


@torch.no_grad()
def _validate(gan: Gan, pairs: Pairs, settings: GanSettings) -> dict[str, float]:
    """Mean absolute difference and PSNR of the averaged generator in the hands, means over pairs."""
    gan.average.eval()
    l1, psnr = [], []
    deck = in_order(len(pairs), settings["batch_size"])
    for batch in pair_batches(pairs, deck, 0, gan.fabric.device, settings["workers"]):
        difference = gan.average(batch.pictures) - batch.gold
        l1.append(weighted_mean(difference.abs(), batch.inside))
        psnr.append(-10 * weighted_mean(difference**2, batch.inside).clamp_min(_LEAST_ERROR).log10())
    return {"validation_l1": float(torch.cat(l1).mean()), "validation_psnr": float(torch.cat(psnr).mean())}


@torch.no_grad()
def _make_sheet(gan: Gan, pairs: Pairs, settings: GanSettings) -> Sheet:
    deck = [np.arange(min(settings["sheet_pictures"], len(pairs)))]
    (batch,) = pair_batches(pairs, deck, 0, gan.fabric.device, settings["workers"])
    parts = batch.pictures, gan.average.eval()(batch.pictures), batch.gold
    return Sheet(batch.ids, *(part[:, 0].cpu().numpy() for part in parts))


def _is_due(done: int, settings: GanSettings) -> bool:
    return done % settings["sheet_epochs"] == 0 or done == settings["epochs"]


def _check_parts(pairs: Pairs, validation: Pairs) -> None:
    if not len(pairs) or not len(validation):
        raise ValueError(
            f"cannot train with {len(pairs)} training and {len(validation)} validation pairs: each must be at least "
            "one; give more pairs, or change data_prep.splits.fractions"
        )


def _log(record: EpochRecord, progress: Progress, epochs: int) -> None:
    logger.info(
        "gan %d/%d: reconstruction %.4g in training; in validation L1 %.4g, PSNR %.2f dB%s (%.0f s)",
        record["epoch"] + 1,
        epochs,
        record["reconstruction"],
        record["validation_l1"],
        record["validation_psnr"],
        "" if progress.stale_epochs else ", best so far",
        record["seconds"],
    )
