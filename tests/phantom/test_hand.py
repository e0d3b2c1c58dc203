"""The finished radiograph against its truth."""

import json
import subprocess
import sys
from dataclasses import replace

import cv2
import numpy as np
import pytest

from boneage_kedro.cohort.sex import Sex
from boneage_kedro.phantom import (
    BONES,
    JOINTS,
    Bone,
    Nuisance,
    Phantom,
    contact_sheet,
    draw_nuisance,
    fabricate_hand,
)
from boneage_kedro.phantom.bones import LONG_BONES

CLEAN = Nuisance.none()


def clean(years: float, sex: Sex = Sex.MALE, seed: int = 5, size_px: int = 384) -> Phantom:
    return fabricate_hand(12 * years, sex, seed, size_px, CLEAN)


def codes(hand: Phantom) -> set[int]:
    return set(np.unique(hand.bones).tolist()) - {0}


def test_shapes_and_types() -> None:
    hand = fabricate_hand(100, Sex.FEMALE, 1)
    assert max(hand.image.shape) == 512
    assert hand.image.dtype == hand.bones.dtype == np.uint8
    assert hand.hand_mask.dtype == bool
    assert hand.image.shape == hand.bones.shape == hand.hand_mask.shape
    assert hand.joints.shape == (len(JOINTS), 2) == (21, 2)
    assert hand.joints.dtype == np.float32
    assert (hand.age_months, hand.sex) == (100, Sex.FEMALE)
    assert codes(hand) <= set(BONES)


def test_same_seed_same_pixels_whatever_ran_before() -> None:
    first = fabricate_hand(90, Sex.MALE, 11, 256)
    fabricate_hand(30, Sex.FEMALE, 12, 256)
    np.random.default_rng(0).random(5)
    again = fabricate_hand(90, Sex.MALE, 11, 256)
    np.testing.assert_array_equal(first.image, again.image)
    np.testing.assert_array_equal(first.bones, again.bones)
    assert first.nuisance == again.nuisance
    assert not np.array_equal(first.joints, fabricate_hand(90, Sex.MALE, 12, 256).joints)


def test_same_pixels_in_another_process() -> None:
    script = (
        "import hashlib\nfrom boneage_kedro.cohort.sex import Sex\nfrom boneage_kedro.phantom import fabricate_hand\n"
        "print(hashlib.sha256(fabricate_hand(90, Sex.MALE, 11, 128).image.tobytes()).hexdigest())"
    )
    runs = {
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    }
    assert len(runs) == 1


def test_nuisance_does_not_change_the_child() -> None:
    plain = fabricate_hand(90, Sex.MALE, 11, 256, CLEAN)
    disturbed = fabricate_hand(
        90, Sex.MALE, 11, 256, replace(CLEAN, exposure=0.5, noise=0.05, black=60.0, marker=True)
    )
    np.testing.assert_array_equal(plain.bones, disturbed.bones)
    assert not np.array_equal(plain.image, disturbed.image)


@pytest.mark.parametrize("sex", list(Sex))
def test_half_year_old_has_two_carpals_and_no_epiphysis(sex: Sex) -> None:
    found = codes(clean(0.5, sex))
    assert {Bone.CAPITATE, Bone.HAMATE} <= found
    assert found & set(range(Bone.TRIQUETRUM, Bone.SESAMOID + 1)) == set()
    assert found & {bone.epiphysis for bone in LONG_BONES} == set()


def test_centres_by_age() -> None:
    assert Bone.PISIFORM not in codes(clean(5)) and Bone.ULNA.epiphysis not in codes(clean(5))
    assert {bone.epiphysis for bone in LONG_BONES} <= codes(clean(11))
    assert {Bone.PISIFORM, Bone.SESAMOID} <= codes(clean(14.5))
    grown = codes(clean(18.6))
    assert grown & {bone.epiphysis for bone in LONG_BONES} == set()
    assert grown == set(Bone)


def test_girls_show_more_than_boys_of_their_age() -> None:
    assert codes(clean(5, Sex.FEMALE)) > codes(clean(5, Sex.MALE))
    fused = [len({b.epiphysis for b in LONG_BONES} - codes(clean(15, sex))) for sex in Sex]
    assert fused[0] > fused[1]


