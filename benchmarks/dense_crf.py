"""Speed of the dense CRF's backends on the same phantoms in one run, and their distance from exact mean field.

    python benchmarks/dense_crf.py --count 6 --threads 2

Settings are those of paper 000, table I, with all 50 steps forced unless said otherwise. Backends take turns, picture
by picture, and the ratio is that of the pictures a second.
"""

import argparse
import time
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from boneage_kedro.cohort.sex import Sex
from boneage_kedro.masks.crf_settings import CrfSettings
from boneage_kedro.masks.dense_crf import refine, refine_exactly
from boneage_kedro.phantom import fabricate_hand
from boneage_kedro.training.segmentation.overlap import label_dice
from shipped import parameters

SETTINGS: CrfSettings = {**parameters("finger_selftrain")["crf"], "tolerance": 0.0}
TOLERANCE = 1e-3
BACKENDS = ("pydensecrf", "torch")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=6, help="phantoms")
    parser.add_argument("--threads", type=int, default=2, help="threads of torch")
    parser.add_argument("--piece_px", type=int, default=32, help="side of the pieces held against exact")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    for classes in (2, 4):
        report_agreement(arguments.count, classes, arguments.piece_px)
    pictures = [make_picture(seed, classes=2) for seed in range(arguments.count)]
    report_speed(pictures, "cpu", SETTINGS)
    report_speed(pictures, "cpu", {**SETTINGS, "tolerance": TOLERANCE})
    if torch.cuda.is_available():
        report_speed(pictures, "cuda", SETTINGS)


def make_picture(seed: int, classes: int, piece_px: int | None = None) -> tuple[Tensor, Tensor]:
    """Blurred and disturbed truth of a phantom (1, K, H, W) and its image (1, H, W), or a piece around a bone."""
    rng = np.random.default_rng(seed)
    phantom = fabricate_hand(30 + 25 * (seed % 8), list(Sex)[seed % 2], seed, size_px=512)
    image, bones = phantom.image, phantom.bones
    if piece_px:
        # anywhere that the piece fits around a pixel of bone
        inside = np.s_[piece_px // 2 : -piece_px // 2, piece_px // 2 : -piece_px // 2]
        top, left = rng.choice(np.argwhere(bones[inside]))
        piece = np.s_[top : top + piece_px, left : left + piece_px]
        image, bones = image[piece], bones[piece]
    labels = bones > 0 if classes == 2 else bones % classes
    planes = (labels == np.arange(classes)[:, None, None]).astype(np.float32)
    noise = rng.normal(0, 0.6, planes.shape).astype(np.float32)
    soft = [blur(plane, 4) + np.abs(blur(each, 2)) for plane, each in zip(planes, noise, strict=True)]
    probabilities = torch.from_numpy(np.stack(soft) + 0.02)
    return (probabilities / probabilities.sum(0))[None], torch.from_numpy(image.copy())[None]


def blur(plane: np.ndarray, sigma_px: float) -> np.ndarray:
    return cv2.GaussianBlur(plane, (0, 0), sigma_px)


def report_agreement(count: int, classes: int, piece_px: int) -> None:
    pieces = [make_picture(seed, classes, piece_px) for seed in range(count)]
    exact = [refine_exactly(probabilities[0], image[0], SETTINGS) for probabilities, image in pieces]
    for backend in BACKENDS:
        settings: Any = {**SETTINGS, "backend": backend}
        found = [refine(*piece, settings, ["piece"])[0] for piece in pieces]
        errors = torch.stack([(a - b).abs() for a, b in zip(found, exact, strict=True)])
        dice = label_dice(torch.stack(found).argmax(1), torch.stack(exact).argmax(1)).mean()
        print(
            f"{backend:10} {classes} classes, {count} pieces of {piece_px} px against exact: "
            f"|dp| max {errors.max():.3f} mean {errors.mean():.5f}, Dice of labels {dice:.4f}"
        )


def report_speed(pictures: list[tuple[Tensor, Tensor]], device: str, settings: CrfSettings) -> None:
    seconds = dict.fromkeys(BACKENDS, 0.0)
    refine(*(each.to(device) for each in pictures[0]), settings, ["warm-up"])
    for probabilities, image in pictures:
        on_device = probabilities.to(device), image.to(device)
        for backend in BACKENDS:
            chosen: Any = {**settings, "backend": backend}
            start = time.perf_counter()
            refine(*on_device, chosen, ["picture"]).sum().item()  # waits for the device
            seconds[backend] += time.perf_counter() - start
    theirs, ours = (len(pictures) / seconds[backend] for backend in BACKENDS)
    print(
        f"{device}, tolerance {settings['tolerance']:g}: pydensecrf {theirs:.2f}, torch {ours:.2f} pictures/s: "
        f"{ours / theirs:.1f} times"
    )


if __name__ == "__main__":
    main()
