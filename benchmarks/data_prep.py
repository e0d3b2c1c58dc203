"""Rate of reading and preparing radiographs, against that of bare OpenCV decoding and resizing of the same files.

    python benchmarks/data_prep.py --images DIR --canvas-px 512

Both run in the same threads, in turns within one run; printed is the median of the ratios of neighbouring turns.
The files are read once before, so that the disk takes no part.
"""

import argparse
import os
import statistics
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from boneage_kedro.imaging.parallel import map_ordered
from boneage_kedro.imaging.preparation.prepare import prepare
from boneage_kedro.imaging.reading import read_radiograph
from shipped import preparation

IMAGE_SUFFIXES = {".png", ".jpg", ".jpeg", ".tif", ".tiff"}


def seconds(function: Callable[[Path], np.ndarray], files: list[Path], workers: int) -> float:
    """Wall time to run a function over all files in threads."""
    start = time.perf_counter()
    deque(map_ordered(function, files, workers, ahead=4 * workers), maxlen=0)
    return time.perf_counter() - start


def compare(files: list[Path], canvas_px: int, workers: int, repeats: int) -> None:
    """Run both in turns and print their rates and ratio."""
    settings = preparation(canvas_px)

    def bare(path: Path) -> np.ndarray:
        pixels = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED)
        return cv2.resize(pixels, (canvas_px, canvas_px), interpolation=cv2.INTER_AREA)

    def whole(path: Path) -> np.ndarray:
        return prepare(read_radiograph(path), settings).image

    seconds(whole, files, workers)
    pairs = [(seconds(bare, files, workers), seconds(whole, files, workers)) for _ in range(repeats)]
    ratio = statistics.median(bare_s / whole_s for bare_s, whole_s in pairs)
    bare_rate, whole_rate = (len(files) / statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"{len(files)} files, canvas {canvas_px} px, {workers} threads, {repeats} repeats")
    print(
        f"decode and resize {bare_rate:.0f}/s, read and prepare {whole_rate:.0f}/s, median ratio {ratio:.2f}"
    )


def main() -> None:
    """Parse, measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=Path, required=True, help="folder of radiographs")
    parser.add_argument("--canvas-px", type=int, default=512)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--limit", type=int, help="only so many files, spread over the folder")
    arguments = parser.parse_args()
    files = sorted(path for path in arguments.images.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES)
    if not files:
        parser.error(f"no radiographs in {arguments.images}; give a folder of PNG, JPEG or TIFF files")
    files = files[:: max(1, len(files) // (arguments.limit or len(files)))]
    cv2.setNumThreads(1)
    compare(files, arguments.canvas_px, arguments.workers, arguments.repeats)


if __name__ == "__main__":
    main()
