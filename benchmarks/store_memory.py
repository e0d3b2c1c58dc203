"""Peak memory while an image store is written, by number of radiographs: it must not grow with it.

    python benchmarks/store_memory.py ../shared/data/rsna/small100.zip --counts 1000 12385
    python benchmarks/store_memory.py ../shared/data/rsna/half --counts 250 999

Each count runs in a process of its own, which reads, prepares and stores that many files and reports its peak.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from boneage_kedro.imaging.store import ImageStore
from shipped import preparation, write_store

SETTINGS = preparation(canvas_px=256)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("images", type=Path, help="folder or zip archive of radiographs")
    parser.add_argument("--counts", type=int, nargs="+", default=[1000, 12385])
    parser.add_argument("--single", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.single:
        print(fill(arguments.images, arguments.counts[0]))
        return
    peaks = {}
    for count in arguments.counts:
        command = [sys.executable, __file__, str(arguments.images), "--single", "--counts", str(count)]
        peaks[count] = float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        print(f"{count:6d} radiographs: peak {peaks[count]:.0f} MiB")
    first, last = min(peaks), max(peaks)
    print(
        f"{last / first:.1f} times as many radiographs take {peaks[last] / peaks[first]:.2f} times the memory"
    )


def fill(images: Path, count: int) -> float:
    """Store the first radiographs and return the peak resident memory of this process, MiB."""
    with tempfile.TemporaryDirectory() as folder:
        write_store(Path(folder), images, count, SETTINGS)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        store = ImageStore(Path(folder))
        assert len(store) + len(store.failures) == count
    return peak


if __name__ == "__main__":
    main()
