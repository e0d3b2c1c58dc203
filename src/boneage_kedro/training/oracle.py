"""Who answers when a network asks for masks: known truth in experiments, or a person by way of a folder."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from boneage_kedro.imaging.store import ImageStore
from boneage_kedro.masks.label_maps import mask_to_canvas
from boneage_kedro.masks.queue import AnnotationQueue
from boneage_kedro.training.lesson import fingerprint_masks

Proposals = Callable[[list[str]], Iterable[tuple[str, np.ndarray]]]
"""Gives the network's masks of some cases, at the size of their radiographs, one at a time."""


class Oracle(Protocol):
    """Has masks, or gets them.

    ``name`` is a fingerprint of the masks that were known before anything was asked.
    """

    @property
    def name(self) -> str:
        """A fingerprint of the masks that were known before anything was asked."""

    def may_answer(self, key: str) -> bool:
        """Whether it makes sense to ask for the mask of this case."""

    def free(self) -> Collection[str]:
        """Cases whose masks are there without asking."""

    def masks(self, ids: Iterable[str]) -> dict[str, np.ndarray]:
        """The masks (P, P) uint8 of those of the cases that have been answered."""

    def ask(self, ids: list[str], propose: Proposals) -> None:
        """Ask for the masks of these cases, showing what the network makes of them."""


@dataclass(frozen=True)
class Truth:
    """Masks that are known already and are told when asked for: for experiments."""

    known: Mapping[str, np.ndarray]

    @property
    def name(self) -> str:
        """Changes with any mask."""
        return fingerprint_masks(self.known)

    def may_answer(self, key: str) -> bool:
        """Only cases with a known mask."""
        return key in self.known

    def free(self) -> Collection[str]:
        """None: each must be asked for."""
        return ()

    def masks(self, ids: Iterable[str]) -> dict[str, np.ndarray]:
        """All of them that are known."""
        return {key: self.known[key] for key in ids if key in self.known}

    def ask(self, ids: list[str], propose: Proposals) -> None:
        """Nothing to do: every answer is there."""


@dataclass(frozen=True)
class Folder:
    """A person, who finds questions in a folder and leaves answers there.

    Attributes:
        known: masks (P, P) uint8 that were drawn before; they need no question.
        picture: gives the picture (H, W) uint8 to draw on, at the size of its radiograph.
        input_px: side P of the masks that are handed out.
    """

    queue: AnnotationQueue
    known: Mapping[str, np.ndarray]
    picture: Callable[[str], np.ndarray]
    store: ImageStore
    input_px: int

    @property
    def name(self) -> str:
        """The same whatever is drawn: an answer more is no reason to begin anew."""
        return "folder"

    def may_answer(self, key: str) -> bool:
        """A person can draw anything."""
        return True

    def free(self) -> Collection[str]:
        """What was drawn before, and what has been answered."""
        return {*self.known, *self._answered()}

    def masks(self, ids: Iterable[str]) -> dict[str, np.ndarray]:
        """Answers go before what was drawn earlier."""
        wanted = set(ids)
        answered = {
            key: self._on_canvas(key, mask) for key, mask in self._answered().items() if key in wanted
        }
        return {key: self.known[key] for key in wanted if key in self.known} | answered

    def ask(self, ids: list[str], propose: Proposals) -> None:
        """Put those into the folder that are not there yet."""
        new = [key for key in ids if key not in self.queue.ids]
        for key, mask in propose(new):
            self.queue.ask(key, self.picture(key), mask)
        self.queue.finish_asking()

    def _answered(self) -> dict[str, np.ndarray]:
        answers, _ = self.queue.answers()
        return {key: mask for key, mask in answers.items() if key in self.store}

    def _on_canvas(self, key: str, mask: np.ndarray) -> np.ndarray:
        transform, _ = self.store.frame(key, self.input_px)
        return mask_to_canvas(mask, transform, self.input_px)
