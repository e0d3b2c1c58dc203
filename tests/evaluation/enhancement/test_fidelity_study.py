"""The study of the guard: phantoms as the store of hands has them, limits, and rates."""

import numpy as np
import pandas as pd
import pytest

from boneage_kedro.cohort.sex import Sex
from boneage_kedro.evaluation.enhancement.cut_phantom import cut_phantom
from boneage_kedro.evaluation.enhancement.fidelity import Fidelity
from boneage_kedro.evaluation.enhancement.fidelity_study import (
    FidelityStudy,
    calibrate,
    detection_table,
    halves,
    score_honest,
    score_phantom,
)
from boneage_kedro.evaluation.enhancement.honest_changes import HONEST, enhance_honestly
from boneage_kedro.phantom import Nuisance, Phantom, fabricate_hand
from tests.evaluation.enhancement.test_fidelity import LIMITS, SETTINGS

FALSE_ALARMS = 0.5
STUDY: FidelityStudy = {
    "input_px": 128,
    "margin": 0.04,
    "plates": [4],
    "carpal_sizes": [0.5],
    "shifts": [0.016],
    "visible_contrast": 0.25,
    "visible_spot": 6e-5,
    "seed": 3,
}
GOOD = Fidelity(0.1, 0.05, 0.1, 0.99, 0.01, 0.99, 0.01, 0.99, 0.9)


def child(nuisance: Nuisance | None = None) -> Phantom:
    return fabricate_hand(50, Sex.FEMALE, 3, 256, nuisance or Nuisance())


def scores() -> pd.DataFrame:
    """Two phantoms: honest pictures with changes 0.1 and 0.3, a clear lie each, and one that nobody sees."""
    rows = [
        ("honest", "gamma", True, 0.1),
        ("honest", "clahe", True, 0.3),
        ("invention", "carpal", True, 0.6),
        ("invention", "carpal", False, 0.0),
    ]
    return pd.DataFrame(
        {"phantom": phantom, "kind": kind, "name": name, "enhanced_by": name, "visible": visible}
        | GOOD._replace(fine_change=change, broad_change=change / 2)._asdict()
        for phantom in (0, 1)
        for kind, name, visible, change in rows
    )


def test_a_cut_phantom_fills_a_square_and_its_truth_goes_with_it() -> None:
    whole = child()
    cut = cut_phantom(whole, 0.04, 128)
    assert cut.image.shape == cut.bones.shape == cut.hand_mask.shape == (128, 128)
    assert not cut.image[~cut.hand_mask].any()
    assert set(np.unique(cut.bones)) <= set(np.unique(whole.bones))
    rows = np.flatnonzero(cut.hand_mask.any(1))
    assert np.ptp(rows) > 0.9 * 128
    for joint, point in zip(whole.joints, cut.joints, strict=True):
        here, there = (round(float(value)) for value in joint), (round(float(value)) for value in point)
        (x, y), (column, row) = here, there
        assert whole.hand_mask[y, x] == cut.hand_mask[row, column]


def test_a_negative_is_cut_with_bright_bones() -> None:
    upright, negative = (cut_phantom(child(Nuisance(inverted=flag)), 0.04, 128) for flag in (False, True))
    np.testing.assert_array_equal(upright.image, negative.image)


def test_every_change_is_scored_and_the_seed_decides() -> None:
    table = score_phantom(0, child(), SETTINGS, STUDY, {})
    assert list(table["name"][:10]) == list(HONEST)
    assert len(table) == len(HONEST) + 4
    assert table.loc[table["kind"] == "invention", "visible"].all()
    pd.testing.assert_frame_equal(table, score_phantom(0, child(), SETTINGS, STUDY, {}))
    other = score_phantom(0, child(), SETTINGS, {**STUDY, "seed": 4}, {})
    assert not other["fine_change"].equals(table["fine_change"])


def test_lies_are_planted_in_what_each_enhancer_makes() -> None:
    brighter = {"brighter": lambda image, inside: np.clip(image + np.float32(0.1), 0, 1) * inside}
    table = score_phantom(0, child(), SETTINGS, STUDY, brighter)
    (made,) = table[table["kind"] == "enhancer"].to_dict("records")
    assert (made["name"], made["enhanced_by"], made["visible"]) == ("brighter", "brighter", True)
    lies = table[table["kind"] == "invention"].set_index(["name", "enhanced_by"])
    assert lies.loc["carpal erased"].index.tolist() == ["combined", "brighter"]
    assert (lies["fine_change"].xs("brighter", level=1) > made["fine_change"]).all()
    rates = detection_table(table, LIMITS).set_index(["kind", "enhanced_by"])
    assert rates.loc[("enhancer", "brighter"), "fired"] == 0


def test_pictures_without_truth_are_scored_after_honest_changes_only() -> None:
    hand = cut_phantom(child(), 0.04, 128)
    pictures = {"a": (hand.image.astype(np.float32) / 255, hand.hand_mask)}
    table = score_honest(pictures, SETTINGS, 3)
    assert list(table["name"]) == list(HONEST)
    assert set(table["kind"]) == {"honest"}
    assert calibrate(table, FALSE_ALARMS, LIMITS)["least_structure"] == LIMITS["least_structure"]


def test_limits_lie_where_they_fire_as_often_as_allowed() -> None:
    limits = calibrate(scores(), FALSE_ALARMS, LIMITS)
    # half of the false alarms each: the upper quarter of 0.1, 0.1, 0.3, 0.3
    assert limits["most_fine_change"] == pytest.approx(0.3)
    assert limits["most_broad_change"] == pytest.approx(0.15)


def test_rates_by_hand() -> None:
    limits = {**LIMITS, "most_fine_change": 0.2, "most_broad_change": 1.0}
    table = detection_table(scores(), limits).set_index("name")
    assert table["pictures"].to_dict() == {"gamma": 2, "clahe": 2, "carpal": 2}
    assert table["fired"].to_dict() == {"gamma": 0, "clahe": 1, "carpal": 1}
    assert table.loc["carpal", "auc"] == 1
    assert np.isnan(table.loc["clahe", "auc"])


def test_a_lie_that_changes_as_much_as_an_honest_picture_counts_half() -> None:
    same = scores()
    same.loc[same["kind"] == "invention", ["fine_change", "broad_change"]] = [0.3, 0.15]
    assert detection_table(same, LIMITS).set_index("name").loc["carpal", "auc"] == pytest.approx(0.75)


def test_no_phantom_is_in_both_halves() -> None:
    first, second = halves(scores())
    assert set(first["phantom"]) == {0}
    assert set(second["phantom"]) == {1}


@pytest.mark.parametrize("kind", HONEST)
def test_honest_changes_keep_the_range_and_the_background(kind: str) -> None:
    hand = cut_phantom(child(), 0.04, 128)
    original = hand.image.astype(np.float32) / 255
    changed, again = (
        enhance_honestly(kind, original, hand.hand_mask, np.random.default_rng(5)) for _ in range(2)
    )
    np.testing.assert_array_equal(changed, again)
    assert changed.dtype == np.float32
    assert 0 <= changed.min() <= changed.max() <= 1
    assert not changed[~hand.hand_mask].any()
    assert not np.array_equal(changed, original)
