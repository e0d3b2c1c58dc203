"""How well pictures without a readable hand are told from phantoms of hands, by features of a network.

    python benchmarks/unfit_pictures.py data/06_models/pretrained --backbone tf_efficientnet_lite0

Phantoms and made-up unfit pictures go through preparation as files do. The network has its ImageNet weights and has
not learnt from hands: what is measured is the method. `mended` is the share that preparation has turned or inverted;
such pictures are hands as good as any.
"""

import argparse
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from boneage_kedro.imaging.changes.unfit import KINDS, make_unfit
from boneage_kedro.imaging.preparation.prepare import Prepared, prepare
from boneage_kedro.imaging.radiograph import Radiograph
from boneage_kedro.models.regressor import AgeRegressor, RegressorConfig
from boneage_kedro.models.weights import PretrainedWeights
from boneage_kedro.phantom import Phantom, fabricate_hand
from boneage_kedro.training.ages.familiarity import fit_familiarity, pool
from boneage_kedro.training.batches import to_input
from shipped import preparation

FALSE_ALARMS = 0.02
PREPARATION = preparation(canvas_px=256)


class Hands:
    """Phantoms of all ages, one after the other, none twice."""

    def __init__(self, size_px: int, seed: int) -> None:
        self._size_px, self._seed, self._count = size_px, seed, 0
        self._rng = np.random.default_rng(seed)

    def next(self) -> Phantom:
        self._count += 1
        sex = "F" if self._count % 2 else "M"
        return fabricate_hand(
            float(self._rng.uniform(12, 220)), sex, self._seed * 10**6 + self._count, self._size_px
        )


class Measured(NamedTuple):
    """What became of one kind."""

    area: float
    detected: float
    mended: float


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("weights", type=Path, help="folder of pretrained weights")
    parser.add_argument("--backbone", default="tf_efficientnet_lite0")
    parser.add_argument("--input-px", type=int, default=192)
    parser.add_argument("--size-px", type=int, default=320, help="long side of the phantoms")
    parser.add_argument(
        "--counts", type=int, nargs=4, default=[300, 100, 150, 40], help="learnt, calibration, test, kind"
    )
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    model = AgeRegressor(RegressorConfig(arguments.backbone, arguments.input_px, 120.0, 40.0, 0.0)).eval()
    PretrainedWeights(arguments.weights).load_into(model.backbone, arguments.backbone)
    hands, rng = Hands(arguments.size_px, arguments.seed), np.random.default_rng(arguments.seed)
    parts = arguments.counts
    learnt, calibration, test = (
        features(model, [ready(hands.next().image) for _ in range(n)]) for n in parts[:3]
    )
    detector, _ = fit_familiarity(learnt, calibration, {"false_alarms": FALSE_ALARMS})
    usual = detector(test)
    alarms = float(detector.is_far(usual).float().mean())
    print(f"false alarms asked for {FALSE_ALARMS:.0%}, on {len(test)} new hands {alarms:.1%}")
    for kind in KINDS:
        pictures = [ready(unfit(kind, hands.next(), rng)) for _ in range(parts[3])]
        distances = detector(features(model, pictures))
        found = Measured(
            area_under_curve(usual, distances),
            float(detector.is_far(distances).float().mean()),
            float(np.mean([made.inverted or made.quarter_turns % 4 > 0 for made in pictures])),
        )
        print(f"{kind:15} AUROC {found.area:.3f}  detected {found.detected:4.0%}  mended {found.mended:4.0%}")


def unfit(kind: str, hand: Phantom, rng: np.random.Generator) -> np.ndarray:
    wrist = int(np.clip(hand.joints[0, 1], 1, hand.image.shape[0] - 1))
    return make_unfit(kind, hand.image, wrist, rng)


def ready(pixels: np.ndarray) -> Prepared:
    return prepare(Radiograph(pixels, None, None, None, polarity_known=False), PREPARATION)


@torch.inference_mode()
def features(model: AgeRegressor, pictures: list[Prepared]) -> Tensor:
    images = to_input(torch.from_numpy(np.stack([made.image for made in pictures])), model.config.input_px)
    return torch.cat([pool(model, part) for part in images.split(16)])


def area_under_curve(usual: Tensor, unusual: Tensor) -> float:
    """Probability that an unfit picture is farther than a hand."""
    return float((unusual[:, None] > usual).float().mean() + 0.5 * (unusual[:, None] == usual).float().mean())


if __name__ == "__main__":
    main()
