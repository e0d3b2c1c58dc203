"""Rate of enhancing a store of pictures, against the bare generator's forward rate on pictures in memory.

    python benchmarks/gan_throughput.py --pictures 256

The store is written with noise, since the rate does not depend on what is in the pictures, and every picture has
a mask. After each batch of the store the generator alone runs on as many pictures, held in memory as it takes them;
so both rates are of the same minutes.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from boneage_kedro.imaging.store import ImageStore, ImageStoreWriter, StoreEntry, StoreHeader
from boneage_kedro.models.enhancer import Enhancer, EnhancerConfig
from boneage_kedro.training.device import device_of
from boneage_kedro.training.enhancement.enhance import enhance_store


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pictures", type=int, default=128)
    parser.add_argument("--side-px", type=int, default=256)
    parser.add_argument("--tile-px", type=int, default=256)
    parser.add_argument("--overlap-px", type=int, default=64)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--depth", type=int, default=4)
    parser.add_argument("--accelerator", choices=["auto", "cpu", "gpu"], default="auto")
    arguments = parser.parse_args()
    model = Enhancer(EnhancerConfig(arguments.width, arguments.depth)).to(memory_format=torch.channels_last)
    with tempfile.TemporaryDirectory() as folder:
        store = write_noise(Path(folder), arguments.pictures, arguments.side_px)
        rate, bare_rate = measure(model, store, arguments)
    print(
        f"{arguments.pictures} pictures of {arguments.side_px} px: {rate:.2f} a second, "
        f"{rate / bare_rate:.3f} of the bare generator ({bare_rate:.2f})"
    )


def write_noise(folder: Path, count: int, side_px: int) -> ImageStore:
    random = np.random.default_rng(0)
    with ImageStoreWriter(folder, StoreHeader(side_px, {})) as writer:
        for i in range(count):
            image = random.integers(0, 256, (side_px, side_px), dtype=np.uint8)
            writer.append([StoreEntry(f"noise-{i:06d}", "", image)])
        writer.finish()
    return ImageStore(folder)


def measure(model: Enhancer, store: ImageStore, arguments: argparse.Namespace) -> tuple[float, float]:
    """Pictures a second from the store, and of the bare generator."""
    device, size = device_of(arguments.accelerator), arguments.batch_size
    masks = {key: store[key] > 64 for key in store.ids}
    run_bare(model, size, arguments.side_px, device)  # the first call is slower
    made = enhance_store(
        model, store, masks, store.ids, arguments.tile_px, arguments.overlap_px, size, device
    )
    seconds, bare_seconds = 0.0, 0.0
    for start in range(0, len(store), size):
        batch = min(size, len(store) - start)
        before = time.perf_counter()
        for _ in range(batch):
            next(made)
        seconds += time.perf_counter() - before
        bare_seconds += run_bare(model, batch, arguments.side_px, device)
    return len(store) / seconds, len(store) / bare_seconds


@torch.inference_mode()
def run_bare(model: Enhancer, count: int, side_px: int, device: torch.device) -> float:
    """Seconds that the generator alone takes for a batch in memory."""
    images = torch.rand(count, 1, side_px, side_px, generator=torch.Generator().manual_seed(0)).to(device)
    model.eval().to(device)
    start = time.perf_counter()
    model(images).flatten()[0].item()  # waits for a GPU
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
