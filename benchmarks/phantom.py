"""Speed of the phantom on one core; with --sheet also a picture of all ages."""

import argparse
import time
from pathlib import Path

import cv2

from boneage_kedro.cohort.sex import Sex
from boneage_kedro.phantom import Nuisance, Phantom, contact_sheet, fabricate_hand

SHEET_YEARS = (0.5, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18)


def main() -> None:
    """Parse, measure, and on demand draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100, help="pictures to make")
    parser.add_argument("--size-px", type=int, default=512, help="long side")
    parser.add_argument("--sheet", type=Path, help="also write a sheet of all ages, girls above boys")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    rate = images_per_second(args.count, args.size_px)
    print(f"{rate:.1f} images/s on one core, {args.count} of {args.size_px} px")
    if args.sheet:
        cv2.imwrite(str(args.sheet), contact_sheet(clean_hands(args.size_px), len(SHEET_YEARS)))


def images_per_second(count: int, size_px: int) -> float:
    """Rate over ages and both sexes, processor time."""
    start = time.process_time()
    for i in range(count):
        fabricate_hand(6 + 210 * i / count, Sex.MALE if i % 2 else Sex.FEMALE, seed=i, size_px=size_px)
    return count / (time.process_time() - start)


def clean_hands(size_px: int) -> list[Phantom]:
    """The same child as a girl and as a boy at all ages, undisturbed."""
    return [
        fabricate_hand(12 * years, sex, 7, size_px, Nuisance.none()) for sex in Sex for years in SHEET_YEARS
    ]


if __name__ == "__main__":
    main()
