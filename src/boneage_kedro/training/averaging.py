"""The running mean of a network's weights, which is often better than the weights that it is the mean of."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from boneage_kedro.training.progress import State


class WeightAverage:
    """Exponential moving average of all that a network learns, BatchNorm's statistics included.

    After step t the mean keeps the share min(decay, (1 + t) / (10 + t)) of what it was, so that it soon leaves
    the weights that training began with (as TensorFlow's ``ExponentialMovingAverage`` does with ``num_updates``).
    Make it when the network is where it will be trained; a decay of 0 switches it off.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self._model, self._decay, self._steps = model, decay, 0
        tensors = model.state_dict() if decay else {}
        # the network's own tensors, which training changes in place; a counter has no mean
        self._now = {name: value for name, value in tensors.items() if value.is_floating_point()}
        self._mean = {name: value.clone() for name, value in self._now.items()}

    @torch.no_grad()
    def update(self) -> None:
        """Take in the weights after a step."""
        if not self._decay:
            return
        self._steps += 1
        keep = min(self._decay, (1 + self._steps) / (10 + self._steps))
        torch._foreach_lerp_(list(self._mean.values()), list(self._now.values()), 1 - keep)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The network with the mean weights for a while."""
        if not self._decay:
            yield
            return
        own = copy.deepcopy(self._model.state_dict())
        self._model.load_state_dict(own | self._mean)
        try:
            yield
        finally:
            self._model.load_state_dict(own)

    def state(self) -> State:
        """Plain values and tensors, for a checkpoint."""
        return {"steps": self._steps, "mean": self._mean}

    def restore(self, state: State) -> None:
        """The inverse of `state`."""
        self._steps = state["steps"]
        for name, mean in self._mean.items():
            mean.copy_(state["mean"][name])
