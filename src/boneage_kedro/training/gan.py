"""Training the enhancer: a generator against a discriminator, step by step in turn (paper 001, section 2.3).

There are two networks with an optimiser each, of which neither alone tells how far the training has come. So the loop
is not that of `boneage_kedro.training.loop`, but it keeps its progress, seeds and checkpoints in the same way.
"""

import copy
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from lightning_fabric import Fabric
from rich.progress import track
from torch import Tensor, nn

from boneage_kedro.models.discriminator import build_discriminator
from boneage_kedro.models.enhancer import Enhancer, EnhancerConfig
from boneage_kedro.provenance import fingerprint, fingerprint_code
from boneage_kedro.training.batches import draw_deck
from boneage_kedro.training.gan_losses import (
    adversarial_loss,
    discriminator_loss,
    pixel_weights,
    reconstruction_loss,
    weighted_mean,
)
from boneage_kedro.training.gan_settings import GanSettings
from boneage_kedro.training.loop import check_finite, resumable
from boneage_kedro.training.pair_batches import PairBatch, Pairs, in_order, pair_batches
from boneage_kedro.training.progress import Checkpoint, EpochRecord, Progress, State
from boneage_kedro.training.seeding import derive_seed

logger = logging.getLogger(__name__)

_ADAM_BETAS = (
    0.5,
    0.999,
)  # more momentum makes the two networks circle (Radford et al., ICLR 2016, section 3)
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
    code = fingerprint_code("training", "models")
    name = fingerprint(data_fingerprint, list(pairs.ids), list(validation.ids), settings, code)
    state = resumable(checkpoint, name)
    progress = Progress.from_state(state["progress"]) if state else Progress()
    gan = _Gan.new(settings)
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


def new_enhancer(settings: GanSettings) -> Enhancer:
    """The generator before training; its random weights come from the seed."""
    torch.manual_seed(derive_seed(settings["seed"], "enhancer"))
    model = Enhancer(EnhancerConfig(**settings["generator"]))
    return model.to(memory_format=torch.channels_last)  # faster on CPUs, and what GPUs want


@torch.no_grad()
def average_weights(average: nn.Module, model: nn.Module, decay: float) -> None:
    """Move averaged weights and statistics towards those of a network, by 1 - decay of the way.

    The statistics of batch normalisation are averaged too: they must be those of the averaged weights.
    """
    for mean, now in zip(average.state_dict().values(), model.state_dict().values(), strict=True):
        if mean.is_floating_point():
            mean.lerp_(now, 1 - decay)
        else:
            mean.copy_(now)


def decay_at(step: int, decay: float) -> float:
    """The decay of a step, 0 for the first: smaller at first, or the untrained weights would stay for long."""
    return min(decay, (1 + step) / (10 + step))


@dataclass(frozen=True)
class _Gan:
    """Both networks and their optimisers as Fabric wraps them, and the averaged generator."""

    fabric: Fabric
    generator: Any
    discriminator: Any
    average: Enhancer
    generator_optimiser: Any
    discriminator_optimiser: Any

    @classmethod
    def new(cls, settings: GanSettings) -> "_Gan":
        fabric = Fabric(accelerator=settings["accelerator"], devices=1, precision=settings["precision"])
        generator = new_enhancer(settings)
        torch.manual_seed(derive_seed(settings["seed"], "discriminator"))
        discriminator = build_discriminator(**settings["discriminator"])
        average = copy.deepcopy(generator).to(fabric.device).requires_grad_(False)
        wrapped, optimiser = fabric.setup(generator, _adam(generator, settings["generator_learning_rate"]))
        judge, judge_optimiser = fabric.setup(
            discriminator, _adam(discriminator, settings["discriminator_learning_rate"])
        )
        return cls(fabric, wrapped, judge, average, optimiser, judge_optimiser)

    def _parts(self) -> dict[str, Any]:
        return {key: part for key, part in vars(self).items() if key != "fabric"}

    def state(self) -> State:
        """Tensors and plain values, for a checkpoint."""
        return {key: part.state_dict() for key, part in self._parts().items()}

    def load(self, state: State) -> None:
        """The inverse of `state`."""
        for key, part in self._parts().items():
            part.load_state_dict(state[key])


