"""Runs that ask people for masks and wait; the last to use hands, whose tables they overwrite."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlflow.entities import Run
from PIL import Image

from boneage_kedro.annotation.server import create_app
from boneage_kedro.evaluation.segmentation.scores import dice
from boneage_kedro.masks.drawn.labelme import write_labelme
from boneage_kedro.masks.drawn.polygons import mask_to_polygons
from boneage_kedro.masks.drawn.queue import AnnotationQueue
from boneage_kedro.masks.hand.check import check_hand

from ..annotation.annotator import Annotator
from ..browser import chromium, served
from .project import MARKS, PROJECT, RESULTS, runs, session_with

pytestmark = MARKS


def test_a_run_waits_for_people_and_goes_on_with_their_masks(hands: Run, tmp_path: Path) -> None:
    (tmp_path / "masks").mkdir()
    folders = {"hand_masks": str(tmp_path / "masks"), "hand_queue": str(tmp_path / "queue")}
    settings = {"hand_active_learning": {"oracle": "folder", "query": {"labels": 8}}}
    queue = AnnotationQueue(tmp_path / "queue", {"hand": 1}, check_hand)
    asked = []
    for _ in range(3):
        try:
            with session_with(folders | settings) as session:
                session.run(pipeline_names=["hand_active_learning"])
        except SystemExit as end:
            assert end.code == 0
            assert runs()[0].info.status == "FINISHED"
            asked.append(len(queue.open_ids))
            _answer(queue)
    assert asked == [6 + 4, 2]  # to begin with and to validate, then one round
    assert runs()[0].data.tags.get("waits_for_masks") is None
    rounds = pd.read_csv(RESULTS / "hand_rounds.csv")
    assert rounds["labels"].tolist() == [6, 8]


def test_a_mask_drawn_on_the_page_is_learnt_from_in_the_next_round(hands: Run, tmp_path: Path) -> None:
    (tmp_path / "masks").mkdir()
    folders = {"hand_masks": str(tmp_path / "masks"), "hand_queue": str(tmp_path / "queue")}
    settings = {"hand_active_learning": {"oracle": "folder", "query": {"labels": 7, "per_round": 1}}}
    queue = AnnotationQueue(tmp_path / "queue", {"hand": 1}, check_hand)
    with pytest.raises(SystemExit), session_with(folders | settings) as session:
        session.run(pipeline_names=["hand_active_learning"])
    _answer(queue)
    with pytest.raises(SystemExit), session_with(folders | settings) as session:
        session.run(pipeline_names=["hand_active_learning"])
    (key,) = queue.open_ids
    truth = _true_hand(key)
    with chromium() as browser, served(create_app(queue)) as address:
        person = Annotator(browser.new_page(), address, truth.shape).open()
        person.button("Erase all")
        person.press("p")
        person.click(*mask_to_polygons(truth > 0, tolerance_px=1)[0].tolist())
        person.press("Enter", "s")
        person.sees("Saved")
        person.check()
    assert dice(queue.answer(key) > 0, truth > 0) > 0.97
    with session_with(folders | settings) as session:
        session.run(pipeline_names=["hand_active_learning"])
    learnt = json.loads((PROJECT / "data/06_models/test/hand_settings.json").read_text())["labelled"]
    assert len(learnt) == 7
    assert key in learnt


def _true_hand(key: str) -> np.ndarray:
    with Image.open(PROJECT / f"data/01_raw/test/hand_masks/{key}.png") as picture:
        return (np.asarray(picture) > 0).astype(np.uint8)


def _answer(queue: AnnotationQueue) -> None:
    """Draw as a person would who never errs, some in Labelme and some as PNG."""
    for i, key in enumerate(queue.open_ids):
        mask = _true_hand(key)
        if i % 2:
            queue.save_answer(key, mask)
        else:
            text = write_labelme(mask, {"hand": 1}, f"{key}.png", tolerance_px=0.5)
            (queue.folder / "answers" / f"{key}.json").write_text(text)
