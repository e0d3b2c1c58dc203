"""One radiograph with its truth, from age, sex and seed."""

from dataclasses import dataclass

import cv2
import numpy as np

from boneage_kedro.cohort.sex import Sex
from boneage_kedro.phantom.bones import ROUND_BONES, Bone
from boneage_kedro.phantom.canvas import Canvas, View
from boneage_kedro.phantom.film import SOFT_TISSUE_PER_MM, digitise, expose, field_box, field_of_view
from boneage_kedro.phantom.long_bone import draw_long_bone
from boneage_kedro.phantom.marker import lay_marker
from boneage_kedro.phantom.maturity import draw_variation, growth, shaft_maturity, stage
from boneage_kedro.phantom.nuisance import Nuisance, draw_nuisance
from boneage_kedro.phantom.round_bone import carpal_centre, draw_round_bone
from boneage_kedro.phantom.section import BoneState
from boneage_kedro.phantom.skeleton import Skeleton, heading, palm_breadth, pose_hand
from boneage_kedro.phantom.soft_tissue import wrap

MIN_AGE_MONTHS, MAX_AGE_MONTHS = 1.0, 228.0
MIN_SIZE_PX, MAX_SIZE_PX = 64, 4096

# Length from wrist to middle fingertip as part of the picture's height, over age in months.
USUAL_SHARE = ([0, 36, 72, 120, 168, 216], [0.43, 0.49, 0.55, 0.6, 0.63, 0.65])
USUAL_MIDDLE = 0.44  # height of the middle of that line, part of the picture's height from the top
MARGIN_MM = 9.0  # kept free between the joints and the edge of the field, adult millimetres
SIZE_SD = 0.04
WIDTH_SD = 0.05
TRABECULA_MM = 0.28
TRABECULA_STRETCH = 2.0  # along the picture's height, as the hand mostly lies
TEXTURE_SD = 0.24
SOFTER_BEAM = 0.6  # smaller hands are taken with a softer beam: attenuation goes with size to the power -0.6
# Later bones lie on top in the map: carpals over long bones, pisiform over carpals, an epiphysis over its own shaft.
DRAWING_ORDER = (Bone.RADIUS, Bone.ULNA, *(bone for bone in Bone if bone <= Bone.DISTAL_5), *ROUND_BONES)


@dataclass(frozen=True)
class Phantom:
    """A fabricated radiograph and what is true of it.

    Attributes:
        image: (H, W) uint8.
        age_months, sex: as asked for; the bone age is `age_months`.
        hand_mask: (H, W) bool, hand and forearm within the skin, as far as the exposed field shows them.
        bones: (H, W) uint8, codes of `BONES` within the field, 0 background. Where bones overlap the map shows the
            carpal before the long bone, the pisiform before other carpals and an epiphysis before its own shaft.
        joints: (21, 2) float32, x y in pixels, in the order of `skeleton.JOINTS`.
        nuisance: what disturbs the picture.
    """

    image: np.ndarray
    age_months: float
    sex: Sex
    hand_mask: np.ndarray
    bones: np.ndarray
    joints: np.ndarray
    nuisance: Nuisance


def fabricate_hand(
    age_months: float, sex: Sex, seed: int, size_px: int = 512, nuisance: Nuisance | None = None
) -> Phantom:
    """Make the radiograph of one left hand; the same arguments give the same pixels.

    Args:
        age_months: bone age, 1 to 228.
        sex: girls mature earlier.
        seed: of the child and of the picture's noise. Pose and build do not depend on age or nuisance, so one seed
            followed over ages is one child growing up.
        size_px: long side of the picture, 64 to 4096.
        nuisance: what disturbs the picture; drawn from the seed if None.

    Raises:
        ValueError: age or size out of range.
    """
    _check(age_months, size_px)
    anatomy, disturbance, film_noise, letters = (
        np.random.default_rng(part) for part in np.random.SeedSequence(seed).spawn(4)
    )
    nuisance = draw_nuisance(disturbance) if nuisance is None else nuisance
    unit = growth(age_months, sex) * (1 + SIZE_SD * float(np.clip(anatomy.standard_normal(), -2, 2)))
    skeleton = pose_hand(unit, palm_breadth(age_months), anatomy)
    view = _place(skeleton, nuisance, age_months, size_px)
    soft = wrap(skeleton, view, age_months)
    canvas = Canvas(view, _trabeculae(view, unit, film_noise))
    _draw_bones(canvas, skeleton, age_months, sex, anatomy)
    attenuation = np.float32(SOFT_TISSUE_PER_MM) * soft.thickness + canvas.mineral
    attenuation *= np.float32(unit**-SOFTER_BEAM)
    lead = lay_marker(soft.inside * np.float32(view.scale), nuisance, letters) if nuisance.marker else None
    image = digitise(expose(attenuation, lead, nuisance, film_noise), nuisance)
    field = field_of_view(view.shape, nuisance)
    exposed = np.True_ if field is None else field >= 0.5
    hand = Phantom(
        image,
        age_months,
        sex,
        (soft.inside > 0) & exposed,
        canvas.labels * exposed,
        view.pixels(skeleton.joints).astype(np.float32),
        nuisance,
    )
    return _mirror(hand) if nuisance.mirrored else hand


