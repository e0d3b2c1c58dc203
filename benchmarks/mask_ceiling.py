"""How well a perfect mask at a network's size can do at the size of the radiograph: the ceiling of Dice.

    python benchmarks/mask_ceiling.py data/03_primary/fingers/image_store data/01_raw/fingers/phalanx_masks

Each mask that people drew is brought to the network's size and back. Back it goes twice: as hard labels, and as the
share of each pixel that is foreground, which a network that is unsure along outlines can come near.
"""

import argparse
from pathlib import Path

import numpy as np

from boneage_kedro.evaluation.segmentation.scores import dice
from boneage_kedro.imaging.geometry import to_source
from boneage_kedro.imaging.sources import RadiographFolder
from boneage_kedro.imaging.store import ImageStore
from boneage_kedro.masks.folder import MaskFolder
from boneage_kedro.masks.label_maps import foreground_share, mask_to_canvas


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("images", type=Path, help="image store")
    parser.add_argument("masks", type=Path, help="folder of masks")
    parser.add_argument("--sizes", type=int, nargs="+", default=[192, 256, 384, 512])
    arguments = parser.parse_args()
    images = ImageStore(arguments.images)
    masks = MaskFolder(RadiographFolder(arguments.masks), images.index, classes=4, binary=True, resize=False)
    for side in arguments.sizes:
        found = [ceiling(masks[key], images.frame(key, side)[0], side) for key in masks]
        hard, soft = np.mean(found, axis=0)
        print(f"{side} px: Dice of hard labels {hard:.3f}, of shares {soft:.3f}, {len(found)} masks")


def ceiling(mask: np.ndarray, fitted: np.ndarray, side: int) -> tuple[float, float]:
    """Dice of the way there and back as hard labels and as shares."""
    hard = mask_to_canvas(mask, fitted, side).astype(np.float32)
    soft = foreground_share(mask, fitted, side)
    both = [to_source(share, fitted, mask.shape) > 0.5 for share in (hard, soft)]
    return dice(both[0], mask > 0), dice(both[1], mask > 0)


if __name__ == "__main__":
    main()
