"""Hundreds of damaged answers: each is used or reported, none raises, and none keeps the good ones out."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from boneage_kedro.masks.drawn.labelme import write_labelme
from boneage_kedro.masks.drawn.queue import AnnotationQueue
from boneage_kedro.masks.hand.check import check_hand

SHAPE = (24, 32)
JUNK = [
    None, True, 0, -1, 3, 0.5, 1e300, -1e300, 10**500, float("nan"), float("inf"), "", "x", "hand", [], [[]], {}, [7],
    {"a": 1}, [[1, 2]], [[1, 2], [3, 4]], [["1", "2"]] * 4, "polygon", "rectangle", "circle", "mask", "line", "é\0",
]  # fmt: skip

Mutation = Callable[[bytes, np.random.Generator], bytes]


def flip_bytes(content: bytes, rng: np.random.Generator) -> bytes:
    changed = bytearray(content)
    for at in rng.integers(len(changed), size=rng.integers(1, 5)):
        changed[at] = rng.integers(256)
    return bytes(changed)


def cut(content: bytes, rng: np.random.Generator) -> bytes:
    return content[: rng.integers(len(content))]


def splice(content: bytes, rng: np.random.Generator) -> bytes:
    first, second, third = np.sort(rng.integers(len(content), size=3))
    return content[:first] + content[second:third] + content[first:]


def plant_junk(content: bytes, rng: np.random.Generator) -> bytes:
    """Replace or remove one value anywhere in a JSON file."""
    values = json.loads(content)
    holders = list(_holders(values))
    holder, key = holders[rng.integers(len(holders))]
    if rng.random() < 0.2:
        del holder[key]
    else:
        holder[key] = JUNK[rng.integers(len(JUNK))]
    return json.dumps(values).encode()


def _holders(value: Any) -> Any:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(items):
        yield value, key
        yield from _holders(inner)


def drawn() -> np.ndarray:
    mask = np.zeros(SHAPE, np.uint8)
    mask[4:20, 6:26] = 1
    return mask


@pytest.fixture
def queue(tmp_path: Path) -> AnnotationQueue:
    queue = AnnotationQueue(tmp_path, {"hand": 1}, check_hand)
    for key in ("good", "bad"):
        queue.ask(key, np.zeros(SHAPE, np.uint8), drawn())
    queue.finish_asking()
    queue.save_answer("good", drawn())
    return queue


def answer_files(queue: AnnotationQueue) -> dict[str, bytes]:
    (task,) = (
        t for t in json.loads((queue.folder / "queue/label_studio.json").read_text()) if "bad" in str(t)
    )
    task["annotations"] = [{"result": task["predictions"][0]["result"], "was_cancelled": False}]
    shapes = json.loads(write_labelme(drawn(), queue.labels, "bad.png", 0))
    pixels = cv2.imencode(".png", np.ones((3, 3), np.uint8))[1].tobytes()
    shapes["shapes"] += [
        {"label": "hand", "points": [[8, 8], [12, 10]], "shape_type": "rectangle"},
        {"label": "hand", "points": [[8, 8], [12, 10]], "shape_type": "circle"},
        {
            "label": "hand",
            "points": [[8, 8], [10, 10]],
            "shape_type": "mask",
            "mask": base64.b64encode(pixels).decode(),
        },
    ]
    return {
        "bad.png": cv2.imencode(".png", drawn())[1].tobytes(),
        "bad.json": json.dumps(shapes).encode(),
        "export.json": json.dumps([task]).encode(),
    }


@pytest.mark.parametrize(
    ("name", "mutate"),
    [
        (name, mutate)
        for name in ("bad.png", "bad.json", "export.json")
        for mutate in (flip_bytes, cut, splice, plant_junk)
        if (name, mutate) != ("bad.png", plant_junk)  # it is no JSON file
    ],
)
def test_damaged_answers_are_used_or_reported(queue: AnnotationQueue, name: str, mutate: Mutation) -> None:
    whole, reported = answer_files(queue)[name], 0
    file = queue.folder / "answers" / name
    for seed in range(50):
        file.write_bytes(mutate(whole, np.random.default_rng(seed)))
        masks, problems = queue.answers()
        assert np.array_equal(masks["good"], drawn())
        assert all(problem.file == name and problem.reason.startswith(name) for problem in problems)
        assert problems or "bad" in masks or name == "export.json"
        assert ("bad" in queue.open_ids) == ("bad" not in masks)
        reported += bool(problems)
    assert reported > 5
    file.write_bytes(whole)
    assert sorted(queue.answers()[0]) == ["bad", "good"]
