"""Speed of the phantom on one core; with --sheet also the picture of hands by age that the README shows."""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import cv2

from boneage_kedro.cohort.sex import Sex
from boneage_kedro.phantom import Nuisance, Phantom, contact_sheet, fabricate_hand

SHEET_YEARS = (1, 3, 5, 8, 11, 14, 18)
SHEET_SEED = 21


def main() -> None:
    """Parse, measure, and on demand draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100, help="pictures to make")
    parser.add_argument("--size-px", type=int, default=512, help="long side")
    parser.add_argument("--sheet", type=Path, help="also write a sheet of clean hands, girls above boys")
    parser.add_argument("--years", type=float, nargs="+", default=SHEET_YEARS, help="ages on the sheet")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    rate = images_per_second(args.count, args.size_px)
    print(f"{rate:.1f} images/s on one core, {args.count} of {args.size_px} px")
    if args.sheet:
        cv2.imwrite(
            str(args.sheet),
            contact_sheet(clean_hands(args.years, args.size_px), len(args.years), tile_px=340),
        )


def images_per_second(count: int, size_px: int) -> float:
    """Rate over ages and both sexes, processor time."""
    start = time.process_time()
    for i in range(count):
        fabricate_hand(6 + 210 * i / count, Sex.MALE if i % 2 else Sex.FEMALE, seed=i, size_px=size_px)
    return count / (time.process_time() - start)


def clean_hands(years: Sequence[float], size_px: int) -> list[Phantom]:
    """The same child as a girl and as a boy at all ages, undisturbed."""
    nuisance = Nuisance(scale=1.2, exposure=-0.15)  # undisturbed, and large in the picture
    return [fabricate_hand(12 * age, sex, SHEET_SEED, size_px, nuisance) for sex in Sex for age in years]


if __name__ == "__main__":
    main()
