"""Pairs to learn enhancement from: a picture as it came, and as it should be."""

from collections.abc import Collection, Mapping, Sequence
from copy import copy
from pathlib import Path
from typing import NamedTuple, Protocol, Self

import cv2
import numpy as np

from boneage_kedro.cohort.findings import Finding, finding_rows
from boneage_kedro.imaging.changes.degradation import DegradationSettings, degrade
from boneage_kedro.imaging.contrast.tone_curve import StandardTone, to_standard_tone
from boneage_kedro.imaging.formats import png
from boneage_kedro.imaging.formats.decoding import decode
from boneage_kedro.imaging.geometry import Box, centre_on_canvas, fitted_size, resize
from boneage_kedro.imaging.ingest import read_content
from boneage_kedro.imaging.radiograph import UnreadableRadiograph
from boneage_kedro.imaging.sources import RadiographFolder, RadiographSource
from boneage_kedro.masks.hand.region import fill_holes
from boneage_kedro.provenance import fingerprint
from boneage_kedro.training.seeding import derive_seed

_INPUT, _GOLD = "input", "gold"
_MOST_NAMED = 3


class Pair(NamedTuple):
    """A picture to enhance, what should come of it, and the hand.

    Attributes:
        x, y: (H, W) float32, 0 to 1, bone bright, 0 outside the hand.
        inside: (H, W) bool.
    """

    x: np.ndarray
    y: np.ndarray
    inside: np.ndarray


class Pairs(Protocol):
    """Pairs by place; nothing but names is kept in memory."""

    @property
    def ids(self) -> Sequence[str]:
        """The cases, in order."""

    def __len__(self) -> int: ...

    def pair(self, i: int, epoch: int) -> Pair:
        """The pair at place ``i``; the same arguments give the same pixels, in any process and from any thread."""


class PhysicsPairs:
    """Well exposed radiographs in one tone, degraded as detectors do it (`degrade`), so that the truth is known.

    Args:
        pictures: (P, P) uint8 by id, such as an `ImageStore`.
        masks: the hand by id on the same frame, (P, P), not 0 inside.
        ids: the cases chosen for gold.
        tone: of the gold standard.
        degradation: what is drawn anew for each pair.
        seed: of the draws, with the id.
        fresh: degrade anew in each epoch, for training; else always as in epoch 0, for validation and test.

    Raises:
        LookupError: some of the cases have no picture or no mask.
    """

    def __init__(
        self,
        pictures: Mapping[str, np.ndarray],
        masks: Mapping[str, np.ndarray],
        ids: Sequence[str],
        tone: StandardTone,
        degradation: DegradationSettings,
        seed: int,
        fresh: bool,
    ) -> None:
        _require(ids, pictures, "picture")
        _require(ids, masks, "hand mask")
        self.ids = list(ids)
        self._pictures, self._masks = pictures, masks
        self._tone, self._degradation = tone, degradation
        self._seed, self._fresh = seed, fresh

    def __len__(self) -> int:
        return len(self.ids)

    def pair(self, i: int, epoch: int) -> Pair:
        """The pair at place ``i``.

        Raises:
            ValueError: its mask and its picture differ in size.
        """
        key = self.ids[i]
        inside = np.asarray(self._masks[key]) != 0
        image = np.asarray(self._pictures[key]).astype(np.float32) / 255
        if inside.shape != image.shape:
            raise ValueError(f"case {key}: the hand mask is {inside.shape}, but its picture is {image.shape}")
        gold = to_standard_tone(image, inside, **self._tone)
        rng = np.random.default_rng(derive_seed("degrade", self._seed, key, epoch if self._fresh else 0))
        return Pair(degrade(gold, inside, self._degradation, rng), gold, inside)


class TonedPairs:
    """Pairs whose pictures come in the standard tone (`to_standard_tone`), with their gold as it was."""

    def __init__(self, pairs: Pairs, tone: StandardTone) -> None:
        self.ids = pairs.ids
        self._pairs, self._tone = pairs, tone

    def __len__(self) -> int:
        return len(self._pairs)

    def pair(self, i: int, epoch: int) -> Pair:
        """The pair at place ``i``."""
        x, y, inside = self._pairs.pair(i, epoch)
        return Pair(to_standard_tone(x, inside, **self._tone), y, inside)


