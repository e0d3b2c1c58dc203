"""Checks that attention maps belong to what a network has learnt: random weights, deletion and insertion.

The first is the cascading randomisation of Adebayo et al. (NeurIPS 2018), the second that of Petsiuk et al. (BMVC
2018). A class has a probability that falls; an age may go either way, so here it is the change of the age in months
that counts, whatever its sign. `boneage_kedro.evaluation.attention.checks` grades what comes out.
"""

import copy
import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.transforms.v2 import functional as VF

from boneage_kedro.evaluation.attention.checks import DeletionSettings, Randomised
from boneage_kedro.models.age_ensemble import AgeNetwork
from boneage_kedro.training.ages.predict import read_ages
from boneage_kedro.training.ages.settings import ViewSettings
from boneage_kedro.training.ages.views import PLAIN
from boneage_kedro.training.batches import AgeSamples
from boneage_kedro.training.seeding import derive_seed

Network = TypeVar("Network", bound=nn.Module)
_KERNEL_SDS = 3  # how far the kernel of the blur reaches


def layers_with_weights(model: nn.Module) -> list[list[str]]:
    """Names of the modules that hold parameters themselves, from the input to the head.

    Those that are the same layer in the networks of an `AgeEnsemble` go together.
    """
    layers: dict[str, list[str]] = {}
    for name, module in model.named_modules():
        if list(module.parameters(recurse=False)):
            layers.setdefault(re.sub(r"^members\.\d+\.", "", name), []).append(name)
    return list(layers.values())


def randomise_last_layers(model: Network, count: int, seed: int) -> Network:
    """A copy of a network in which the last layers have lost what they learnt.

    Each tensor keeps its values, in random order: so signals stay of the same size, as they would not with the draws
    that a training starts from. Statistics of normalisation go with their layer.

    Args:
        model: stays as it is.
        count: of layers, from the head down.
        seed: of the orders; a layer's draw does not depend on how many go with it.

    Raises:
        ValueError: the network has not so many layers.
    """
    layers = layers_with_weights(model)
    if not 0 <= count <= len(layers):
        raise ValueError(f"cannot randomise {count} layers of a network that has {len(layers)}")
    other = copy.deepcopy(model)
    for name in itertools.chain(*layers[len(layers) - count :]):
        generator = torch.Generator().manual_seed(derive_seed(seed, name))
        module = other.get_submodule(name)
        for tensor in itertools.chain(module.parameters(recurse=False), module.buffers(recurse=False)):
            _shuffle(tensor.data, generator)
    return other


def randomise_in_cascade(
    model: Network, attribute: Callable[[Network], np.ndarray], steps: int, seeds: Sequence[int]
) -> Iterator[Randomised]:
    """Maps of a network whose layers are randomised from the head down, in steps of nearly equal numbers of layers.

    Args:
        attribute: gives the maps (n, h, w) of a network, always of the same cases.
        steps: the first has the head alone, the last all layers.
        seeds: each gives a cascade of its own.
    """
    total = len(layers_with_weights(model))
    for seed in seeds:
        for count in np.unique(np.linspace(1, total, steps).round().astype(int)).tolist():
            maps = attribute(randomise_last_layers(model, count, seed))
            yield Randomised(count, count / total, seed, maps)


@torch.inference_mode()
def delete_and_insert(
    model: AgeNetwork,
    samples: AgeSamples,
    orders: np.ndarray,
    settings: DeletionSettings,
    batch_size: int,
    device: torch.device,
    views: ViewSettings = PLAIN,
) -> tuple[np.ndarray, np.ndarray]:
    """Ages while pictures are blurred away place by place, and while blurred ones get their places back.

    Args:
        model: on ``device``.
        orders: (n, h, w) of the samples, such as the absolute values of placed maps; places of high value go first.
            Enlarged smoothly to the picture.
        views: of each picture, blurred as it is, whose ages are averaged.

    Returns:
        deletion and insertion, each (n, steps + 1) ages in months; before the first step and after each.

    Raises:
        ValueError: there are not as many orders as samples.
    """
    if len(orders) != len(samples):
        raise ValueError(f"{len(orders)} orders for {len(samples)} samples")
    model.eval()
    curves, first = [], 0
    for batch in samples.batches(batch_size, device):
        images, count = batch.images, len(batch.ids)
        ranks = _ranks(torch.from_numpy(orders[first : first + count]).to(device), images.shape[-1])
        blurred = _blur(images, settings["blur"])
        shares = torch.linspace(0, 1, settings["steps"] + 1)
        ages = [
            read_ages(model, torch.where(ranks < share, *pair), batch.is_male, views)
            for pair in ((blurred, images), (images, blurred))
            for share in shares.tolist()
        ]
        curves.append(torch.stack(ages, 1))
        first += count
    deletion, insertion = torch.cat(curves).numpy().reshape(len(samples), 2, -1).transpose(1, 0, 2)
    return deletion, insertion


def _shuffle(tensor: Tensor, generator: torch.Generator) -> None:
    flat = tensor.reshape(-1)
    order = torch.randperm(len(flat), generator=generator).to(tensor.device)
    tensor.copy_(flat[order].reshape(tensor.shape))


def _ranks(orders: Tensor, side_px: int) -> Tensor:
    """Share of the pixels that come before each, (B, 1, P, P) from 0 to less than 1."""
    smooth = F.interpolate(orders[:, None].double(), (side_px, side_px), mode="bilinear").flatten(1)
    ranks = smooth.argsort(dim=1, descending=True, stable=True).argsort(dim=1)
    return (ranks / ranks.shape[1]).reshape(-1, 1, side_px, side_px)


def _blur(images: Tensor, share: float) -> Tensor:
    sd = share * images.shape[-1]
    reach = min(round(_KERNEL_SDS * sd), images.shape[-1] - 1)  # reflection at the edge reaches no further
    return VF.gaussian_blur(images, [2 * reach + 1] * 2, [sd] * 2)
