"""What `assess` says of pictures that no bone age must be read from, with the package of a trained network.

    python -m benchmarks.unfit_assessed FOLDER --count 40
    python -m benchmarks.unfit_assessed data/06_models/released/rsna --radiographs DIR --joints TABLE --labels TABLE

Unfit pictures are made of phantoms, or of radiographs whose joints are known, and given as files. Beside them stand
the hands as they are; the same with the chronological age of an adult; and, of phantoms, hands that are fully grown,
without any age. `warned` is the share of ages that are given with a remark that the hand may be that of an adult.
"""

import argparse
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pandas as pd
from benchmarks.shipped import parameters

from boneage_kedro.cohort.sex import Sex
from boneage_kedro.handover.package import load_package
from boneage_kedro.imaging.changes.unfit import KINDS, make_unfit
from boneage_kedro.imaging.reading import read_radiograph
from boneage_kedro.imaging.sources import RadiographFolder
from boneage_kedro.phantom import fabricate_hand
from boneage_kedro.phantom.hand import MAX_AGE_MONTHS
from boneage_kedro.reading.case_opening import Reading, Status

ADULT_MONTHS = 40 * 12.0
AS_THEY_ARE, OF_ADULTS, GROWN = "hands as they are", "the same, said to be 40 years old", "fully grown hands"


class Hand(NamedTuple):
    """A picture of an upright hand, and where its wrist is."""

    sex: Sex
    pixels: np.ndarray
    wrist_row: int


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("package", type=Path)
    parser.add_argument("--radiographs", type=Path, help="folder or archive; without it phantoms are made")
    parser.add_argument("--joints", type=Path, help="table of joints of radiographs (docs/data.md)")
    parser.add_argument("--labels", type=Path, help="table of id and male of radiographs")
    parser.add_argument("--count", type=int, default=40, help="hands, or as many as there are")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    if arguments.radiographs:
        hands = list(known_hands(arguments.radiographs, arguments.joints, arguments.labels))
        hands = hands[: arguments.count]
    else:
        hands = list(phantoms(arguments.count, arguments.seed))
    assessor = load_package(arguments.package).assessor(parameters("assess"))
    rng = np.random.default_rng(arguments.seed)
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for hand, kind in [(hand, kind) for kind in (AS_THEY_ARE, OF_ADULTS, *KINDS) for hand in hands]:
            made = make_unfit(kind, hand.pixels, hand.wrist_row, rng) if kind in KINDS else hand.pixels
            rows.append(put(folder, len(rows), kind, hand.sex, made))
        if not arguments.radiographs:
            for number in range(arguments.count):
                made = fabricate_hand(MAX_AGE_MONTHS, Sex.MALE, arguments.seed * 10**6 - 1 - number).image
                rows.append(put(folder, len(rows), GROWN, Sex.MALE, made))
        cases = pd.DataFrame(rows)
        read = [reading for batch in assessor.read(cases, RadiographFolder(folder)) for reading in batch]
    print("of each kind: given, indeterminate, warned of as perhaps grown; most frequent first reasons")
    for kind, own in cases.groupby("kind", sort=False):
        print(line(str(kind), [read[place] for place in own.index]))


def phantoms(count: int, seed: int) -> Iterator[Hand]:
    """Upright ones of all ages, with their nuisance."""
    rng, made = np.random.default_rng(seed), 0
    while count:
        made += 1
        sex = Sex.FEMALE if made % 2 else Sex.MALE
        phantom = fabricate_hand(float(rng.uniform(24, 204)), sex, seed * 10**6 + made)
        wrist, tip = phantom.joints[0, 1], phantom.joints[:, 1].min()
        if tip + 0.3 * phantom.image.shape[0] < wrist < phantom.image.shape[0] - 1:
            count -= 1
            yield Hand(sex, phantom.image, int(wrist))


def known_hands(radiographs: Path, joints: Path, labels: Path) -> Iterator[Hand]:
    """Radiographs whose wrist is known, none that lies on its side."""
    male = pd.read_csv(labels, dtype={"id": str}).set_index("id")["male"].astype(str).str.lower() == "true"
    source = RadiographFolder(radiographs)
    for row in pd.read_csv(joints, dtype={"id": str}).to_dict("records"):
        key = row["id"]
        if (
            key not in source
            or not 0 < row["wrist_y"] < row["img_height"]
            or row["middle_finger4_y"] > row["wrist_y"]
        ):
            continue
        pixels = read_radiograph(source[key].read_bytes(), key).pixels
        gray = cv2.normalize(pixels, None, 0, 255, cv2.NORM_MINMAX, cv2.CV_8U)
        wrist = int(row["wrist_y"] / row["img_height"] * len(gray))
        yield Hand(Sex.MALE if male[key] else Sex.FEMALE, gray, wrist)


def put(folder: Path, number: int, kind: str, sex: Sex, pixels: np.ndarray) -> dict[str, object]:
    """Write a file, and give the row of its case."""
    cv2.imwrite(str(folder / f"{number}.png"), pixels)
    age = ADULT_MONTHS if kind == OF_ADULTS else np.nan
    case = {"id": str(number), "sex": str(sex), "chronological_age_months": age, "problem": "", "note": ""}
    return case | {"kind": kind}


def line(kind: str, read: list[Reading]) -> str:
    refused = [reading for reading in read if reading.status != Status.OK]
    grown = [r for r in read if r.status == Status.OK and any("fully grown" in said for said in r.warnings)]
    reasons = Counter(reading.warnings[0].split(":")[0][:60] for reading in refused).most_common(3)
    said = "; ".join(f"{count} {reason}" for reason, count in reasons)
    return f"{kind:36} {len(read):4} {len(refused) / len(read):5.0%} {len(grown) / len(read):5.0%}  {said}"


if __name__ == "__main__":
    main()