def _adam(model: nn.Module, learning_rate: float) -> torch.optim.Adam:
    return torch.optim.Adam(model.parameters(), learning_rate, betas=_ADAM_BETAS)


def _epoch(gan: _Gan, pairs: Pairs, validation: Pairs, epoch: int, settings: GanSettings) -> EpochRecord:
    start = time.perf_counter()
    means = _train_epoch(gan, pairs, epoch, settings)
    found = _validate(gan, validation, settings)
    return {"epoch": epoch, **means, **found, "seconds": time.perf_counter() - start}


def _train_epoch(gan: _Gan, pairs: Pairs, epoch: int, settings: GanSettings) -> dict[str, float]:
    """One pass over an epoch's pairs; returns the mean of every named loss over pairs."""
    random = torch.Generator().manual_seed(derive_seed(settings["seed"], "epoch", epoch))
    deck = draw_deck(len(pairs), settings["epoch_samples"], settings["batch_size"], random)
    batches = pair_batches(pairs, deck, epoch, gan.fabric.device, settings["workers"])
    label = f"gan {epoch + 1}/{settings['epochs']}"
    gan.generator.train()
    sums: dict[str, float] = {}
    for i, batch in enumerate(track(batches, label, total=len(deck), transient=True)):
        values = _step(gan, batch.moved(settings["augment"], random), settings)
        average_weights(gan.average, gan.generator, decay_at(epoch * len(deck) + i, settings["ema_decay"]))
        for name, value in values.items():
            sums[name] = sums.get(name, 0.0) + value.item() * len(batch.ids)
    return {name: value / settings["epoch_samples"] for name, value in sums.items()}


def _step(gan: _Gan, batch: PairBatch, settings: GanSettings) -> dict[str, Tensor]:
    """Better the discriminator by what the generator makes now, then the generator by the better discriminator."""
    made = gan.generator(batch.pictures)
    caught = _discriminator_step(gan, batch, made.detach())
    return {**_generator_step(gan, batch, made, settings), "discriminator_loss": caught}


def _discriminator_step(gan: _Gan, batch: PairBatch, made: Tensor) -> Tensor:
    both = torch.cat([_in_hand(batch.gold, batch), _in_hand(made, batch)])
    pictures = _in_hand(batch.pictures, batch).repeat(2, 1, 1, 1)
    of_gold, of_made = gan.discriminator(pictures, both).chunk(2)
    loss = discriminator_loss(of_gold, of_made)
    _descend(gan, loss, gan.discriminator_optimiser, batch)
    return loss.detach()


def _generator_step(gan: _Gan, batch: PairBatch, made: Tensor, settings: GanSettings) -> dict[str, Tensor]:
    weights = settings["weights"]
    gan.discriminator.requires_grad_(False)  # its gradients would be computed for nothing
    adversarial = adversarial_loss(gan.discriminator(_in_hand(batch.pictures, batch), _in_hand(made, batch)))
    gan.discriminator.requires_grad_(True)
    weight = pixel_weights(batch.inside, weights["background"])
    reconstruction = reconstruction_loss(
        made, batch.gold, weight, settings["reconstruction"], weights["ssim"]
    )
    loss = weights["adversarial"] * adversarial + weights["reconstruction"] * reconstruction
    _descend(gan, loss, gan.generator_optimiser, batch)
    named = {"generator_loss": loss, "adversarial_loss": adversarial, "reconstruction": reconstruction}
    return {name: value.detach() for name, value in named.items()}


def _in_hand(pictures: Tensor, batch: PairBatch) -> Tensor:
    """Black around the hand: only the generator's is not quite black there, which would give it away."""
    return pictures * batch.inside


def _descend(gan: _Gan, loss: Tensor, optimiser: Any, batch: PairBatch) -> None:
    check_finite(loss, batch)
    optimiser.zero_grad()
    gan.fabric.backward(loss)
    optimiser.step()


@torch.no_grad()
def _validate(gan: _Gan, pairs: Pairs, settings: GanSettings) -> dict[str, float]:
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
def _make_sheet(gan: _Gan, pairs: Pairs, settings: GanSettings) -> Sheet:
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
