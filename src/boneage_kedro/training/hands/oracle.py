"""Who answers when a network asks for masks: known truth in experiments, or a person by way of a folder."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from boneage_kedro.imaging.ingest import read_content
from boneage_kedro.imaging.preparation.intensity import Window, apply_window
from boneage_kedro.imaging.reading import read_radiograph
from boneage_kedro.imaging.sources import RadiographSource
from boneage_kedro.imaging.store import ImageStore
from boneage_kedro.masks.drawn.queue import AnnotationQueue
from boneage_kedro.masks.label_maps import mask_to_canvas
from boneage_kedro.training.segmentation.lesson import fingerprint_masks

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
        radiographs: files to draw on.
        input_px: side P of the masks that are handed out.
    """

    queue: AnnotationQueue
    known: Mapping[str, np.ndarray]
    radiographs: Mapping[str, RadiographSource]
    store: ImageStore
    input_px: int

    @property
    def name(self) -> str:
        """The same whatever is drawn: one answer more is no reason to begin anew."""
        return "folder"

    def may_answer(self, key: str) -> bool:
        """A person can draw anything."""
        return True

    def free(self) -> Collection[str]:
        """What was drawn before, and what has been answered."""
        return {*self.known, *self._answered()}

    def masks(self, ids: Iterable[str]) -> dict[str, np.ndarray]:
        """Answers go before what was drawn earlier."""
        answered = self._answered()
        found = {}
        for key in ids:
            if key in answered:
                transform, _ = self.store.frame(key, self.input_px)
                found[key] = mask_to_canvas(self.queue.answer(key), transform, self.input_px)
            elif key in self.known:
                found[key] = self.known[key]
        return found

    def ask(self, ids: list[str], propose: Proposals) -> None:
        """Put those into the folder that are not there yet."""
        there = set(self.queue.ids)
        for key, mask in propose([key for key in ids if key not in there]):
            self.queue.ask(key, self._picture(key), mask)
        self.queue.finish_asking()

    def _answered(self) -> set[str]:
        return {*self.queue.ids} - {*self.queue.open_ids}

    def _picture(self, key: str) -> np.ndarray:
        """The radiograph (H, W) uint8 as people read it: bone bright, the hand's gray levels over the whole range."""
        source, record = self.radiographs[key], self.store.record(key)
        pixels = read_radiograph(read_content(source), source.name).pixels
        return apply_window(pixels, Window(**record["window"]), record["inverted"])
