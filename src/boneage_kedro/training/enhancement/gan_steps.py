"""Generator and discriminator with their optimisers, and one step of both (paper 001, section 2.3)."""

import copy
from dataclasses import dataclass
from typing import Any, Self

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from boneage_kedro.models.discriminator import build_discriminator
from boneage_kedro.models.enhancer import Enhancer, EnhancerConfig
from boneage_kedro.training.enhancement.gan_losses import (
    adversarial_loss,
    discriminator_loss,
    pixel_weights,
    reconstruction_loss,
)
from boneage_kedro.training.enhancement.gan_settings import GanSettings
from boneage_kedro.training.enhancement.pair_batches import PairBatch
from boneage_kedro.training.loop import check_finite
from boneage_kedro.training.progress import State
from boneage_kedro.training.seeding import derive_seed

# more momentum makes the two networks circle (Radford et al., ICLR 2016, section 3)
_ADAM_BETAS = (0.5, 0.999)


@dataclass(frozen=True)
class Gan:
    """Both networks and their optimisers as Fabric wraps them, and the averaged generator."""

    fabric: Fabric
    generator: Any
    discriminator: Any
    average: Enhancer
    generator_optimiser: Any
    discriminator_optimiser: Any

    @classmethod
    def new(cls, settings: GanSettings) -> Self:
        """Before training; all random weights come from the seed.

        Raises:
            ValueError: the settings name no discriminator.
        """
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


def new_enhancer(settings: GanSettings) -> Enhancer:
    """The generator before training; its random weights come from the seed."""
    torch.manual_seed(derive_seed(settings["seed"], "enhancer"))
    model = Enhancer(EnhancerConfig(**settings["generator"]))
    return model.to(memory_format=torch.channels_last)  # faster on CPUs, and what GPUs want


def take_step(gan: Gan, batch: PairBatch, settings: GanSettings) -> dict[str, Tensor]:
    """Better the discriminator by what the generator makes now, then the generator by the better discriminator."""
    made = gan.generator(batch.pictures)
    caught = _discriminator_step(gan, batch, made.detach())
    return {**_generator_step(gan, batch, made, settings), "discriminator_loss": caught}


def _discriminator_step(gan: Gan, batch: PairBatch, made: Tensor) -> Tensor:
    both = torch.cat([_in_hand(batch.gold, batch), _in_hand(made, batch)])
    pictures = _in_hand(batch.pictures, batch).repeat(2, 1, 1, 1)
    of_gold, of_made = gan.discriminator(pictures, both).chunk(2)
    loss = discriminator_loss(of_gold, of_made)
    _descend(gan, loss, gan.discriminator_optimiser, batch)
    return loss.detach()


def _generator_step(gan: Gan, batch: PairBatch, made: Tensor, settings: GanSettings) -> dict[str, Tensor]:
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


def _descend(gan: Gan, loss: Tensor, optimiser: Any, batch: PairBatch) -> None:
    check_finite(loss, batch)
    optimiser.zero_grad()
    gan.fabric.backward(loss)
    optimiser.step()


@torch.no_grad()
def average_weights(average: nn.Module, model: nn.Module, decay: float) -> None:
    """Move averaged weights towards those of a network, by 1 - decay of the way.

    The statistics of batch normalisation are taken over as they are: they are running means already, and the mean of
    these would lag behind the weights, by 5 dB in the first epochs on phantoms.
    """
    for mean, now in zip(average.parameters(), model.parameters(), strict=True):
        mean.lerp_(now, 1 - decay)
    for statistic, current in zip(average.buffers(), model.buffers(), strict=True):
        statistic.copy_(current)


def decay_at(step: int, decay: float) -> float:
    """The decay of a step, counted from 0: small at first, or the untrained weights would stay in for long."""
    return min(decay, (1 + step) / (10 + step))


def _adam(model: nn.Module, learning_rate: float) -> torch.optim.Adam:
    return torch.optim.Adam(model.parameters(), learning_rate, betas=_ADAM_BETAS)
