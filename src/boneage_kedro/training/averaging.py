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
        self._mean = copy.deepcopy(model.state_dict()) if decay else {}
        now = model.state_dict()  # the tensors themselves: training changes them in place
        self._floats = [name for name, value in self._mean.items() if value.is_floating_point()]
        self._now = {name: now[name] for name in self._mean}

    @torch.no_grad()
    def update(self) -> None:
        """Take in the weights after a step."""
        if not self._decay:
            return
        self._steps += 1
        keep = min(self._decay, (1 + self._steps) / (10 + self._steps))
        means, now = ([tensors[name] for name in self._floats] for tensors in (self._mean, self._now))
        torch._foreach_lerp_(means, now, 1 - keep)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The network with the mean weights for a while."""
        if not self._decay:
            yield
            return
        own = copy.deepcopy(self._model.state_dict())
        self._model.load_state_dict(own | {name: self._mean[name] for name in self._floats})
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
