"""Whether the GAN learns, with every loss and discriminator: PSNR in the hands of phantoms, against doing nothing.

    python benchmarks/gan_phantoms.py

The gold is a phantom's hand without its background; the input is the same with another gamma, contrast and
brightness, drawn anew in every epoch. Reported are PSNR and mean absolute difference of the averaged generator on
phantoms kept out, and the range of the discriminator's loss over epochs, which is 1.39 for one that guesses and near
0 for one that the generator can no longer learn from.
"""

import argparse
import tempfile
import time
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path

import numpy as np

from boneage_kedro.cohort.sex import Sex
from boneage_kedro.models.discriminator import DISCRIMINATORS
from boneage_kedro.phantom import fabricate_hand
from boneage_kedro.training.checkpoint import CheckpointFile
from boneage_kedro.training.enhancement.gan import train_gan
from boneage_kedro.training.enhancement.gan_losses import RECONSTRUCTIONS
from boneage_kedro.training.enhancement.gan_settings import GanSettings

SETTINGS: GanSettings = {
    "generator": {"width": 8, "depth": 3},
    "discriminator": {"name": "paper", "width": 16},
    "reconstruction": "l1",
    "weights": {"adversarial": 0.01, "reconstruction": 1.0, "ssim": 0.5, "background": 0.1},
    "generator_learning_rate": 1e-3,
    "discriminator_learning_rate": 2e-4,
    "ema_decay": 0.98,
    "epochs": 8,
    "epoch_samples": 96,
    "batch_size": 8,
    "augment": {
        "rotation_deg": 30,
        "shear_deg": 0,
        "zoom": 0,
        "log_aspect": 0,
        "shift": 0,
        "flip_probability": 0.5,
    },
    "sheet_epochs": 8,
    "sheet_pictures": 4,
    "accelerator": "cpu",
    "precision": "32-true",
    "workers": 1,
    "seed": 0,
}


@dataclass(frozen=True)
class PhantomPairs:
    """Phantoms and the same badly exposed."""

    seeds: range
    side_px: int

    @cached_property
    def ids(self) -> list[str]:
        return [f"phantom-{seed}" for seed in self.seeds]

    @cached_property
    def hands(self) -> list[tuple[np.ndarray, np.ndarray]]:
        return [draw_hand(seed, self.side_px) for seed in self.seeds]

    def __len__(self) -> int:
        return len(self.seeds)

    def pair(self, i: int, epoch: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        gold, inside = self.hands[i]
        random = np.random.default_rng([self.seeds[i], epoch])
        gamma, contrast, brightness = random.uniform([0.6, 0.6, -0.1], [1.8, 1.1, 0.15])
        made = np.clip(gold**gamma * contrast + brightness, 0, 1) * inside
        return made.astype(np.float32), gold, inside


def draw_hand(seed: int, side_px: int) -> tuple[np.ndarray, np.ndarray]:
    """A hand of one mean and contrast on a black square, and where it is."""
    random = np.random.default_rng(seed)
    sex = Sex.MALE if seed % 2 else Sex.FEMALE
    phantom = fabricate_hand(float(random.uniform(24, 216)), sex, seed, side_px)
    gray = phantom.image / np.float32(255)
    gray = 1 - gray if phantom.nuisance.inverted else gray
    hand = gray[phantom.hand_mask]
    gold, inside = np.zeros((side_px, side_px), np.float32), np.zeros((side_px, side_px), bool)
    rows, columns = gray.shape
    even = 0.45 + 0.15 * (gray - hand.mean()) / hand.std()
    gold[:rows, :columns] = np.clip(even, 0, 1) * phantom.hand_mask
    inside[:rows, :columns] = phantom.hand_mask
    return gold, inside


def psnr(made: np.ndarray, gold: np.ndarray, inside: np.ndarray) -> float:
    return float(-10 * np.log10(((made - gold)[inside] ** 2).mean()))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--side-px", type=int, default=96)
    parser.add_argument(
        "--phantoms", type=int, default=64, help="to learn from; a quarter as many are kept out"
    )
    parser.add_argument("--epochs", type=int, default=SETTINGS["epochs"])
    parser.add_argument("--seed", type=int, default=SETTINGS["seed"])
    arguments = parser.parse_args()
    count = arguments.phantoms
    learning = PhantomPairs(range(count), arguments.side_px)
    kept_out = PhantomPairs(range(10**6, 10**6 + count // 4), arguments.side_px)
    nothing = np.mean([psnr(*kept_out.pair(i, 0)) for i in range(len(kept_out))])
    print(f"doing nothing: PSNR {nothing:.2f} dB")
    for kind, name in product(RECONSTRUCTIONS, DISCRIMINATORS):
        settings: GanSettings = {
            **SETTINGS,
            "reconstruction": kind,
            "discriminator": {**SETTINGS["discriminator"], "name": name},
            "epochs": arguments.epochs,
            "seed": arguments.seed,
        }
        start = time.process_time()
        with tempfile.TemporaryDirectory() as folder:
            checkpoint = CheckpointFile(Path(folder) / "gan.pt")
            _, history = train_gan(learning, kept_out, settings, checkpoint, "phantoms")
        best = min(history, key=lambda row: row["validation_l1"])
        judged = [row["discriminator_loss"] for row in history]
        print(
            f"{kind:8s} {name:5s}: PSNR {best['validation_psnr']:.2f} dB, L1 {best['validation_l1']:.4f} at epoch "
            f"{best['epoch']} (last {history[-1]['validation_psnr']:.2f} dB), discriminator's loss {min(judged):.2f} "
            f"to {max(judged):.2f}, {time.process_time() - start:.0f} s of CPU"
        )


if __name__ == "__main__":
    main()
