"""The folder in which the active learning asks for masks and a person answers."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import numpy as np

from boneage_kedro.cohort.columns import case_id
from boneage_kedro.files import replace_bytes, replace_text
from boneage_kedro.masks.drawn.answers import AnswerFolder, encode_png, read_file
from boneage_kedro.masks.drawn.label_studio import label_studio_interface, label_studio_task
from boneage_kedro.masks.drawn.labelme import read_labelme, write_labelme
from boneage_kedro.masks.drawn.queue_readme import readme
from boneage_kedro.masks.label_maps import UnusableMask

# Outlines that a person takes hold of point by point: on 68 hands drawn by readers this keeps a Dice of 0.997 or more
# with 110 points in the median, where the exact outline has 2865.
OUTLINE_TOLERANCE_PX = 1.0

_ASKED, _TASKS, _INTERFACE = "asked.json", "label_studio.json", "label_studio.xml"
_LOCAL_FILES = "/data/local-files/?d="  # where Label Studio serves files below its document root


class Problem(NamedTuple):
    """A file among the answers, or a part of it, that is not used; ``id`` is what it goes by, empty if nothing."""

    file: str
    id: str
    reason: str


class AnnotationQueue:
    """Pictures for a person to draw on, what is proposed for them, and the answers.

    The folder holds ``queue/<id>.png`` (the picture) and ``queue/<id>.json`` (the proposal for Labelme; none where
    nothing is proposed), ``queue/label_studio.json`` and ``.xml`` (the same for Label Studio), ``README.txt`` (what
    to do), and ``asked.json`` (sizes by id, in the order asked). A person puts into ``answers/``

    - ``<id>.png``: a gray PNG of codes, or of 0 and 255 where there is one label; `save_answer` writes this, too;
    - ``<id>.json``: a Labelme file;
    - any ``.json``: what Label Studio exports as JSON, of any number of pictures.

    Where several files answer for one picture, the first usable one in this order counts, and the others are
    reported. Everything is read from the folder when it is asked for, so that several processes may look at it; only
    one may ask.

    Args:
        folder: made when it is needed.
        labels: their codes, 1 to as many as there are; 0 is the background.
        check: refuses masks that cannot be right, by raising `UnusableMask` with the reason.

    Raises:
        ValueError: the codes are not 1 to as many as there are.
    """

    def __init__(
        self, folder: Path, labels: Mapping[str, int], check: Callable[[np.ndarray], None] | None = None
    ) -> None:
        if sorted(labels.values()) != list(range(1, len(labels) + 1)):
            raise ValueError(f"labels {dict(labels)}: give them the codes 1 to {len(labels)}")
        self.folder, self.labels = folder, dict(labels)
        self._answers = AnswerFolder(folder / "answers", self.labels, check)

    def ask(self, key: str, picture: np.ndarray, proposal: np.ndarray) -> None:
        """Put a picture into the queue; one that is there is left alone, since a person may have begun with it.

        Args:
            key: id of the radiograph.
            picture: (H, W) uint8.
            proposal: (H, W) uint8 of codes, all 0 to propose nothing.

        Raises:
            ValueError: the id cannot be a file's name here, the arrays are not of one shape and of uint8, or the
                proposal has codes without a label.
        """
        _check_key(key)
        self._check_arrays(key, picture, proposal)
        if key in self.ids:
            return
        for folder in (self._queue, self._answers.path):
            folder.mkdir(parents=True, exist_ok=True)
        self._write_proposal(key, proposal)
        shapes = {other: shape for other, shape in self._shapes().items() if other != key}
        replace_text(self.folder / _ASKED, json.dumps({**shapes, key: picture.shape}) + "\n")
        # last, since this is what puts the id into the queue
        replace_bytes(self._picture_file(key), encode_png(picture))

    def finish_asking(self) -> None:
        """Bring the files for Label Studio and the README up to date with the queue."""
        tasks = [self._task(key) for key in self.ids]
        self._queue.mkdir(parents=True, exist_ok=True)
        replace_text(self._queue / _TASKS, json.dumps(tasks, indent=1) + "\n")
        replace_text(self._queue / _INTERFACE, label_studio_interface(self.labels))
        replace_text(self.folder / "README.txt", readme(self.labels, self.folder))

    def drop(self, key: str) -> None:
        """Take a picture out of the queue; its answer stays and still counts.

        Raises:
            KeyError: it was never asked for.
        """
        self.picture(key).unlink(missing_ok=True)
        self._proposal_file(key).unlink(missing_ok=True)

    @property
    def ids(self) -> list[str]:
        """Those in the queue, in the order asked."""
        return [key for key in self._shapes() if self._picture_file(key).exists()]

    @property
    def open_ids(self) -> list[str]:
        """Those in the queue without a usable answer, in the order asked."""
        ids = self.ids
        readings = self._answers.read(self._shapes(), ids)
        done = {reading.id for reading in readings if isinstance(reading.mask, np.ndarray)}
        return [key for key in ids if key not in done]

    def shape(self, key: str) -> tuple[int, int]:
        """(H, W) of a picture, also after it was dropped.

        Raises:
            KeyError: it was never asked for.
        """
        return self._shapes()[key]

    def picture(self, key: str) -> Path:
        """The PNG file to draw on; it is gone after `drop`.

        Raises:
            KeyError: it was never asked for.
        """
        self.shape(key)
        return self._picture_file(key)

    def proposal(self, key: str) -> np.ndarray:
        """What is proposed, (H, W) uint8 of codes; a person's changes to the file in the queue are in it.

        Raises:
            KeyError: it was never asked for.
            UnusableMask: a person saved something there that cannot be read.
        """
        shape, file = self.shape(key), self._proposal_file(key)
        if not file.exists():
            return np.zeros(shape, np.uint8)
        return read_labelme(read_file(file), file.name, self.labels, shape, key)

    def answer(self, key: str) -> np.ndarray:
        """The answer that counts, (H, W) uint8 of codes.

        Raises:
            KeyError: it was never asked for, or there is no answer yet.
            UnusableMask: there are answers, but none can be used; it says why, file by file.
        """
        self.shape(key)
        errors = []
        for _, of, mask in self._answers.read(self._shapes(), [key]):
            if of == key and isinstance(mask, np.ndarray):
                return mask
            if of == key:
                errors.append(str(mask))
        if errors:
            raise UnusableMask("\n".join(errors))
        raise KeyError(f"{key}: not answered yet")

    def answers(self) -> tuple[dict[str, np.ndarray], list[Problem]]:
        """All that were ever answered, (H, W) uint8 of codes by id, and what is wrong with the other files."""
        masks: dict[str, np.ndarray] = {}
        origin: dict[str, str] = {}
        problems = []
        for file, key, mask in self._answers.read(self._shapes()):
            if isinstance(mask, UnusableMask):
                problems.append(Problem(file, key, str(mask)))
            elif key in masks:
                reason = f"{file}: is a second answer for {key}; {origin[key]} counts, remove one of them"
                problems.append(Problem(file, key, reason))
            else:
                masks[key], origin[key] = mask, file
        return masks, problems

    def save_answer(self, key: str, mask: np.ndarray) -> None:
        """Write an answer that counts before all others for this picture.

        Args:
            key: id of the radiograph.
            mask: (H, W) uint8 of codes.

        Raises:
            KeyError: it was never asked for.
            UnusableMask: another size, other codes, empty, or refused by the check; nothing is written.
        """
        self._answers.write(key, mask, self.shape(key))

    @property
    def _queue(self) -> Path:
        return self.folder / "queue"

    def _picture_file(self, key: str) -> Path:
        return self._queue / f"{key}.png"

    def _proposal_file(self, key: str) -> Path:
        return self._queue / f"{key}.json"

    def _shapes(self) -> dict[str, tuple[int, int]]:
        """Of all that were ever asked, in the order asked."""
        file = self.folder / _ASKED
        asked = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        return {key: (rows, columns) for key, (rows, columns) in asked.items()}

    def _check_arrays(self, key: str, picture: np.ndarray, proposal: np.ndarray) -> None:
        if not picture.shape == proposal.shape or not picture.dtype == proposal.dtype == np.uint8:
            raise ValueError(
                f"{key}: picture {picture.shape} {picture.dtype} and proposal {proposal.shape} {proposal.dtype} "
                "must be of one shape and of uint8"
            )
        if proposal.max() > len(self.labels):
            raise ValueError(f"{key}: the proposal has the code {proposal.max()}, which has no label")

    def _write_proposal(self, key: str, proposal: np.ndarray) -> None:
        file = self._proposal_file(key)
        if proposal.any():
            replace_text(file, write_labelme(proposal, self.labels, f"{key}.png", OUTLINE_TOLERANCE_PX))
        else:
            file.unlink(missing_ok=True)

    def _task(self, key: str) -> dict[str, Any]:
        try:
            proposal = self.proposal(key)
        except UnusableMask:  # whoever saved it is told once it is among the answers
            proposal = np.zeros(self.shape(key), np.uint8)
        url = _LOCAL_FILES + quote(f"queue/{key}.png")
        return label_studio_task(key, url, proposal, self.labels, OUTLINE_TOLERANCE_PX)


def _check_key(key: str) -> None:
    """Refuse an id that would lead out of the folder, hide its file or take the place of another one."""
    plain = case_id(f"{key}.png") == key and key.isprintable() and not key.startswith(".")
    if not key or not plain or key == Path(_TASKS).stem:
        raise ValueError(f"the id {key!r} cannot name a file of the queue; give the radiograph another one")
