"""Rate and memory while a committee scores a pool: near the bare networks' rate, and memory that does not grow.

    python benchmarks/committee_scoring.py ../shared/data/rsna/small100.zip --counts 1000 12385

Each count runs in a process of its own, which stores that many files and then scores them by every rule with three
untrained FC-DenseNets, of 192 middle maps unless another width or growth is given. Whenever a part of the pool is
scored, the three networks alone run on the same pictures, held in memory; so both rates are of the same pictures and
of the same minutes. Reported is the peak of the process's own memory, without the pages of the memory-mapped store,
which the system takes back as it likes.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch

from boneage_kedro.imaging.store import ImageStore
from boneage_kedro.models.segmenter import Segmenter
from boneage_kedro.models.weights import PretrainedWeights
from boneage_kedro.training.device import device_of
from boneage_kedro.training.hands.committee import CommitteeScore, score_committee
from boneage_kedro.training.segmentation.network_training import new_segmenter
from boneage_kedro.training.segmentation.samples import Pictures
from boneage_kedro.training.segmentation.settings import SegmentationSettings
from pool_memory import own_memory_mib
from shipped import parameters, preparation, write_store

MEMBERS = 3
CANVAS_PX = 96


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("images", type=Path, help="folder or zip archive of radiographs")
    parser.add_argument("--counts", type=int, nargs="+", default=[1000, 12385])
    parser.add_argument("--reduction", type=int, default=2, help="1 runs the networks at full size")
    parser.add_argument("--width", type=int, default=64, help="channels of the first convolution")
    parser.add_argument("--growth", type=int, default=16, help="maps that a layer adds")
    parser.add_argument("--accelerator", choices=["auto", "cpu", "gpu"], default="auto")
    parser.add_argument("--single", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.single:
        print(json.dumps(measure(arguments)))
        return
    options = ["--accelerator", arguments.accelerator, "--single"]
    for name in ("reduction", "width", "growth"):
        options += [f"--{name}", str(vars(arguments)[name])]
    for count in arguments.counts:
        command = [sys.executable, __file__, str(arguments.images), *options, "--counts", str(count)]
        found = json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)
        print(
            f"{count:6d} radiographs: peak {found['peak_mib']:.0f} MiB, {found['rate']:.2f} a second, "
            f"{found['rate'] / found['bare_rate']:.2f} of {MEMBERS} bare networks"
        )


def measure(arguments: argparse.Namespace) -> dict[str, float]:
    """Peak memory in MiB, and radiographs a second of the committee and of its bare networks."""
    settings = preparation(canvas_px=CANVAS_PX)
    network: SegmentationSettings = {
        **parameters("hand_active_learning")["network"],
        "width": arguments.width,
        "growth": arguments.growth,
        "reduction": arguments.reduction,
        "input_px": CANVAS_PX,
    }
    device, batch_size = device_of(arguments.accelerator), network["fit"]["batch_size"]
    members = [new_member(network, seed) for seed in range(MEMBERS)]
    with tempfile.TemporaryDirectory() as folder:
        write_store(Path(folder), arguments.images, arguments.counts[0], settings)
        store = ImageStore(Path(folder))
        pool = Pictures.of(store, store.ids, CANVAS_PX)
        run_bare(members, pool.among(pool.ids[:batch_size]), batch_size, device)  # the first call is slower
        parts = score_committee(members, pool, batch_size, device, embed=True)
        seconds, bare_seconds, peak = 0.0, 0.0, 0.0
        for part, spent in timed(parts):
            seconds += spent
            peak = max(peak, own_memory_mib())
            bare_seconds += run_bare(members, pool.among(list(part)), batch_size, device)
    return {"peak_mib": peak, "rate": len(pool) / seconds, "bare_rate": len(pool) / bare_seconds}


def new_member(network: SegmentationSettings, seed: int) -> Segmenter:
    fit = {**network["fit"], "seed": seed}
    return new_segmenter({**network, "fit": fit}, 2, PretrainedWeights(Path()))


def timed(
    parts: Iterator[dict[str, CommitteeScore]],
) -> Iterator[tuple[dict[str, CommitteeScore], float]]:
    """Each part with the seconds it took, without those that its receiver took."""
    start = time.perf_counter()
    for part in parts:
        yield part, time.perf_counter() - start
        start = time.perf_counter()


@torch.inference_mode()
def run_bare(
    members: Sequence[Segmenter], pictures: Pictures, batch_size: int, device: torch.device
) -> float:
    """Seconds that the members' networks alone take for some pictures in memory."""
    batches = list(pictures.batches(batch_size, device))
    start = time.perf_counter()
    for batch in batches:
        for member in members:
            logits = member(batch.images)
        logits.flatten()[0].item()  # waits for a GPU
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
