"""Time of the training steps of an age regressor from the image store, against the same steps on a resident batch.

    python benchmarks/age_training_speed.py --backbone legacy_xception --input-px 299 --batch-size 32

A step from the store reads, scales and augments its pictures; a step on the resident batch has all of that behind it.
The two take turns, so both figures are of the same minutes. The store is written with noise: the time does not depend
on what is in the pictures. Settings are those of ``conf/base``; ``--robust`` switches every augmentation on.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from lightning_fabric import Fabric

from boneage_kedro.models.weights import PretrainedWeights
from boneage_kedro.training.ages.augment import augment_age
from boneage_kedro.training.ages.regression import new_regressor, select_samples
from boneage_kedro.training.ages.settings import RegressionSettings
from boneage_kedro.training.ages.task import AgeTask
from boneage_kedro.training.losses import age_loss
from gan_throughput import write_noise
from shipped import parameters

RSNA_TRAINING_CASES = 12_611
CLOCKS = {"wall": time.perf_counter, "processor": time.process_time}
ROBUST = {
    "crop_probability": 0.8,
    "window_probability": 0.5,
    "invert_probability": 0.1,
    "blur_px": 1.5,
    "noise_sd": 0.03,
    "cutout_probability": 0.3,
}


def main() -> None:
    arguments = parse_arguments()
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        task = make_task(Path(folder), arguments)
        seconds = measure(task, arguments)
    middle = {part: 1000 * statistics.median(found) for part, found in seconds.items()}
    minutes = RSNA_TRAINING_CASES / arguments.batch_size * middle["store"] / 60_000
    print(
        f"{arguments.backbone} at {arguments.input_px} px, batches of {arguments.batch_size}, "
        f"{arguments.accelerator}, {arguments.precision}, {arguments.memory_format}, {arguments.clock} time\n"
        f"a step from the store of {arguments.canvas_px} px: {middle['store']:.1f} ms, of these "
        f"{middle['batch']:.1f} ms to read and scale and {middle['augment']:.1f} ms to augment\n"
        f"a step on a resident batch: {middle['resident']:.1f} ms; ratio {middle['store'] / middle['resident']:.3f}\n"
        f"the steps of an epoch of {RSNA_TRAINING_CASES:,} pictures: {minutes:.1f} minutes"
    )


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--backbone", default="tf_efficientnet_lite0")
    parser.add_argument("--input-px", type=int, default=224)
    parser.add_argument("--canvas-px", type=int, default=512)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--accelerator", choices=["auto", "cpu", "gpu"], default="auto")
    parser.add_argument("--precision", choices=["32-true", "bf16-mixed"], default="32-true")
    parser.add_argument("--memory-format", choices=["contiguous", "channels_last"], default="channels_last")
    parser.add_argument("--robust", action="store_true")
    parser.add_argument(
        "--clock",
        choices=sorted(CLOCKS),
        default="wall",
        help="processor: what this process uses of the CPU, for a machine that is busy with other work",
    )
    return parser.parse_args()


def make_task(folder: Path, arguments: argparse.Namespace) -> AgeTask:
    """A new network with noise to learn from; nothing is validated."""
    count = (arguments.steps + 1) * arguments.batch_size
    store = write_noise(folder, count, arguments.canvas_px)
    random = np.random.default_rng(0)
    cases = pd.DataFrame({"id": store.ids, "bone_age_months": random.uniform(12, 216, count)})
    samples = select_samples(store, cases.assign(sex="F"), arguments.input_px)
    shipped = parameters("ptl_regression")
    settings: RegressionSettings = {
        **shipped,
        "backbone": arguments.backbone,
        "input_px": arguments.input_px,
        "initial_weights": "random",
        "augment": shipped["augment"] | (ROBUST if arguments.robust else {}),
        "fit": {
            **shipped["fit"],
            "batch_size": arguments.batch_size,
            "memory_format": arguments.memory_format,
        },
    }
    model, _ = new_regressor(settings, 114.0, 50.0, PretrainedWeights(folder))
    return AgeTask(model, samples, samples, settings)


def measure(task: AgeTask, arguments: argparse.Namespace) -> dict[str, list[float]]:
    """Seconds of each step from the store, of two parts of it, and of each step on a resident batch."""
    fabric = Fabric(accelerator=arguments.accelerator, devices=1, precision=arguments.precision)
    task.begin_stage({"free": ["head", "exit", "middle", "entry"]})
    network, optimiser = fabric.setup(task.model, torch.optim.AdamW(task.model.parameters(), 1e-4))
    random = torch.Generator().manual_seed(0)
    batches = task.batches(arguments.batch_size, fabric.device, random)
    resident = next(batches)
    seconds: dict[str, list[float]] = {"store": [], "batch": [], "augment": [], "resident": []}
    clock = CLOCKS[arguments.clock]

    def learn(loss: torch.Tensor) -> None:
        optimiser.zero_grad()
        fabric.backward(loss)
        optimiser.step()
        wait(loss)

    def on_resident() -> None:
        scores = network(resident.images, resident.is_male, as_scores=True)
        learn(age_loss(task.model.ages(scores), resident.age_months, task.settings["fit"]["loss"])["loss"])

    on_resident()  # the first step is slower
    for _ in range(arguments.steps):
        start = clock()
        batch = next(batches)
        seconds["batch"].append(clock() - start)
        learn(task.losses(network, batch, random)["loss"])
        seconds["store"].append(clock() - start)
        for part, work in (
            ("resident", on_resident),
            ("augment", lambda: wait(augment_age(resident.images, task.settings["augment"], random))),
        ):
            start = clock()
            work()
            seconds[part].append(clock() - start)
    return seconds


def wait(values: torch.Tensor) -> None:
    """Let a GPU come to an end."""
    values.flatten()[0].item()


if __name__ == "__main__":
    main()
