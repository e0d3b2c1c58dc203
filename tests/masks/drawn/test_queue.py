"""The annotation queue: what is asked, what people may put into its folder, and that nothing bad stops the good."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from boneage_kedro.cohort.sex import Sex
from boneage_kedro.evaluation.segmentation.scores import dice
from boneage_kedro.masks.drawn.labelme import write_labelme
from boneage_kedro.masks.drawn.queue import AnnotationQueue
from boneage_kedro.masks.hand.check import check_hand
from boneage_kedro.masks.label_maps import UnusableMask
from boneage_kedro.phantom import Phantom, fabricate_hand

HANDS = {f"h{i}": fabricate_hand(40 + 40 * i, Sex.MALE, i, 200) for i in range(4)}


def codes(hand: Phantom) -> np.ndarray:
    return hand.hand_mask.astype(np.uint8)


def png(pixels: np.ndarray) -> bytes:
    return cv2.imencode(".png", pixels)[1].tobytes()


def labelme(key: str, mask: np.ndarray) -> bytes:
    return write_labelme(mask, {"hand": 1}, f"{key}.png", 0).encode()


def put(queue: AnnotationQueue, name: str, content: bytes) -> None:
    (queue.folder / "answers" / name).write_bytes(content)


def exported(queue: AnnotationQueue, keys: list[str]) -> bytes:
    """What Label Studio exports when nothing was changed in the tasks of these keys."""
    tasks = json.loads((queue.folder / "queue" / "label_studio.json").read_text())
    for task in tasks:
        done = task["data"]["radiograph"] in keys
        result = task["predictions"][0]["result"]
        task["annotations"] = [{"result": result, "was_cancelled": False}] if done else []
    return json.dumps(tasks).encode()


@pytest.fixture
def queue(tmp_path: Path) -> AnnotationQueue:
    queue = AnnotationQueue(tmp_path / "round", {"hand": 1}, check_hand)
    for key in ("h2", "h0", "h3", "h1"):
        queue.ask(key, HANDS[key].image, codes(HANDS[key]))
    queue.finish_asking()
    return queue


def test_what_was_asked_is_in_the_folder(queue: AnnotationQueue) -> None:
    assert queue.ids == queue.open_ids == ["h2", "h0", "h3", "h1"]
    for key in queue.ids:
        assert queue.shape(key) == HANDS[key].image.shape
        picture = cv2.imread(str(queue.picture(key)), cv2.IMREAD_UNCHANGED)
        assert np.array_equal(picture, HANDS[key].image)
        assert dice(queue.proposal(key) == 1, HANDS[key].hand_mask) > 0.98
    tasks = json.loads((queue.folder / "queue" / "label_studio.json").read_text())
    assert tasks[0]["data"]["image"] == "/data/local-files/?d=queue/h2.png"
    assert "<PolygonLabels" in (queue.folder / "queue" / "label_studio.xml").read_text()
    readme = (queue.folder / "README.txt").read_text()
    assert "labelme queue --labels hand" in readme
    assert "0 outside, 255 inside." in readme


def test_an_empty_proposal_is_none(tmp_path: Path) -> None:
    queue = AnnotationQueue(tmp_path, {"hand": 1})
    queue.ask("a b", HANDS["h0"].image, np.zeros_like(HANDS["h0"].image))
    queue.finish_asking()
    assert not (tmp_path / "queue" / "a b.json").exists()
    assert not queue.proposal("a b").any()
    (task,) = json.loads((tmp_path / "queue" / "label_studio.json").read_text())
    assert task == {
        "data": {"image": "/data/local-files/?d=queue/a%20b.png", "radiograph": "a b"},
        "predictions": [],
    }


def test_every_kind_of_answer_goes_in(queue: AnnotationQueue) -> None:
    queue.save_answer("h0", codes(HANDS["h0"]))
    put(queue, "h1.PNG", png(codes(HANDS["h1"])))
    put(queue, "h2.json", labelme("h2", codes(HANDS["h2"])))
    put(queue, "project-1-at-2026.json", exported(queue, ["h3"]))
    masks, problems = queue.answers()
    assert problems == []
    assert sorted(masks) == sorted(HANDS)
    for key in ("h0", "h1", "h2"):
        assert np.array_equal(masks[key], codes(HANDS[key]))
        assert np.array_equal(queue.answer(key), masks[key])
    assert dice(masks["h3"] == 1, HANDS["h3"].hand_mask) > 0.98
    assert queue.open_ids == []


def test_a_saved_answer_can_be_seen(queue: AnnotationQueue) -> None:
    queue.save_answer("h0", codes(HANDS["h0"]))
    content = (queue.folder / "answers" / "h0.png").read_bytes()
    assert set(np.unique(cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED))) == {0, 255}


def test_several_labels_keep_their_codes(tmp_path: Path) -> None:
    queue = AnnotationQueue(tmp_path, {"radius": 1, "ulna": 2})
    mask = np.zeros((40, 50), np.uint8)
    mask[5:30, 5:20], mask[5:30, 25:40] = 1, 2
    for key in ("a", "b", "c"):
        queue.ask(key, np.zeros_like(mask), mask)
    queue.finish_asking()
    queue.save_answer("a", mask)
    put(queue, "b.json", (tmp_path / "queue" / "b.json").read_bytes())
    put(queue, "export.json", exported(queue, ["c"]))
    masks, problems = queue.answers()
    assert problems == []
    assert all(np.array_equal(masks[key], mask) for key in ("a", "b", "c"))
    assert "0 outside, 1 for radius, 2 for ulna." in (tmp_path / "README.txt").read_text()


def bad_answers(queue: AnnotationQueue) -> list[tuple[str, bytes, str]]:
    """Name, content and reason of files that must not get in as answers for h1, or at all."""
    whole, shape = codes(HANDS["h1"]), HANDS["h1"].image.shape
    larger, blank = np.pad(whole, ((0, 0), (0, 3))), np.zeros(shape, np.uint8)
    apart = np.zeros(shape, np.uint8)
    apart[10:90, 10:60], apart[110:150, 10:60] = 1, 1
    return [
        ("h1.png", png(blank), "h1.png: is empty, all of it is background"),
        ("h1.png", png(blank + 255), "h1.png: is of one class, code 1 everywhere"),
        ("h1.png", png(larger), f"h1.png: is {shape[1] + 3} x {shape[0]} pixels, but its radiograph is"),
        ("h1.png", png(whole * 7), "h1.png: holds the codes [7], but there are 2 classes"),
        ("h1.png", png(np.dstack([whole] * 3)), "h1.png: is in colour"),
        ("h1.png", png(whole)[:-30], "h1.png: the PNG file is cut short"),
        ("h1.png", b"", "h1.png: is not a PNG file"),
        ("h1.png", png(apart), "h1.png: has two hands: parts of 4000 and 2000 pixels"),
        ("h1.json", labelme("h1", apart), "h1.json: has two hands: parts of 4000 and 2000 pixels"),
        ("h1.json", labelme("h0", whole), "h1.json: is of picture h0.png, not of h1"),
        ("h1.json", labelme("h1", larger), "h1.json: is drawn on a picture of"),
        ("h1.json", labelme("h1", blank), "h1.json: has no shapes; draw one of hand"),
        ("h1.json", labelme("h1", blank + 1), "h1.json: is of one class, code 1 everywhere"),
        ("h1.json", labelme("h1", whole)[:-99], "h1.json: is not JSON, or was cut short"),
        ("h9.png", png(whole), "h9.png: no picture 'h9' was asked for; name the answer after its picture"),
        ("h9.json", labelme("h9", whole), "h9.json: is not a list of tasks"),
        ("h9.json", b"{", "h9.json: is not JSON, or was cut short"),
        ("h1.jpg", cv2.imencode(".jpg", whole)[1].tobytes(), "h1.jpg: is neither PNG nor JSON"),
        (
            "e.json",
            exported(queue, ["h1"]).replace(b"original_width", b"w"),
            "e.json, task of h1: is drawn on a",
        ),
        ("e.json", exported(queue, ["h1"]).replace(b'"h1"', b'"h9"'), "e.json, task of h9: no picture 'h9'"),
    ]


def test_each_bad_answer_is_named_and_the_good_ones_go_in(queue: AnnotationQueue) -> None:
    queue.save_answer("h0", codes(HANDS["h0"]))
    for name, content, reason in bad_answers(queue):
        put(queue, name, content)
        masks, (problem,) = queue.answers()
        assert list(masks) == ["h0"], name
        assert problem.file == name
        assert problem.reason.startswith(reason)
        assert queue.open_ids == ["h2", "h3", "h1"]
        (queue.folder / "answers" / name).unlink()


def test_why_an_answer_is_not_usable(queue: AnnotationQueue) -> None:
    with pytest.raises(KeyError, match="h1: not answered yet"):
        queue.answer("h1")
    put(queue, "h1.png", b"")
    put(queue, "h1.json", b"")
    with pytest.raises(UnusableMask, match=r"h1\.png: is not a PNG file.*\nh1\.json: is not JSON"):
        queue.answer("h1")


def test_what_cannot_be_read_as_a_file_is_named(queue: AnnotationQueue) -> None:
    (queue.folder / "answers" / "h1.png").mkdir()
    masks, (problem,) = queue.answers()
    assert (masks, problem.file, problem.id) == ({}, "h1.png", "h1")
    assert "see that it is a file that can be read" in problem.reason


def test_hidden_files_and_drafts_are_passed_over(queue: AnnotationQueue) -> None:
    put(queue, ".DS_Store", b"x")
    put(queue, "h1.png.draft", b"half of a mask")
    assert queue.answers() == ({}, [])


def test_of_several_answers_one_counts_and_the_others_are_told(queue: AnnotationQueue) -> None:
    put(queue, "h1.json", labelme("h1", codes(HANDS["h1"])))
    put(queue, "a.json", exported(queue, ["h1"]))
    drawn = codes(HANDS["h1"])
    drawn[0] = 0
    drawn[60:64, 60:64] ^= 1
    queue.save_answer("h1", drawn)
    masks, problems = queue.answers()
    assert np.array_equal(masks["h1"], drawn)
    assert [(problem.file, problem.id) for problem in problems] == [("h1.json", "h1"), ("a.json", "h1")]
    assert problems[0].reason == "h1.json: is a second answer for h1; h1.png counts, remove one of them"


def test_a_bad_answer_does_not_hide_a_good_one(queue: AnnotationQueue) -> None:
    put(queue, "h1.png", b"")
    put(queue, "h1.json", labelme("h1", codes(HANDS["h1"])))
    masks, (problem,) = queue.answers()
    assert np.array_equal(masks["h1"], codes(HANDS["h1"]))
    assert problem.file == "h1.png"
    assert "h1" not in queue.open_ids


def test_saving_refuses_what_reading_would(queue: AnnotationQueue) -> None:
    good, shape = codes(HANDS["h1"]), HANDS["h1"].image.shape
    queue.save_answer("h1", good)
    apart = np.zeros(shape, np.uint8)
    apart[10:90, 10:60], apart[110:150, 10:60] = 1, 1
    for mask, reason in [
        (np.zeros(shape, np.uint8), r"h1\.png: is empty"),
        (good[1:], r"h1\.png: is .* pixels, but its radiograph is"),
        (good * 2, r"h1\.png: holds the codes \[2\]"),
        (apart, r"h1\.png: has two hands"),
    ]:
        with pytest.raises(UnusableMask, match=reason):
            queue.save_answer("h1", mask)
    assert np.array_equal(queue.answer("h1"), good)
    with pytest.raises(KeyError, match="h9"):
        queue.save_answer("h9", good)


def test_asking_again_leaves_the_work_of_a_person_alone(queue: AnnotationQueue) -> None:
    queue.save_answer("h0", codes(HANDS["h0"]))
    begun = labelme("h1", codes(HANDS["h1"]) * (np.arange(200)[: HANDS["h1"].image.shape[0], None] > 90))
    (queue.folder / "queue" / "h1.json").write_bytes(begun)
    for key in queue.ids:
        queue.ask(key, HANDS[key].image, np.zeros_like(HANDS[key].image))
    queue.finish_asking()
    assert (queue.folder / "queue" / "h1.json").read_bytes() == begun
    assert np.array_equal(queue.answer("h0"), codes(HANDS["h0"]))
    assert queue.ids == ["h2", "h0", "h3", "h1"]


def test_something_odd_saved_in_the_queue_does_not_stop_the_asking(queue: AnnotationQueue) -> None:
    (queue.folder / "queue" / "h1.json").write_bytes(b"{")
    queue.finish_asking()
    tasks = json.loads((queue.folder / "queue" / "label_studio.json").read_text())
    assert [len(task["predictions"]) for task in tasks] == [1, 1, 1, 0]
    with pytest.raises(UnusableMask, match=r"h1\.json: is not JSON"):
        queue.proposal("h1")


def test_what_is_dropped_still_counts(queue: AnnotationQueue) -> None:
    queue.save_answer("h0", codes(HANDS["h0"]))
    queue.drop("h0")
    again = AnnotationQueue(queue.folder, {"hand": 1}, check_hand)
    assert again.ids == again.open_ids == ["h2", "h3", "h1"]
    assert not again.picture("h0").exists()
    assert np.array_equal(again.answers()[0]["h0"], codes(HANDS["h0"]))
    again.ask("h0", HANDS["h0"].image, codes(HANDS["h0"]))
    assert again.ids == ["h2", "h3", "h1", "h0"]
    assert again.open_ids == ["h2", "h3", "h1"]


def test_a_queue_without_a_folder_is_empty(tmp_path: Path) -> None:
    queue = AnnotationQueue(tmp_path / "none", {"hand": 1})
    assert (queue.ids, queue.open_ids, queue.answers()) == ([], [], ({}, []))
    for ask in (queue.shape, queue.picture, queue.proposal, queue.answer, queue.drop):
        with pytest.raises(KeyError, match="h0"):
            ask("h0")
    queue.finish_asking()
    assert not list((tmp_path / "none" / "queue").glob("*.png"))


def test_a_kill_while_asking_leaves_no_half_of_a_question(queue: AnnotationQueue, monkeypatch: Any) -> None:
    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("boneage_kedro.masks.drawn.queue.replace_bytes", killed)
        with pytest.raises(KeyboardInterrupt):
            queue.ask("new", HANDS["h0"].image, codes(HANDS["h0"]))
    assert "new" not in queue.ids
    queue.ask("new", HANDS["h0"].image, codes(HANDS["h0"]))
    assert queue.ids[-1] == "new"


@pytest.mark.parametrize(
    "key",
    [
        "",
        ".",
        "..",
        "../x",
        "a/b",
        "a\\b",
        "/etc/passwd",
        "..\\x",
        ".hidden",
        "a\0b",
        "a\nb",
        " a",
        "label_studio",
    ],
)
def test_ids_that_would_lead_elsewhere_are_refused(queue: AnnotationQueue, key: str) -> None:
    before = sorted(queue.folder.parent.rglob("*"))
    with pytest.raises(ValueError, match="cannot name a file of the queue"):
        queue.ask(key, HANDS["h0"].image, codes(HANDS["h0"]))
    with pytest.raises(KeyError):
        queue.save_answer(key, codes(HANDS["h0"]))
    assert sorted(queue.folder.parent.rglob("*")) == before


def test_arrays_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    queue, image = AnnotationQueue(tmp_path, {"hand": 1}), HANDS["h0"].image
    for picture, proposal, reason in [
        (image, codes(HANDS["h0"])[1:], "must be of one shape and of uint8"),
        (image.astype(np.float32), codes(HANDS["h0"]), "must be of one shape and of uint8"),
        (image, HANDS["h0"].hand_mask, "must be of one shape and of uint8"),
        (image, codes(HANDS["h0"]) * 2, "the proposal has the code 2, which has no label"),
    ]:
        with pytest.raises(ValueError, match=f"h0.*{reason}"):
            queue.ask("h0", picture, proposal)
    assert queue.ids == []


@pytest.mark.parametrize("labels", [{"hand": 2}, {"a": 1, "b": 1}, {"background": 0, "hand": 1}])
def test_codes_without_an_order_are_refused(tmp_path: Path, labels: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="give them the codes 1 to"):
        AnnotationQueue(tmp_path, labels)


def test_one_hand_may_have_crumbs_and_two_may_not_be_of_one_size() -> None:
    mask = np.zeros((100, 100), np.uint8)
    mask[:40, :50] = 1  # 2000 pixels
    check_hand(mask)
    mask[60:80, :20] = 1  # 400
    check_hand(mask)
    mask[60:80, 40:65] = 1  # 500, a quarter
    with pytest.raises(UnusableMask, match="has two hands: parts of 2000 and 500 pixels"):
        check_hand(mask)
