import cv2
import numpy as np
import pytest

from boneage_kedro.masks.wrist import cut_share, wrist_doubt
from boneage_kedro.phantom import Nuisance, fabricate_hand

WIDEST_CUT = 0.95


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


def test_a_whole_hand_raises_no_doubt_and_a_cut_one_does() -> None:
    assert wrist_doubt(palm_and_forearm(), WIDEST_CUT) == ""
    doubt = wrist_doubt(palm_and_forearm()[:65], WIDEST_CUT)
    assert "1.0 times as wide as its palm, so the wrist is cut off" in doubt


@pytest.mark.parametrize("age", [14, 60, 120, 200])
def test_phantoms_are_whole_until_their_wrist_goes(age: int) -> None:
    hand = fabricate_hand(age, "F", seed=age, size_px=200, nuisance=Nuisance.none())
    wrist = round(float(hand.joints[0, 1]))
    assert wrist_doubt(hand.hand_mask, WIDEST_CUT) == ""
    assert wrist_doubt(hand.hand_mask[: round(0.78 * wrist)], WIDEST_CUT) != ""
