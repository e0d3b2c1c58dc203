"""Nodes of `finger_selftrain` and `finger_study` where input does not fit together."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from boneage_kedro.datasets import Parts, PartsState
from boneage_kedro.imaging.sources import RadiographFolder
from boneage_kedro.imaging.store import ImageStore, ImageStoreWriter, StoreEntry, StoreHeader
from boneage_kedro.models.weights import PretrainedWeights
from boneage_kedro.pipelines.finger_selftrain.nodes import phalanges, predict_finger_masks
from boneage_kedro.pipelines.finger_study.nodes import summarise_study
from boneage_kedro.pipelines.mask_steps import check_masks, list_mask_problems, read_test_masks
from boneage_kedro.training.segmentation.network_training import new_segmenter
from tests.training.squares import SIDE, square_splits, square_store


@pytest.fixture
def params(parameters: dict[str, Any]) -> dict[str, Any]:
    mine = parameters["finger_selftrain"]
    mine["network"] |= {"input_px": SIDE, "width": 4, "depth": 2}
    return mine


@pytest.fixture
def images(tmp_path: Path) -> ImageStore:
    return square_store(tmp_path / "images", 6)[0]


def stored_masks(
    folder: Path, side: int = SIDE, binary: bool = True, ids: tuple[str, ...] = ()
) -> ImageStore:
    header = StoreHeader(side, {"classes": 4, "binary": binary, "canvas_px": SIDE})
    with ImageStoreWriter(folder, header) as writer:
        writer.append([StoreEntry(key, key, np.eye(side, dtype=np.uint8)) for key in ids])
        writer.append([StoreEntry("bad", "", record={"file": "bad.png"}, failure="bad.png: is empty")])
        writer.finish()
    return ImageStore(folder)


def predicted(images: ImageStore, weights: Any, params: dict[str, Any], state: PartsState) -> list[Parts]:
    network = new_segmenter(params["network"], 2, PretrainedWeights(Path()))
    settings = {
        "segmenter": network.config.as_dict(),
        "input_px": SIDE,
        "preparation": images.header.preparation,
    }
    return list(predict_finger_masks(images, weights, settings, state, params))


def weights_of(params: dict[str, Any], seed: int) -> dict[str, torch.Tensor]:
    params["network"]["fit"]["seed"] = seed
    return new_segmenter(params["network"], 2, PretrainedWeights(Path())).state_dict()


def test_masks_are_made_anew_by_another_network_and_not_by_the_same(
    images: ImageStore, params: dict[str, Any]
) -> None:
    first = weights_of(params, 1)
    parts = predicted(images, first, params, PartsState())
    made = {key for part in parts for key in part.items}
    assert made == set(images.ids)
    state = PartsState(parts[-1].made_by, frozenset(made))
    assert [part.items for part in predicted(images, first, params, state)] == [{}]
    other = predicted(images, weights_of(params, 2), params, state)
    assert other[-1].made_by != parts[-1].made_by
    assert {key for part in other for key in part.items} == made


def test_pictures_of_another_preparation_are_refused(images: ImageStore, params: dict[str, Any]) -> None:
    images.header.preparation["crop"] = True
    network = new_segmenter(params["network"], 2, PretrainedWeights(Path()))
    settings = {"segmenter": network.config.as_dict(), "input_px": SIDE, "preparation": {"crop": False}}
    with pytest.raises(ValueError, match="prepared in another way"):
        next(predict_finger_masks(images, network.state_dict(), settings, PartsState(), params))


@pytest.mark.parametrize(
    ("stored", "message"),
    [
        ({"side": 16}, r"finger_selftrain\.network\.input_px = 16, and it is 32 now"),
        ({"binary": False}, r"finger_selftrain\.binary = False, and it is True now"),
    ],
)
def test_masks_stored_for_other_parameters_are_refused(
    tmp_path: Path, images: ImageStore, params: dict[str, Any], stored: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        check_masks(stored_masks(tmp_path / "masks", **stored), images, phalanges(params))


def test_no_mask_in_the_test_part_is_told_before_any_training(
    tmp_path: Path, images: ImageStore, params: dict[str, Any]
) -> None:
    (tmp_path / "files").mkdir()
    files, splits = RadiographFolder(tmp_path / "files"), square_splits(6, 1, 2)
    masks = stored_masks(tmp_path / "masks", ids=("s00", "s01", "s03"))
    with pytest.raises(ValueError, match=r"no usable mask is in the test part .*train 2, validation 1"):
        read_test_masks(files, images, splits, masks, phalanges(params))


def test_problems_of_masks_are_listed_with_second_files(tmp_path: Path) -> None:
    (tmp_path / "files" / "again").mkdir(parents=True)
    for name in ("s00.png", "again/s00.png"):
        (tmp_path / "files" / name).write_bytes(b"x")
    found = list_mask_problems(stored_masks(tmp_path / "masks"), RadiographFolder(tmp_path / "files"))
    assert found["id"].tolist() == ["bad", "s00"]
    assert found["failure"].tolist() == ["bad.png: is empty", "is used, and not s00.png of the same id"]


def test_a_mask_whose_file_is_gone_is_listed_without_a_name(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    with ImageStoreWriter(tmp_path / "masks", StoreHeader(SIDE, {})) as writer:
        writer.append([StoreEntry("s00", "", failure="the file is gone")])
        writer.finish()
    found = list_mask_problems(ImageStore(tmp_path / "masks"), RadiographFolder(tmp_path / "files"))
    assert found["id"].tolist() == ["s00"]
    assert found["file"].isna().all()


def study(*cells: tuple[str, int]) -> pd.DataFrame:
    rows = [
        {
            "arm": arm,
            "seed": seed,
            "round": number,
            "test_dice": 0.8 + 0.1 * number + 0.01 * seed,
            "pseudo_dice": 0.9,
            "cases": 7,
        }
        for arm, seed in cells
        for number in (0, 1)
    ]
    return pd.DataFrame(rows)


def test_a_study_is_summed_up_over_its_seeds() -> None:
    params = {"arms": [{"name": "a"}, {"name": "b"}], "seeds": [1, 3]}
    summary = summarise_study(study(("a", 1), ("a", 3), ("b", 1), ("b", 3)), params)
    row = summary.set_index("arm").loc["a"]
    assert (row["seeds"], row["cases"]) == (2, 7)
    assert (row["first"], row["last"]) == pytest.approx((0.82, 0.92))
    assert row["last_sd"] == pytest.approx(0.01 * 2**0.5)
    assert (row["gain"], row["gain_sd"]) == pytest.approx((0.1, 0))


def test_half_a_study_is_not_summed_up() -> None:
    params = {"arms": [{"name": "a"}, {"name": "b"}], "seeds": [1, 3]}
    with pytest.raises(ValueError, match=r"1 of 4 trainings are missing, such as \('b', 3\)"):
        summarise_study(study(("a", 1), ("a", 3), ("b", 1)), params)
