"""Memory and rate while a pool is scored, by number of radiographs: memory must not grow with it.

    python benchmarks/pool_memory.py ../shared/data/rsna/small100.zip --counts 1000 12385

Each count runs in a process of its own, which stores that many files and then scores them with an untrained student
and the dense CRF. Reported is the peak of the process's own memory, without the pages of the memory-mapped store,
which the system takes back as it likes. The rate is compared with that of the bare student and the bare CRF on
batches in memory, in the same process.
"""

import argparse
import itertools
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

from boneage_kedro.imaging.store import ImageStore
from boneage_kedro.masks.dense_crf import refine
from boneage_kedro.models.weights import PretrainedWeights
from boneage_kedro.training.fingers.pool import score_pool
from boneage_kedro.training.segmentation.network_training import new_segmenter
from boneage_kedro.training.segmentation.samples import Pictures
from shipped import parameters, preparation, write_store

BARE_BATCHES = 20
SETTINGS = preparation(canvas_px=96)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("images", type=Path, help="folder or zip archive of radiographs")
    parser.add_argument("--counts", type=int, nargs="+", default=[1000, 12385])
    parser.add_argument("--single", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.single:
        print(json.dumps(measure(arguments.images, arguments.counts[0])))
        return
    for count in arguments.counts:
        command = [sys.executable, __file__, str(arguments.images), "--single", "--counts", str(count)]
        found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        print(
            f"{count:6d} radiographs: peak {found['peak_mib']:.0f} MiB, {found['rate']:.1f} a second, "
            f"{found['rate'] / found['bare_rate']:.2f} of the bare network and CRF"
        )


def measure(images: Path, count: int) -> dict[str, float]:
    """Score the first radiographs; peak memory in MiB and radiographs a second, whole and bare."""
    finger = parameters("finger_selftrain")
    network = {**finger["network"], "input_px": SETTINGS["canvas_px"]}
    student = new_segmenter(network, 2, PretrainedWeights(Path()))
    with tempfile.TemporaryDirectory() as folder:
        write_store(Path(folder), images, count, SETTINGS)
        store = ImageStore(Path(folder))
        pool = Pictures.of(store, store.ids, SETTINGS["canvas_px"])
        peak, scored, start = 0.0, 0, time.perf_counter()
        for part in score_pool(
            student, pool, finger["crf"], finger["rounds"], network["fit"], torch.device("cpu")
        ):
            scored += len(part)
            peak = max(peak, own_memory_mib())
        rate = scored / (time.perf_counter() - start)
        return {"peak_mib": peak, "rate": rate, "bare_rate": bare_rate(student, pool, finger, network)}


@torch.inference_mode()
def bare_rate(student: torch.nn.Module, pool: Pictures, finger: dict, network: dict) -> float:
    batches = list(
        itertools.islice(pool.batches(network["fit"]["batch_size"], torch.device("cpu")), BARE_BATCHES)
    )
    start = time.perf_counter()
    for batch in batches:
        refine(student(batch.images).softmax(1), batch.gray_levels, finger["crf"], batch.ids)
    return sum(len(batch.ids) for batch in batches) / (time.perf_counter() - start)


def own_memory_mib() -> float:
    """Anonymous memory of this process."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return int(next(line for line in lines if line.startswith("RssAnon")).split()[1]) / 1024


if __name__ == "__main__":
    main()