def _check(age_months: float, size_px: int) -> None:
    if not MIN_AGE_MONTHS <= age_months <= MAX_AGE_MONTHS:
        raise ValueError(
            f"age_months is {age_months}; the phantom covers {MIN_AGE_MONTHS:g} to {MAX_AGE_MONTHS:g} months"
        )
    if not MIN_SIZE_PX <= size_px <= MAX_SIZE_PX:
        raise ValueError(
            f"size_px is {size_px}; the long side must lie within {MIN_SIZE_PX} to {MAX_SIZE_PX} pixels"
        )


def _place(skeleton: Skeleton, nuisance: Nuisance, age_months: float, size_px: int) -> View:
    """Lay the hand into the field so that all joints are within it."""
    aspect = nuisance.aspect
    shape = (
        (size_px, max(1, round(size_px * aspect)))
        if aspect <= 1
        else (max(1, round(size_px / aspect)), size_px)
    )
    left, top, right, bottom = field_box(shape, nuisance)
    turned = View(1.0, nuisance.rotation_deg, (0.0, 0.0), shape).pixels(skeleton.joints)
    low, high = turned.min(0) - MARGIN_MM * skeleton.unit, turned.max(0) + MARGIN_MM * skeleton.unit
    share = float(np.interp(age_months, *USUAL_SHARE)) * nuisance.scale
    length = float(np.linalg.norm(skeleton.joints[12] - skeleton.joints[0]))
    scale = min(
        share * (bottom - top) / length, *(0.98 * np.array([right - left, bottom - top]) / (high - low))
    )
    wanted = np.array(
        [
            (left + right) / 2 + nuisance.shift_x * (right - left) - scale * (low[0] + high[0]) / 2,
            top
            + (USUAL_MIDDLE + nuisance.shift_y) * (bottom - top)
            - scale * (turned[0, 1] + turned[12, 1]) / 2,
        ]
    )
    origin = np.clip(wanted, np.array([left, top]) - scale * low, np.array([right, bottom]) - scale * high)
    return View(float(scale), nuisance.rotation_deg, (float(origin[0]), float(origin[1])), shape)


def _trabeculae(view: View, unit: float, rng: np.random.Generator) -> np.ndarray:
    """Random net of spongy bone: (H, W) float32 about 1."""
    thin = max(0.5, TRABECULA_MM * unit * view.scale)
    net = cv2.GaussianBlur(
        rng.standard_normal(view.shape, np.float32), (0, 0), thin, sigmaY=TRABECULA_STRETCH * thin
    )
    return 1 + net * np.float32(TEXTURE_SD * 2 * np.sqrt(np.pi * TRABECULA_STRETCH) * thin)


def _draw_bones(
    canvas: Canvas, skeleton: Skeleton, age_months: float, sex: Sex, rng: np.random.Generator
) -> None:
    variation = draw_variation(rng)
    shaft = shaft_maturity(age_months, sex)
    widths = 1 + WIDTH_SD * np.clip(rng.standard_normal(), -2, 2) + 0.015 * rng.standard_normal(len(Bone))
    for bone, width in zip(DRAWING_ORDER, widths.tolist(), strict=True):
        state = BoneState(skeleton.unit, stage(bone, age_months, sex, variation), shaft, width)
        if bone in ROUND_BONES:
            draw_round_bone(canvas, bone, _round_bone_centre(bone, skeleton), heading(0.0), state)
        else:
            draw_long_bone(canvas, bone, skeleton.axes[bone], state)


def _round_bone_centre(bone: Bone, skeleton: Skeleton) -> np.ndarray:
    if bone is not Bone.SESAMOID:
        return carpal_centre(bone) * skeleton.unit
    base, knuckle = skeleton.axes[Bone.METACARPAL_1]
    along = (knuckle - base) / np.linalg.norm(knuckle - base)
    to_little_finger = np.array([-along[1], along[0]])
    return knuckle - skeleton.unit * (5.5 * along - 8.0 * to_little_finger)


def _mirror(hand: Phantom) -> Phantom:
    joints = hand.joints.copy()
    joints[:, 0] = hand.image.shape[1] - 1 - joints[:, 0]
    image, mask, bones = (
        np.ascontiguousarray(part[:, ::-1]) for part in (hand.image, hand.hand_mask, hand.bones)
    )
    return Phantom(image, hand.age_months, hand.sex, mask, bones, joints, hand.nuisance)
