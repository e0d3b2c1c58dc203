"""Answers to questions for masks: from known truth, and from a folder that a person works in."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from boneage_kedro.imaging.sources import RadiographFolder
from boneage_kedro.imaging.store import ImageStore, ImageStoreWriter, StoreEntry, StoreHeader
from boneage_kedro.masks.drawn.queue import AnnotationQueue
from boneage_kedro.masks.hand.check import check_hand
from boneage_kedro.training.hands.oracle import Folder, Truth
from tests.training.squares import SIDE, square

IDS = ["a", "b", "c"]


def test_the_truth_tells_what_it_is_asked_for() -> None:
    oracle = Truth({"a": np.ones((2, 2), np.uint8)})
    assert oracle.may_answer("a")
    assert not oracle.may_answer("b")
    assert not oracle.free()
    assert list(oracle.masks(["a", "b"])) == ["a"]
    assert oracle.name != Truth({"a": np.zeros((2, 2), np.uint8)}).name


class Desk:
    """Radiographs of squares, twice as large as in the store and with a margin to the left, and a queue."""

    def __init__(self, folder: Path) -> None:
        self.queue = AnnotationQueue(folder / "queue", {"hand": 1}, check_hand)
        self.truth, entries = {}, []
        (folder / "pictures").mkdir()
        for i, key in enumerate(IDS):
            picture, mask = square(i)
            self.truth[key] = mask
            cv2.imwrite(str(folder / "pictures" / f"{key}.png"), 255 - _enlarged(picture))
            record: dict[str, Any] = {
                "source_shape": [2 * SIDE, 2 * SIDE + 8],
                "transform": [[0.5, 0, -4.25], [0, 0.5, -0.25]],
                "window": {"low": 0.0, "high": 255.0},
                "inverted": True,
            }
            entries.append(StoreEntry(key, key, picture, record))
        with ImageStoreWriter(folder / "store", StoreHeader(SIDE, {})) as writer:
            writer.append(entries)
            writer.finish()
        self.store = ImageStore(folder / "store")
        files = RadiographFolder(folder / "pictures")
        self.known: dict[str, np.ndarray] = {}
        self.oracle = Folder(self.queue, self.known, files, self.store, SIDE)

    def propose(self, ids: list[str]) -> Any:
        return ((key, _enlarged(self.truth[key])) for key in ids)


def _enlarged(picture: np.ndarray) -> np.ndarray:
    large = picture.repeat(2, 0).repeat(2, 1)
    return np.pad(large, ((0, 0), (8, 0)))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_questions_show_the_radiograph_as_people_read_it(desk: Desk) -> None:
    desk.oracle.ask(["b", "a"], desk.propose)
    assert desk.queue.ids == ["b", "a"]
    shown = cv2.imread(str(desk.queue.picture("a")), cv2.IMREAD_UNCHANGED)
    assert shown.shape == (2 * SIDE, 2 * SIDE + 8)
    inside = _enlarged(desk.truth["a"]) > 0
    assert shown[inside].mean() > shown[~inside].mean() + 50  # the file itself is a negative
    assert (desk.queue.folder / "queue" / "label_studio.json").exists()


def test_answers_come_back_in_the_frame_of_the_store(desk: Desk) -> None:
    desk.oracle.ask(IDS, desk.propose)
    assert desk.oracle.masks(IDS) == {}
    desk.queue.save_answer("b", _enlarged(desk.truth["b"]))
    found = desk.oracle.masks(IDS)
    assert list(found) == ["b"]
    assert np.array_equal(found["b"], desk.truth["b"])
    assert desk.oracle.free() == {"b"}


def test_an_answer_goes_before_what_was_drawn_earlier(desk: Desk) -> None:
    desk.known["a"] = np.zeros((SIDE, SIDE), np.uint8)
    assert desk.oracle.free() == {"a"}
    assert not desk.oracle.masks(["a"])["a"].any()
    desk.oracle.ask(["a"], desk.propose)
    desk.queue.save_answer("a", _enlarged(desk.truth["a"]))
    assert np.array_equal(desk.oracle.masks(["a"])["a"], desk.truth["a"])


def test_asking_again_leaves_what_a_person_has_begun(desk: Desk) -> None:
    desk.oracle.ask(["a"], desk.propose)
    file = desk.queue.folder / "queue" / "a.json"
    begun = file.read_text().replace("hand", "Hand")
    file.write_text(begun)
    asked = []
    desk.oracle.ask(["a", "c"], lambda ids: asked.append(ids) or desk.propose(ids))
    assert asked == [["c"]]
    assert file.read_text() == begun