def test_a_child_followed_over_the_years_only_gains_bone() -> None:
    hands = [clean(years, Sex.FEMALE, seed=2) for years in (0.5, 2, 4, 6, 8, 10, 12)]
    carpals, caps = (Bone.CAPITATE, Bone.TRAPEZOID), {bone.epiphysis for bone in LONG_BONES}
    share = [np.isin(h.bones, range(carpals[0], carpals[1] + 1)).sum() / h.hand_mask.sum() for h in hands]
    assert np.diff(share).min() > 0
    assert np.diff([len(codes(h) & caps) for h in hands]).min() >= 0


@pytest.mark.parametrize("seed", range(6))
def test_bones_and_joints_lie_within_the_hand(seed: int) -> None:
    hand = fabricate_hand(15 + 36 * seed, Sex.FEMALE, seed, 384)
    bone = hand.bones > 0
    assert (hand.hand_mask & bone).sum() >= 0.999 * bone.sum()
    height, width = hand.image.shape
    assert (hand.joints >= 0).all() and (hand.joints <= [width - 1, height - 1]).all()
    columns, rows = hand.joints.round().astype(int).T
    assert hand.hand_mask[rows, columns].all()


def test_joints_lie_between_their_bones() -> None:
    hand = clean(18.5)
    for name, bones in {
        "middle_finger1": (Bone.METACARPAL_3, Bone.PROXIMAL_3),
        "middle_finger3": (Bone.MIDDLE_3, Bone.DISTAL_3),
        "thumb2": (Bone.METACARPAL_1, Bone.PROXIMAL_1),
    }.items():
        x, y = hand.joints[JOINTS.index(name)].round().astype(int)
        length = np.linalg.norm(hand.joints[12] - hand.joints[0])
        for bone in bones:
            away = cv2.distanceTransform((hand.bones != bone.value).astype(np.uint8), cv2.DIST_L2, 5)
            assert away[y, x] < 0.03 * length


def test_masks_end_where_the_exposed_field_ends() -> None:
    frame = {"frame_left": 0.1, "frame_bottom": 0.15, "frame_deg": 6.0, "frame_level": 1.0}
    whole = fabricate_hand(110, Sex.MALE, 3, 256, CLEAN)
    framed = fabricate_hand(110, Sex.MALE, 3, 256, replace(CLEAN, **frame))
    outside = framed.image == 255
    assert outside[-20:].all()
    assert not (framed.hand_mask & outside).any() and not (framed.bones.astype(bool) & outside).any()
    assert whole.hand_mask[-1].any() and {Bone.RADIUS, Bone.ULNA} <= codes(framed)


def test_mirrored_picture_is_the_flipped_one() -> None:
    plain = fabricate_hand(70, Sex.MALE, 3, 256, CLEAN)
    mirrored = fabricate_hand(70, Sex.MALE, 3, 256, replace(CLEAN, mirrored=True))
    for name in ("image", "hand_mask", "bones"):
        np.testing.assert_array_equal(getattr(mirrored, name), getattr(plain, name)[:, ::-1])
    np.testing.assert_allclose(
        mirrored.joints[:, 0], plain.image.shape[1] - 1 - plain.joints[:, 0], rtol=1e-5
    )


def test_left_hand_shows_its_thumb_on_the_right() -> None:
    hand = clean(8)
    assert hand.joints[JOINTS.index("thumb4"), 0] > hand.joints[JOINTS.index("pinky_finger4"), 0]
    assert hand.joints[JOINTS.index("middle_finger4"), 1] < hand.joints[0, 1]


def test_rotation_is_clockwise() -> None:
    def axis(degrees: float) -> float:
        hand = fabricate_hand(100, Sex.MALE, 3, 256, replace(CLEAN, rotation_deg=degrees))
        x, y = hand.joints[9] - hand.joints[0]
        return float(np.degrees(np.arctan2(x, -y)))

    assert axis(20.0) - axis(0.0) == pytest.approx(20, abs=0.01)


def test_inverted_picture_is_the_negative() -> None:
    plain = fabricate_hand(70, Sex.MALE, 3, 256, CLEAN)
    negative = fabricate_hand(70, Sex.MALE, 3, 256, replace(CLEAN, inverted=True))
    np.testing.assert_array_equal(negative.image, 255 - plain.image)


@pytest.mark.parametrize("years", [0.5, 4, 9, 13, 18])
def test_bone_is_brighter_than_flesh_is_brighter_than_air(years: float) -> None:
    hand = clean(years)
    bone = hand.bones > 0
    air, flesh = hand.image[~hand.hand_mask].mean(), hand.image[hand.hand_mask & ~bone].mean()
    assert air + 15 < flesh
    assert flesh + 25 < hand.image[bone].mean()
    assert air < 30


