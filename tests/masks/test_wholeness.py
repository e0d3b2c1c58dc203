import cv2
import numpy as np
import pytest

from boneage_kedro.masks.wholeness import WholeLimits, cut_share, missing_parts
from boneage_kedro.phantom import Nuisance, fabricate_hand

LIMITS: WholeLimits = {"second_hand": 0.25, "widest_cut": 0.95}


def palm_and_forearm() -> np.ndarray:
    """A palm of 61 pixels across above a forearm 30 wide that leaves the picture below."""
    hand = np.zeros((160, 120), np.uint8)
    cv2.circle(hand, (60, 60), 30, 1, -1)
    hand[60:, 45:75] = 1
    return hand.astype(bool)


def test_the_cut_by_hand() -> None:
    assert cut_share(palm_and_forearm()) == pytest.approx(30 / 61, abs=0.02)
    assert cut_share(palm_and_forearm()[:61]) == pytest.approx(1, abs=0.03)  # through the middle of the palm
    assert cut_share(np.pad(palm_and_forearm()[:, 10:], ((0, 9), (0, 0)))) == 0
    assert cut_share(np.zeros((4, 4), bool)) == 0


@pytest.mark.parametrize("turns", range(4))
def test_the_direction_does_not_matter(turns: int) -> None:
    assert cut_share(np.rot90(palm_and_forearm(), turns)) == pytest.approx(cut_share(palm_and_forearm()))


def test_a_whole_hand_has_no_reasons_and_each_fault_has_its_own() -> None:
    hand = palm_and_forearm()
    assert missing_parts(hand, LIMITS) == []
    assert missing_parts(np.zeros((9, 9), bool), LIMITS) == ["No hand was found."]
    (second,) = missing_parts(np.hstack([hand, hand]), LIMITS)
    assert "second hand" in second
    (cut,) = missing_parts(hand[:65], LIMITS)
    assert "1.0 times as wide as its palm, so the wrist is cut off" in cut


def test_a_letter_is_no_second_hand() -> None:
    hand = palm_and_forearm()
    hand[5:20, 5:12] = True
    assert missing_parts(hand, LIMITS) == []


@pytest.mark.parametrize("age", [14, 60, 120, 200])
def test_phantoms_are_whole_until_their_wrist_goes(age: int) -> None:
    hand = fabricate_hand(age, "F", seed=age, size_px=200, nuisance=Nuisance.none())
    wrist = round(float(hand.joints[0, 1]))
    assert missing_parts(hand.hand_mask, LIMITS) == []
    assert missing_parts(hand.hand_mask[: round(0.78 * wrist)], LIMITS) != []
