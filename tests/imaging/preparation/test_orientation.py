import numpy as np
import pytest

from boneage_kedro.imaging.geometry import UPRIGHT, Pose
from boneage_kedro.imaging.preparation.orientation import decide
from boneage_kedro.imaging.preparation.recognition import (
    APPEARANCES,
    AS_IT_SHOULD,
    POSES,
    VIEW_PX,
    Appearance,
    field_view,
    recognise,
    turned_views,
)
from tests.imaging.drawn_hand import draw_hand

HAND = draw_hand()[::4, ::4].astype(np.float32)
MIRRORED = Appearance(inverted=False, pose=Pose(mirrored=True, quarter_turns=0))
NEGATIVE = Appearance(inverted=True, pose=UPRIGHT)
NEGATIVE_MIRRORED = Appearance(inverted=True, pose=Pose(mirrored=True, quarter_turns=0))
TURNED = Appearance(inverted=False, pose=Pose(mirrored=False, quarter_turns=1))
MIRRORED_AND_TURNED_BACK = Appearance(inverted=False, pose=Pose(mirrored=True, quarter_turns=3))


def probabilities(**shares: float) -> np.ndarray:
    """Shares by the names of the appearances above, the rest for the picture as it should be."""
    values = np.zeros(len(APPEARANCES))
    for name, share in shares.items():
        values[APPEARANCES.index(globals()[name])] = share
    values[APPEARANCES.index(AS_IT_SHOULD)] = 1 - values.sum()
    return values


def test_a_likely_change_is_made_without_a_word():
    assert decide(probabilities(MIRRORED=0.97), 0.95, may_invert=True, may_turn=True) == (MIRRORED, ())
    assert decide(probabilities(NEGATIVE=0.97), 0.95, may_invert=True, may_turn=True) == (NEGATIVE, ())


def test_an_unlikely_change_is_left_with_a_warning():
    appearance, warnings = decide(probabilities(MIRRORED=0.9), 0.95, may_invert=True, may_turn=True)
    assert appearance == AS_IT_SHOULD
    assert warnings[0].startswith("orientation")


def test_a_picture_that_is_right_stays_without_a_warning():
    assert decide(probabilities(MIRRORED=0.4), 0.95, may_invert=True, may_turn=True) == (AS_IT_SHOULD, ())


def test_the_pose_is_judged_within_the_polarity():
    evidence = probabilities(NEGATIVE_MIRRORED=0.955, NEGATIVE=0.02)
    assert decide(evidence, 0.96, may_invert=True, may_turn=True) == (NEGATIVE_MIRRORED, ())


def test_a_hand_is_turned_where_only_its_side_is_unsure():
    evidence = probabilities(TURNED=0.6, MIRRORED_AND_TURNED_BACK=0.39)
    assert decide(evidence, 0.95, may_invert=True, may_turn=True) == (TURNED, ())
    evidence = probabilities(TURNED=0.2, MIRRORED_AND_TURNED_BACK=0.79)
    appearance, warnings = decide(evidence, 0.95, may_invert=True, may_turn=True)
    assert appearance == TURNED
    assert warnings[0].startswith("orientation")
    evidence = probabilities(TURNED=0.01, MIRRORED_AND_TURNED_BACK=0.98)
    assert decide(evidence, 0.95, may_invert=True, may_turn=True) == (MIRRORED_AND_TURNED_BACK, ())


def test_a_turn_that_is_unsure_is_not_made_for_the_sake_of_the_side():
    evidence = probabilities(TURNED=0.5, MIRRORED=0.4)
    assert decide(evidence, 0.95, may_invert=True, may_turn=True)[0] == AS_IT_SHOULD


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_turn_is_backed_by_its_mirror_image_alone(turns: int):
    turned, picture = Pose(mirrored=False, quarter_turns=turns), np.arange(9).reshape(3, 3)
    for other in POSES[4:]:
        evidence = np.zeros(len(APPEARANCES))
        for pose in (turned, other):
            evidence[APPEARANCES.index(Appearance(inverted=False, pose=pose))] = 0.5
        is_mirror_image = np.array_equal(other.apply(picture), turned.apply(picture)[:, ::-1])
        found = decide(evidence, 0.95, may_invert=True, may_turn=True)[0].pose
        assert found == (turned if is_mirror_image else UPRIGHT)


def test_what_is_not_allowed_is_left_with_a_warning():
    appearance, warnings = decide(probabilities(NEGATIVE_MIRRORED=1), 0.95, may_invert=False, may_turn=False)
    assert appearance == AS_IT_SHOULD
    assert [warning.split(":")[0] for warning in warnings] == ["polarity", "orientation"]


@pytest.mark.parametrize("appearance", APPEARANCES)
def test_every_version_of_a_hand_is_recognised(appearance: Appearance):
    undone = np.rot90(HAND, -appearance.pose.quarter_turns)
    undone = undone[:, ::-1] if appearance.pose.mirrored else undone
    found = recognise(np.ascontiguousarray(255 - undone if appearance.inverted else undone))
    assert found.sum() == pytest.approx(1)
    assert APPEARANCES[int(found.argmax())] == appearance


def test_the_evidence_does_not_depend_on_gain_and_offset():
    assert recognise(HAND * 37 + 5000) == pytest.approx(recognise(HAND), abs=1e-3)


@pytest.mark.parametrize("shape", [(1, 1), (96, 2), (2, 96), (40, 40)])
def test_a_constant_field_gives_even_evidence(shape: tuple[int, int]):
    assert recognise(np.full(shape, 3, np.float32)) == pytest.approx(np.full(16, 1 / 16))


def test_a_view_is_square_within_0_and_1_and_normalised_to_unit_variance():
    view = field_view(HAND)
    assert view.shape == (VIEW_PX, VIEW_PX)
    assert 0 <= view.min() < 0.05
    assert 0.95 < view.max() <= 1
    flat = turned_views(view)
    assert flat.mean(axis=1) == pytest.approx(np.zeros(8), abs=1e-5)
    assert flat.std(axis=1) == pytest.approx(np.ones(8), abs=1e-5)
