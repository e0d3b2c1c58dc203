import numpy as np
import pytest

from boneage_kedro.evaluation.segmentation.class_scores import (
    confusion,
    pixel_scores,
    score_classes,
    score_pooled,
)
from boneage_kedro.evaluation.segmentation.scores import iou, summarise_scores

NAMES = ["radius", "ulna"]
TRUTH = np.array([[0, 0, 1, 1, 1], [0, 2, 2, 0, 1]], np.uint8)
FOUND = np.array([[0, 1, 1, 1, 0], [0, 2, 1, 0, 1]], np.uint8)


def test_scores_by_hand() -> None:
    counts = confusion(FOUND, TRUTH, 3)
    assert counts.tolist() == [[3, 1, 0], [1, 3, 0], [0, 1, 1]]
    scores = pixel_scores(counts, NAMES)
    wanted = {
        "precision": {"background": 3 / 4, "radius": 3 / 5, "ulna": 1},
        "recall": {"background": 3 / 4, "radius": 3 / 4, "ulna": 1 / 2},
        "iou": {"background": 3 / 5, "radius": 3 / 6, "ulna": 1 / 2},
    }
    flat = {f"{measure}_{name}": value for measure, named in wanted.items() for name, value in named.items()}
    means = {f"{measure}_overall": sum(named.values()) / 3 for measure, named in wanted.items()}
    assert scores == pytest.approx(flat | means)
    assert scores["iou_radius"] == pytest.approx(iou(FOUND == 1, TRUTH == 1))


def test_what_only_one_of_the_two_has_scores_nothing_and_what_neither_has_is_right() -> None:
    nothing, radius = np.zeros((2, 2), np.uint8), np.array([[1, 0], [0, 0]], np.uint8)
    for found, truth in ((nothing, radius), (radius, nothing)):
        scores = pixel_scores(confusion(found, truth, 3), NAMES)
        assert [scores[f"{measure}_radius"] for measure in ("precision", "recall", "iou")] == [0, 0, 0]
        assert scores["iou_ulna"] == 1


def test_the_papers_overall_is_the_mean_with_the_background() -> None:
    """With a tenth of the picture in either bone, their published IoU allow an overall one of 97% only so."""
    scores = pixel_scores(np.array([[8000, 20, 20], [10, 1000, 0], [20, 0, 1000]]), NAMES)
    assert scores["iou_overall"] > max(scores["iou_radius"], scores["iou_ulna"])


def test_a_row_a_case_and_all_pixels_together() -> None:
    small = np.array([[1, 0]], np.uint8)
    truth, found = {"a": TRUTH, "b": small}, {"a": FOUND, "b": small, "c": small}
    table = score_classes(found, truth, NAMES)
    assert table["id"].tolist() == ["a", "b"]
    assert table["iou_radius"].tolist() == pytest.approx([3 / 6, 1])
    assert summarise_scores(table, 0).set_index("measure")["mean"]["iou_radius"] == pytest.approx(0.75)
    assert score_pooled(found, truth, NAMES)["iou_radius"] == pytest.approx(4 / 7)


def test_masks_that_cannot_be_compared_are_refused_by_case() -> None:
    with pytest.raises(ValueError, match=r"case a: the predicted mask is \(2, 4\), the truth \(2, 5\)"):
        score_classes({"a": FOUND[:, 1:]}, {"a": TRUTH}, NAMES)
    with pytest.raises(ValueError, match="case a: the masks hold code 2, but there are 2 classes"):
        score_pooled({"a": FOUND}, {"a": TRUTH}, ["radius"])
    with pytest.raises(LookupError, match=r"1 of 1 cases have no predicted mask, such as \['a'\]"):
        score_classes({}, {"a": TRUTH}, NAMES)
    with pytest.raises(ValueError, match="there is no case to score"):
        score_pooled({}, {}, NAMES)
