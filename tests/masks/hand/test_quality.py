import numpy as np
import pandas as pd
import pytest

from boneage_kedro.cohort.sex import Sex
from boneage_kedro.evaluation.figures import worst_first
from boneage_kedro.masks.hand.quality import (
    HandFacts,
    HandLimits,
    describe_hand,
    distrust,
    expected_dice,
    quality_row,
)
from boneage_kedro.phantom import fabricate_hand

LIMITS: HandLimits = {
    "least_area": 0.05,
    "most_area": 0.6,
    "large_part": 0.1,
    "most_contacts": 1,
    "least_contact": 0.02,
    "most_disagreement": 0.5,
    "least_expected_dice": 0.9,
}
GOOD = HandFacts(expected_dice=0.98, area_share=0.3, components=1, contacts=1)


def describe(mask: np.ndarray, limits: HandLimits = LIMITS) -> HandFacts:
    return describe_hand(mask.astype(np.float32), mask, limits)


def test_a_good_hand_of_a_phantom_is_trusted() -> None:
    hand = fabricate_hand(120, Sex.FEMALE, 1, 256).hand_mask
    facts = describe(hand)
    assert facts == (1, pytest.approx(hand.mean()), 1, 1)
    row = quality_row("7", 0.1, facts, LIMITS)
    assert (row["trusted"], row["reason"]) == (True, "")
    assert list(row) == [
        "id", "disagreement", "expected_dice", "area_share", "components", "contacts", "trusted", "reason",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("disagreement", "change", "reason"),
    [
        (0.1, {"area_share": 0.0}, "No hand was found."),
        (0.1, {"area_share": 0.049}, "The hand covers 4.9% of the picture, less than 5%."),
        (0.1, {"area_share": 0.7}, "The hand covers 70.0% of the picture, more than 60%."),
        (0.1, {"components": 2}, "There are 2 large parts."),
        (0.1, {"contacts": 3}, "The hand meets the edge of the picture in 3 places."),
        (0.51, {}, "The committee disagrees by 0.51, more than 0.5."),
        (float("nan"), {}, "The committee disagrees by nan, more than 0.5."),
        (0.1, {"expected_dice": 0.8}, "The committee expects a Dice of 0.800, less than 0.9."),
        (0.1, {"expected_dice": float("nan")}, "The committee expects a Dice of nan, less than 0.9."),
    ],
)
def test_each_reason_is_told(disagreement: float, change: dict[str, float], reason: str) -> None:
    facts = GOOD._replace(**change)
    assert distrust(disagreement, facts, LIMITS) == [reason]


def test_limits_themselves_are_allowed() -> None:
    for share in (0.05, 0.6):
        assert distrust(0.5, HandFacts(0.9, share, 1, 1), LIMITS) == []


def test_all_reasons_are_told_together() -> None:
    row = quality_row("7", 0.9, GOOD._replace(components=2, expected_dice=0.5), LIMITS)
    assert not row["trusted"]
    assert row["reason"] == (
        "There are 2 large parts. The committee disagrees by 0.9, more than 0.5. "
        "The committee expects a Dice of 0.500, less than 0.9."
    )


def test_only_large_components_count() -> None:
    mask = np.zeros((40, 40), bool)
    mask[5:15, 5:15], mask[20:22, 20:25], mask[30:31, 30:39] = True, True, True  # 100, 10 and 9 pixels
    assert describe(mask).components == 2
    assert describe(mask, {**LIMITS, "large_part": 0.05}).components == 3
    assert describe(mask).area_share == pytest.approx(100 / 1600)  # of the largest alone


def test_nothing_and_everything() -> None:
    empty, full = np.zeros((10, 20), bool), np.ones((10, 20), bool)
    assert describe(empty) == (0, 0, 0, 0)
    assert describe(full) == (1, 1, 1, 1)
    assert distrust(0, describe(empty), LIMITS) == ["No hand was found."]
    assert distrust(0, describe(full), LIMITS) == ["The hand covers 100.0% of the picture, more than 60%."]


def edges(*places: tuple[slice | int, slice | int]) -> HandFacts:
    """A cross in the middle with arms to places of the rim of a picture of 50 x 50."""
    mask = np.zeros((50, 50), bool)
    mask[5:45, 5:45] = True
    for place in places:
        mask[place] = True
    return describe(mask)


def test_places_on_the_edge_are_counted_and_a_corner_is_one() -> None:
    bottom = (slice(45, 50), slice(20, 30))
    top, left = (slice(0, 5), slice(20, 24)), (slice(20, 24), slice(0, 5))
    assert edges().contacts == 0
    assert edges(bottom).contacts == 1
    assert edges(bottom, top, left).contacts == 3
    for rows in (slice(0, 12), slice(38, 50)):
        for columns in (slice(0, 12), slice(38, 50)):
            assert edges((rows, columns)).contacts == 1
    assert edges(bottom, (slice(0, 5), 10)).contacts == 2  # 1 px is 0.02 of the longer side
    mask = np.zeros((50, 50), bool)
    mask[:, 20:30] = True
    assert describe(mask, {**LIMITS, "least_contact": 0.21}).contacts == 0
    assert describe(mask, {**LIMITS, "least_contact": 0.2}).contacts == 2


def test_expected_dice_by_hand() -> None:
    probability = np.array([[0.9, 0.6, 0.2, 0.1]])
    mask = probability > 0.5
    assert expected_dice(probability, mask) == pytest.approx(2 * 1.5 / (2 + 1.8))
    assert expected_dice(mask.astype(float), mask) == 1
    assert expected_dice(probability, np.zeros_like(mask)) == 0


def test_foreground_that_the_hand_leaves_out_lowers_the_expected_dice() -> None:
    mask = np.zeros((20, 20), bool)
    mask[2:12, 2:12], mask[15:18, 15:18] = True, True  # 100 and 9 pixels
    assert describe(mask).expected_dice == pytest.approx(2 * 100 / (100 + 109))


def test_worst_first_and_ties_by_id() -> None:
    quality = pd.DataFrame({"id": list("abcd"), "disagreement": [0.1, 0.3, float("nan"), 0.3]})
    assert worst_first(quality, "disagreement", 3)["id"].tolist() == ["c", "b", "d"]
    assert worst_first(quality.iloc[::-1], "disagreement", 9)["id"].tolist() == ["c", "b", "d", "a"]
