"""Fit the small network of `boneage_kedro.imaging.preparation.recognition` and write its weights.

    python benchmarks/fit_recognition.py --phantoms 8000 \\
        --radiographs DATA/small100.zip --sizes DATA/original_sizes.csv \\
        --without DATA/half DATA/keypoints3.csv DATA/hand_pose21.csv \\
        --output src/boneage_kedro/imaging/preparation/recognition.npz

Ten minutes on one core, most of them for phantoms. The network is wide enough for a picture of 32 x 32 and small
enough to cost about a tenth of a millisecond; pictures are jittered in place, size, turn and gamma so that it leans
neither on the phantom's own habits nor on those of one archive. Archives hold a few hands that lie otherwise and
nobody has told which: radiographs that a network of phantoms alone takes for upright left hands are learnt from.
"""

import argparse
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import torch

from boneage_kedro.cohort.sex import Sex
from boneage_kedro.imaging.preparation.framing import find_field
from boneage_kedro.imaging.preparation.prepare import shrink
from boneage_kedro.imaging.preparation.recognition import (
    APPEARANCES,
    AS_IT_SHOULD,
    VIEW_PX,
    field_view,
    turned_views,
)
from boneage_kedro.imaging.reading import read_radiograph
from boneage_kedro.imaging.sources import RadiographFolder, RadiographSource
from boneage_kedro.phantom.hand import fabricate_hand
from boneage_kedro.phantom.nuisance import draw_nuisance

SIZE_PX = 160
HIDDEN_UNITS = 128
EPOCHS = 40
BATCH = 64
SEED = 0
TARGET = APPEARANCES.index(AS_IT_SHOULD)


def upright_view(seed: int) -> np.ndarray:
    """A phantom with all its nuisance but inversion and mirroring, turned by 42 degrees at most."""
    random = np.random.default_rng(seed)
    nuisance = replace(
        draw_nuisance(random),
        mirrored=False,
        inverted=False,
        rotation_deg=float(np.clip(random.normal(0, 15), -42, 42)),
    )
    sex = Sex.MALE if seed % 2 else Sex.FEMALE
    return view_of(shrink(fabricate_hand(float(random.uniform(8, 225)), sex, seed, SIZE_PX, nuisance).image))


def view_of(thumbnail: np.ndarray) -> np.ndarray:
    """What `recognise` sees of a picture."""
    return field_view(find_field(thumbnail).view(thumbnail))


def thumbnails(
    radiographs: Mapping[str, RadiographSource], sizes: Path | None
) -> Iterator[tuple[str, np.ndarray]]:
    """Id and thumbnail of radiographs; with a table of true widths and heights of those squashed into a square."""
    shapes = pd.read_csv(sizes, dtype={"id": str}, index_col="id") if sizes else None
    for key, source in radiographs.items():
        pixels = read_radiograph(source.read_bytes(), key).pixels
        if shapes is not None:
            width, height = shapes.loc[key] * (max(pixels.shape) / shapes.loc[key].max())
            true_shape = max(1, round(width)), max(1, round(height))
            pixels = cv2.resize(pixels, true_shape, interpolation=cv2.INTER_AREA)
        yield key, shrink(pixels)


def ids_in(path: Path) -> Iterable[str]:
    """Of a folder of radiographs, or of a table."""
    return RadiographFolder(path) if path.is_dir() else pd.read_csv(path, dtype={"id": str})["id"]


def jitter(view: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """The view a little turned, scaled, shifted and of another gamma."""
    middle = (VIEW_PX - 1) / 2
    move = cv2.getRotationMatrix2D((middle, middle), random.normal(0, 6), random.uniform(0.85, 1.15))
    move[:, 2] += random.normal(0, 1.2, 2)
    moved = cv2.warpAffine(view, move, view.shape, borderMode=cv2.BORDER_REPLICATE)
    return np.clip(moved, 0, 1) ** np.float32(np.exp(random.normal(0, 0.3)))


def sixteen(views: np.ndarray) -> torch.Tensor:
    """(N, VIEW_PX, VIEW_PX) views to (N, 16, pixels), in the order of `APPEARANCES`."""
    turned = np.stack([turned_views(view) for view in views])
    return torch.from_numpy(np.concatenate([turned, -turned], axis=1))


def batches(views: np.ndarray, random: np.random.Generator) -> Iterator[torch.Tensor]:
    """One pass over the views in random order, each jittered anew."""
    for chosen in np.array_split(random.permutation(len(views)), max(1, len(views) // BATCH)):
        yield sixteen(np.stack([jitter(views[index], random) for index in chosen]))


def fit(views: np.ndarray) -> torch.nn.Sequential:
    """Teach the network to tell the right one of the 16 versions from the others."""
    torch.manual_seed(SEED)
    random = np.random.default_rng(SEED)
    network = torch.nn.Sequential(
        torch.nn.Linear(VIEW_PX**2, HIDDEN_UNITS),
        torch.nn.ReLU(),
        torch.nn.Dropout(0.15),
        torch.nn.Linear(HIDDEN_UNITS, 1, bias=False),
    )
    optimiser = torch.optim.AdamW(network.parameters(), 1e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, EPOCHS)
    for _ in range(EPOCHS):
        for batch in batches(views, random):
            scores = network(batch).squeeze(-1)
            loss = torch.nn.functional.cross_entropy(scores, torch.full((len(batch),), TARGET))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        schedule.step()
    return network.eval()


@torch.inference_mode()
def looks_right(network: torch.nn.Sequential, views: np.ndarray) -> np.ndarray:
    """Of which of (N, VIEW_PX, VIEW_PX) views no other version looks more like an upright left hand."""
    return np.array([int(network(sixteen(view[None])).argmax()) == TARGET for view in views])


def save(network: torch.nn.Sequential, path: Path) -> None:
    """Write the weights in half precision under the names that `recognition` reads."""
    state = network.state_dict()
    arrays = {"hidden": state["0.weight"].T, "bias": state["0.bias"], "output": state["3.weight"][0]}
    np.savez_compressed(path, **{name: value.numpy().astype(np.float16) for name, value in arrays.items()})


def main() -> None:
    """Fabricate, fit, choose radiographs, fit again, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--phantoms", type=int, required=True)
    parser.add_argument("--radiographs", type=Path, help="folder or archive; without it phantoms are all")
    parser.add_argument("--sizes", type=Path, help="table of id and true width and height of radiographs")
    parser.add_argument("--without", type=Path, nargs="*", default=[], help="tables of ids, or folders")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    views = np.stack([upright_view(seed) for seed in range(arguments.phantoms)])
    network = fit(views)
    if arguments.radiographs:
        left_out = {key for path in arguments.without for key in ids_in(path)}
        radiographs = RadiographFolder(arguments.radiographs)
        chosen = {key: radiographs[key] for key in radiographs if key not in left_out}
        real = np.stack([view_of(small) for _, small in thumbnails(chosen, arguments.sizes)])
        right = looks_right(network, real)
        print(f"{right.sum()} of {len(real)} radiographs look like upright left hands and are learnt from")
        network = fit(np.concatenate([views, real[right]]))
    save(network, arguments.output)


if __name__ == "__main__":
    main()