class FolderPairs:
    """Pairs that a person adjusted: ``input/<id>.png`` and ``gold/<id>.png``, gray, of one size.

    Every file is read once at the start, so that what cannot be used is known before training; the rest go in. The
    hand is what is not black in either picture, with all that it encloses; in pictures whose background was not
    removed that is nearly everything.

    Args:
        folder: holds the folders ``input`` and ``gold``.
        side_px: side of the squares that pairs are brought to, centred, with black beside.

    Attributes:
        findings: what cannot be used and why, a table as `finding_rows` makes it.

    Raises:
        FileNotFoundError: one of the folders is missing.
    """

    def __init__(self, folder: Path, side_px: int) -> None:
        self._side_px = side_px
        self._files = {part: RadiographFolder(folder / part) for part in (_INPUT, _GOLD)}
        claimed = sorted(set(self._files[_INPUT]) | set(self._files[_GOLD]))
        faults = {key: fault for key in claimed if (fault := self._fault(key))}
        self.ids = [key for key in claimed if key not in faults]
        self.findings = finding_rows(Finding.UNUSABLE_PAIR, list(faults), list(faults.values()))

    def __len__(self) -> int:
        return len(self.ids)

    def among(self, ids: Collection[str]) -> Self:
        """Those of these cases alone."""
        some = copy(self)
        some.ids = [key for key in self.ids if key in ids]
        return some

    @property
    def fingerprint(self) -> str:
        """Names the files of the pairs."""
        return fingerprint(
            [self._files[part][key].fingerprint for key in self.ids for part in (_INPUT, _GOLD)]
        )

    def pair(self, i: int, epoch: int) -> Pair:
        """The pair at place ``i``, the same in every epoch.

        Raises:
            UnreadableRadiograph: a file was changed since the start, and cannot be used any more.
        """
        x, y = (self._on_canvas(pixels) for pixels in self._read(self.ids[i]))
        inside = fill_holes((x > 0) | (y > 0))
        return Pair(x, y, inside)

    def _read(self, key: str) -> tuple[np.ndarray, np.ndarray]:
        """Input and gold of a case, (H, W) float32, 0 to 1."""
        x, y = (_read_gray(self._files[part][key], part) for part in (_INPUT, _GOLD))
        if x.shape != y.shape:
            raise UnreadableRadiograph(
                f"input/{key} is {x.shape[1]} x {x.shape[0]} pixels, but gold/{key} is {y.shape[1]} x {y.shape[0]}; "
                "save both at one size"
            )
        return x, y

    def _fault(self, key: str) -> str:
        """Why a case cannot be used; empty if it can."""
        for part, other in ((_INPUT, _GOLD), (_GOLD, _INPUT)):
            if key not in self._files[part]:
                name = self._files[other][key].name
                return f"{other}/{name}: there is no {part}/{key}.png beside it; add it, or remove the file"
            names = self._files[part].duplicates.get(key)
            if names:
                return f"{part}: {' and '.join(names)} are of one id; keep one of them"
        try:
            self._read(key)
        except UnreadableRadiograph as error:
            return str(error)
        return ""

    def _on_canvas(self, pixels: np.ndarray) -> np.ndarray:
        box = Box(0, 0, pixels.shape[1], pixels.shape[0])
        return centre_on_canvas(resize(pixels, fitted_size(box, self._side_px)), self._side_px)


def _require(ids: Sequence[str], found: Mapping[str, np.ndarray], what: str) -> None:
    missing = [key for key in ids if key not in found]
    if missing:
        raise LookupError(
            f"{len(missing)} of {len(ids)} cases have no {what}, such as {', '.join(missing[:_MOST_NAMED])}; "
            "leave them out, or bring what is missing"
        )


def _read_gray(source: RadiographSource, part: str) -> np.ndarray:
    """A gray PNG of 8 or 16 bits as (H, W) float32, 0 to 1; colours are taken where all channels are alike.

    Raises:
        UnreadableRadiograph: it cannot be read, or shows colours; the message names the file.
    """
    try:
        content = read_content(source)
        if not content.startswith(png.MAGIC):
            raise UnreadableRadiograph("is not a PNG file; save pairs without loss, as gray PNG")
        pixels = png.decode_png(content)
        if not png.is_gray(content) and np.ptp(decode(content, cv2.IMREAD_COLOR), axis=2).any():
            raise UnreadableRadiograph("is in colour; save it as gray PNG")
    except UnreadableRadiograph as error:
        raise UnreadableRadiograph(f"{part}/{source.name}: {error}") from error
    return pixels.astype(np.float32) / np.iinfo(pixels.dtype).max
