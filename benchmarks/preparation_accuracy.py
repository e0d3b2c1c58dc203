"""How often a prepared phantom comes out with the right polarity, side and turn, and with the whole hand in it.

    python benchmarks/preparation_accuracy.py --phantoms 300

Every phantom has the nuisance that its seed draws; beyond that it is turned by a random number of quarter turns,
and half of them are inverted and half mirrored. The seeds are none of those that `fit_recognition.py` uses. The
second line is what matters most: of the pictures that were right already, how many were harmed.
"""

import argparse
from dataclasses import dataclass, replace

import numpy as np

from boneage_kedro.cohort.sex import Sex
from boneage_kedro.imaging.geometry import map_points
from boneage_kedro.imaging.preparation.prepare import Prepared, prepare
from boneage_kedro.imaging.radiograph import Radiograph
from boneage_kedro.phantom.hand import Phantom, fabricate_hand
from boneage_kedro.phantom.nuisance import draw_nuisance
from shipped import preparation

FIRST_SEED = 1_000_000
SIZE_PX = 320
MOST_LEANING_DEG = 40  # beyond, which quarter turn is right is a matter of taste
SETTINGS = preparation(canvas_px=256)


@dataclass(frozen=True)
class Change:
    """What is done to an upright left hand before it is prepared."""

    inverted: bool
    mirrored: bool
    quarter_turns: int


UNCHANGED = Change(inverted=False, mirrored=False, quarter_turns=0)


def upright_phantom(seed: int) -> Phantom:
    """A phantom with its own nuisance, but neither inverted, mirrored nor turned far."""
    random = np.random.default_rng(seed)
    nuisance = draw_nuisance(random)
    leaning = float(np.clip(nuisance.rotation_deg, -MOST_LEANING_DEG, MOST_LEANING_DEG))
    nuisance = replace(nuisance, inverted=False, mirrored=False, rotation_deg=leaning)
    sex = Sex.MALE if seed % 2 else Sex.FEMALE
    return fabricate_hand(float(random.uniform(6, 225)), sex, seed, SIZE_PX, nuisance)


def apply_change(image: np.ndarray, change: Change) -> np.ndarray:
    """Turn counter-clockwise, mirror, invert."""
    turned = np.rot90(image, change.quarter_turns)
    turned = turned[:, ::-1] if change.mirrored else turned
    return np.ascontiguousarray(255 - turned if change.inverted else turned)


def prepare_changed(phantom: Phantom, change: Change) -> Prepared:
    """The phantom changed and then prepared."""
    return prepare(Radiograph(apply_change(phantom.image, change), None, None, None, False), SETTINGS)


def as_wanted(prepared: Prepared, change: Change) -> tuple[bool, bool, bool]:
    """Whether polarity, side and turn are what undoes the change."""
    turns = change.quarter_turns if change.mirrored else -change.quarter_turns
    side = prepared.mirrored == change.mirrored
    return prepared.inverted == change.inverted, side, side and prepared.quarter_turns == turns % 4


def joints_lost(phantom: Phantom, prepared: Prepared) -> bool:
    """Whether a joint that the picture shows has no place in the crop; for an unchanged phantom."""
    height, width = phantom.image.shape
    inside = ((phantom.joints >= 0) & (phantom.joints < (width, height))).all(axis=1)
    crop = prepared.crop
    low, high = np.array([crop.left, crop.top]), np.array([crop.right, crop.bottom])
    shown = ((phantom.joints >= low - 0.5) & (phantom.joints < high + 0.5)).all(axis=1)
    mapped = map_points(phantom.joints[shown], prepared.transform)
    return bool((inside & ~shown).any() or mapped.min() < -1 or mapped.max() > SETTINGS["canvas_px"])


def random_change(random: np.random.Generator) -> Change:
    """One of the sixteen changes."""
    return Change(bool(random.integers(2)), bool(random.integers(2)), int(random.integers(4)))


def main() -> None:
    """Fabricate, change, prepare, count."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--phantoms", type=int, default=300)
    count = parser.parse_args().phantoms
    random = np.random.default_rng(FIRST_SEED)
    changed, unchanged, lost = [], [], 0
    for seed in range(FIRST_SEED, FIRST_SEED + count):
        phantom, change = upright_phantom(seed), random_change(random)
        changed.append(as_wanted(prepare_changed(phantom, change), change))
        untouched = prepare_changed(phantom, UNCHANGED)
        unchanged.append(as_wanted(untouched, UNCHANGED))
        lost += joints_lost(phantom, untouched)
    for name, rows in (("changed at random", changed), ("right already", unchanged)):
        polarity, side, turn = np.mean(rows, axis=0)
        print(f"{name}: polarity {polarity:.1%}, side {side:.1%}, side and turn {turn:.1%} right of {count}")
    print(f"a joint cropped away: {lost} of {count}")


if __name__ == "__main__":
    main()
