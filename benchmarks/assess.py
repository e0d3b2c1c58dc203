"""How `assess` starts, keeps up with its network, and keeps its memory flat.

    OMP_NUM_THREADS=1 python -m benchmarks.assess --counts 10 1000
    OMP_NUM_THREADS=1 python -m benchmarks.assess --package FOLDER --dicom

The files are phantoms of 512 px, ten that come again under other names. Without a package an untrained
EfficientNet-lite0 at 224 px reads them. First all that is done to them but the writing of results is held against the
bare forwards of the same network on the same pictures, prepared and in memory, in seconds of the processor: so other
work on the machine does not count. Then each number of files is given to the command as a user gives it, in a process
of its own, and reported are the seconds until the table of predictions has its first row, on the clock and of the
processor (Linux alone tells these), and the peak of memory.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from benchmarks.shipped import parameters, preparation
from tests.imaging.files import dicom, encoded
from tests.packages import untrained

from boneage_kedro.cohort.sex import Sex
from boneage_kedro.cohort.tables import read_case_table
from boneage_kedro.handover.package import ModelPackage, load_package, write_package
from boneage_kedro.imaging.preparation.prepare import prepare
from boneage_kedro.imaging.reading import read_radiograph
from boneage_kedro.imaging.sources import RadiographFolder
from boneage_kedro.phantom import fabricate_hand
from boneage_kedro.pipelines.assess.nodes import assess_new_cases
from boneage_kedro.training.ages.predict import read_ages
from boneage_kedro.training.ages.regression import build_regressor, views_in
from boneage_kedro.training.batches import to_input

PHANTOMS, SIDE_PX = 10, 512
SETTINGS = parameters("assess") | {"accelerator": "cpu"}
KEDRO = ["-m", "kedro", "run", "--env=test", "--pipelines=assess"]


class Seconds(NamedTuple):
    """On the clock, and of the processor."""

    clock: float
    processor: float

    def __str__(self) -> str:
        return f"{self.clock:.1f} s ({self.processor:.1f} s of the processor)"


class Start(NamedTuple):
    """What a run of the command took: until the first row, until its end, and the peak of memory."""

    first_row: Seconds
    whole: Seconds
    peak_mib: float


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--package", type=Path, help="folder of a packed model")
    parser.add_argument("--counts", type=int, nargs="*", default=[10, 1000], help="of files")
    parser.add_argument("--rate-of", type=int, default=64, help="files that the rate is measured on")
    parser.add_argument("--dicom", action="store_true", help="DICOM files in place of PNG")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        package = arguments.package or write_untrained(place / "package")
        report_rate(load_package(package), write_files(place / "rate", arguments.rate_of, arguments.dicom))
        for count in arguments.counts:
            files = write_files(place / str(count), count, arguments.dicom)
            start = run_command(files, package.resolve())
            print(
                f"{count} files: first row after {start.first_row}, all after {start.whole}, "
                f"peak {start.peak_mib:.0f} MiB"
            )


def write_untrained(folder: Path) -> Path:
    """A package of the size that real ones have."""
    write_package(folder, untrained(preparation(256), backbone="tf_efficientnet_lite0", input_px=224))
    return folder


def write_files(folder: Path, count: int, as_dicom: bool) -> Path:
    """Files ``images/*`` and their table ``cases.csv``."""
    (folder / "images").mkdir(parents=True)
    encode, suffix = (dicom_file, ".dcm") if as_dicom else (lambda hand: encoded(hand, ".png"), ".png")
    contents = [encode(hand(i)) for i in range(min(count, PHANTOMS))]
    names = [f"h{i:04d}" for i in range(count)]
    for i, name in enumerate(names):
        (folder / "images" / f"{name}{suffix}").write_bytes(contents[i % PHANTOMS])
    pd.DataFrame({"id": names, "sex": "F"}).to_csv(folder / "cases.csv", index=False)
    return folder


def hand(number: int) -> np.ndarray:
    return fabricate_hand(30 + 18 * number, Sex.FEMALE, number, SIDE_PX).image


def dicom_file(pixels: np.ndarray) -> bytes:
    study = {"StudyInstanceUID": "1.2.3.4", "SeriesInstanceUID": "1.2.3.4.5", "Modality": "DX"}
    return dicom(pixels, Rows=pixels.shape[0], Columns=pixels.shape[1], **study)


def report_rate(package: ModelPackage, files: Path) -> None:
    """Print how much of the time the network itself takes."""
    torch.set_num_threads(1)
    cases = read_case_table(pd.read_csv(files / "cases.csv", dtype=str))
    radiographs = RadiographFolder(files / "images")

    def assess(some: pd.DataFrame) -> None:
        for _ in assess_new_cases(some, radiographs, package, SETTINGS):
            pass

    forwards = bare_forwards(package, radiographs)
    assess(cases[:1])  # what is imported and built on first use
    forwards()
    spent = seconds_of(lambda: assess(cases))
    bare = seconds_of(forwards)
    print(
        f"{len(cases) / spent:.1f} files a second of the processor, {bare / spent:.2f} of the bare network's "
        f"{len(cases) / bare:.1f}"
    )


def bare_forwards(package: ModelPackage, radiographs: RadiographFolder) -> Callable[[], None]:
    """The forwards alone, in batches of the same size."""
    network, settings = (
        build_regressor(dict(package.age.weights), dict(package.age.settings)),
        package.age.settings,
    )
    ready = [
        prepare(read_radiograph(file.path), settings["preparation"]).image for file in radiographs.values()
    ]
    images = to_input(torch.from_numpy(np.stack(ready)), network.config.input_px)

    @torch.inference_mode()
    def forwards() -> None:
        for batch in images.split(SETTINGS["batch_size"]):
            read_ages(network, batch, torch.zeros(len(batch), dtype=torch.bool), views_in(settings))

    return forwards


def seconds_of(work: Callable[[], None]) -> float:
    """Seconds of the processor that all threads of this process take for it."""
    start = time.process_time()
    work()
    return time.process_time() - start


def run_command(files: Path, package: Path) -> Start:
    """Give files to the command, and watch its table."""
    places = {
        "images": files / "images",
        "cases": files / "cases.csv",
        "output": files / "out",
        "package": package,
    }
    given = ",".join(f"assess_{name}={place}" for name, place in places.items())
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *KEDRO, f"--params={given}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while process_is_there(process.pid) and not has_row(files / "out" / "predictions.csv"):
        time.sleep(0.02)
    first_row = Seconds(time.perf_counter() - start, processor_seconds(process.pid))
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args)
    whole = Seconds(time.perf_counter() - start, usage.ru_utime + usage.ru_stime)
    return Start(first_row, whole, usage.ru_maxrss / 1024)


def process_is_there(pid: int) -> bool:
    """Whether it still runs; one that has ended is kept as a zombie until it is waited for."""
    return state_of(pid)[0] != "Z"


def processor_seconds(pid: int) -> float:
    """What all threads of a process have had until now, by user and system."""
    user, system = state_of(pid)[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def state_of(pid: int) -> list[str]:
    """The fields of ``/proc/PID/stat`` behind the name of the process (proc(5))."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def has_row(table: Path) -> bool:
    return table.exists() and table.read_bytes().count(b"\n") > 1


if __name__ == "__main__":
    main()
