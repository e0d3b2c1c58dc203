import numpy as np
import pytest

from boneage_kedro.evaluation.segmentation.detection import box_iou, score_boxes, summarise_boxes

NONE = np.full(4, np.nan)
UNIT = np.array([0.0, 0, 1, 1])


@pytest.mark.parametrize(
    ("box", "wanted"),
    [
        ([0.0, 0, 1, 1], 1),
        ([0.5, 0, 1.5, 1], 1 / 3),
        ([0.0, 0, 0.5, 0.5], 0.25),
        ([1.0, 0, 2, 1], 0),
        ([5.0, 5, 6, 6], 0),
        (NONE, 0),
    ],
)
def test_iou_by_hand(box: list[float], wanted: float) -> None:
    assert box_iou(UNIT, np.array(box)) == pytest.approx(wanted)
    assert box_iou(np.array(box), UNIT) == pytest.approx(wanted)


def test_two_empty_answers_agree() -> None:
    assert box_iou(NONE, NONE) == 1
    assert box_iou(np.stack([UNIT, NONE]), np.stack([NONE, NONE])).tolist() == [0, 1]


def test_shares_found_and_false_positives() -> None:
    truth = {"a": UNIT, "b": UNIT, "c": UNIT, "d": UNIT, "e": NONE, "f": NONE}
    found = {
        "a": UNIT,
        "b": np.array([0, 0, 1, 0.6]),
        "c": np.array([0, 0, 1, 0.2]),
        "d": NONE,
        "e": NONE,
        "f": UNIT,
    }
    scores = score_boxes(found, truth, dict.fromkeys(truth, 0.9))
    summary = summarise_boxes(scores, 0).set_index("measure")
    assert summary["cases"].to_dict() == {
        "iou": 4,
        "found_50": 4,
        "found_75": 4,
        "missed": 4,
        "false_positives": 2,
    }
    assert summary["mean"].tolist() == pytest.approx([0.45, 0.5, 0.25, 0.25, 0.5])


def test_a_measure_without_cases_is_nan() -> None:
    scores = score_boxes({"a": UNIT}, {"a": UNIT}, {"a": 1.0})
    row = summarise_boxes(scores, 0).set_index("measure").loc["false_positives"]
    assert row["cases"] == 0 and np.isnan(row["mean"])


def test_a_case_that_was_not_looked_at_is_named() -> None:
    with pytest.raises(LookupError, match=r"1 of 2 cases were not looked at, such as \['b'\]"):
        score_boxes({"a": UNIT}, {"a": UNIT, "b": UNIT}, {"a": 1.0})