def test_open_plate_is_darker_than_its_bone_and_gone_when_fused() -> None:
    def plate_contrast(years: float) -> float:
        """Bone over its darkest pixel, on columns across the middle of the radius' end."""
        hand = clean(years, size_px=768)
        rows, columns = np.nonzero(np.isin(hand.bones, [Bone.RADIUS, Bone.RADIUS.epiphysis]))
        top = int(rows.min())
        length = int(0.2 * np.linalg.norm(hand.joints[9] - hand.joints[0]))
        middle = int(np.median(columns[rows < top + length]))
        contrasts = []
        for column in range(middle - 8, middle + 9):
            first = int(rows[columns == column].min()) + 6  # beyond the cortex
            line = hand.image[first : top + length, column]
            contrasts.append(np.median(line) / line.min())
        return float(np.median(contrasts))

    assert plate_contrast(11) > 1.2
    assert plate_contrast(18.9) < 1.1


@pytest.mark.parametrize("age", [0, 0.5, 229, -3, float("nan")])
def test_age_out_of_range(age: float) -> None:
    with pytest.raises(ValueError, match=r"age_months is .*covers 1 to 228 months"):
        fabricate_hand(age, Sex.MALE, 0)


@pytest.mark.parametrize("size_px", [0, 63, 5000])
def test_size_out_of_range(size_px: int) -> None:
    with pytest.raises(ValueError, match=r"size_px is .*64 to 4096"):
        fabricate_hand(60, Sex.MALE, 0, size_px)


@pytest.mark.parametrize("size_px", [64, 65, 127])
def test_small_and_odd_sizes(size_px: int) -> None:
    hand = fabricate_hand(228, Sex.FEMALE, 4, size_px)
    assert max(hand.image.shape) == size_px
    assert hand.hand_mask.any()


@pytest.mark.parametrize("aspect", [0.6, 1.0, 1.4])
def test_long_side_and_aspect(aspect: float) -> None:
    hand = fabricate_hand(60, Sex.MALE, 4, 200, replace(CLEAN, aspect=aspect))
    height, width = hand.image.shape
    assert max(height, width) == 200
    assert width / height == pytest.approx(aspect, rel=0.01)


def test_nuisance_frequencies_and_sane_gray() -> None:
    rng = np.random.default_rng(0)
    drawn = [draw_nuisance(rng) for _ in range(600)]
    assert 0.02 < np.mean([n.mirrored for n in drawn]) < 0.09
    assert 0.005 < np.mean([n.inverted for n in drawn]) < 0.04
    assert 0.85 < np.mean([n.marker for n in drawn]) < 0.95
    assert json.loads(json.dumps(vars(drawn[0]))) == vars(drawn[0])  # plain values, as they are stored
    upright = [fabricate_hand(120, Sex.MALE, seed, 128) for seed in range(40)]
    means = [hand.image.mean() for hand in upright if not hand.nuisance.inverted]
    assert 15 < np.median(means) < 80
    assert max(means) < 225


@pytest.mark.parametrize(("field", "value"), [("noise", float("nan")), ("exposure", float("inf"))])
def test_nuisance_must_be_finite(field: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"nuisance {field} is .*not a finite number"):
        Nuisance(**{field: value})


def test_nuisance_aspect_must_be_sane() -> None:
    with pytest.raises(ValueError, match=r"nuisance aspect is 0; width over height"):
        Nuisance(aspect=0)


def test_letters_lie_off_the_hand_and_frames_cover_the_rim() -> None:
    plain = clean(9, size_px=512)
    marked = fabricate_hand(108, Sex.MALE, 5, 512, replace(CLEAN, marker=True))
    letters = marked.image.astype(int) - plain.image > 150
    assert letters.sum() > 50
    assert (letters & marked.hand_mask).sum() == 0
    framed = fabricate_hand(108, Sex.MALE, 5, 512, replace(CLEAN, frame_left=0.1, frame_level=1.0))
    assert (framed.image[:, :40] == 255).all()


def test_contact_sheet() -> None:
    hands = [fabricate_hand(age, Sex.FEMALE, 1, 64, CLEAN) for age in (24, 60, 120)]
    sheet = contact_sheet(hands, columns=2, tile_px=64)
    assert sheet.shape == (128, 100)  # 0.78 * 64 = 50 px wide
    assert sheet.dtype == np.uint8
    assert (sheet[64:, 50:] == 40).all()  # the empty fourth tile
    with pytest.raises(ValueError, match="at least one phantom and one column, not 0 and 2"):
        contact_sheet([], 2)
