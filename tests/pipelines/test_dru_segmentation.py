"""Nodes of `dru_segmentation` and `dru_study` where input does not fit together, and what they sum up."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from boneage_kedro.imaging.geometry import UPRIGHT, Box, canvas_transform
from boneage_kedro.imaging.store import ImageStore, ImageStoreWriter, StoreEntry, StoreHeader
from boneage_kedro.masks.drawn.labelme import write_labelme
from boneage_kedro.masks.forearm.block import FOREARM_LABELS
from boneage_kedro.models.weights import PretrainedWeights
from boneage_kedro.pipelines.dru_segmentation.nodes import (
    draw_forearms,
    gather_blocks,
    gather_forearms,
    read_test_outlines,
    split_forearms,
)
from boneage_kedro.pipelines.dru_study.nodes import draw_dru_arms, summarise_dru_arms

IDS = ["a", "b", "c"]
SIDE = 100
SPLITS = pd.DataFrame({"id": IDS, "split": ["train", "test", "calibration"]})


def outlined() -> np.ndarray:
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[50:90, 20:40] = 1
    mask[50:90, 50:60] = 2
    return mask


@pytest.fixture
def outlines(tmp_path: Path) -> Path:
    folder = tmp_path / "outlines"
    folder.mkdir()
    for key in ("a", "b"):
        (folder / f"{key}.json").write_text(write_labelme(outlined(), FOREARM_LABELS, f"{key}.png", 0.0))
    return folder


@pytest.fixture
def images(tmp_path: Path) -> ImageStore:
    whole = Box(0, 0, SIDE, SIDE)
    record = {
        "source_shape": [SIDE, SIDE],
        "transform": canvas_transform(whole, UPRIGHT, SIDE).tolist(),
        "crop": whole._asdict(),
    }
    with ImageStoreWriter(tmp_path / "images", StoreHeader(SIDE, {})) as writer:
        writer.append([StoreEntry(key, key, np.zeros((SIDE, SIDE), np.uint8), record) for key in IDS])
        writer.finish()
    return ImageStore(tmp_path / "images")


def drawn_boxes(*rows: tuple[str, str, int]) -> pd.DataFrame:
    table = [
        {"id": key, "annotator_set": reader, "label": bone, "xmin": left, "ymin": 50, "xmax": left + 20}
        for key, reader, left in rows
        for bone in FOREARM_LABELS
    ]
    size = {"ymax": 60, "img_width": SIDE, "img_height": SIDE}
    return pd.DataFrame([row | size for row in table]).astype(str)


def test_outlined_cases_are_in_the_part_that_their_table_names(outlines: Path) -> None:
    parts = pd.DataFrame({"id": ["a", "b"], "part": ["test", "validation"]})
    found = split_forearms(SPLITS, parts, outlines).set_index("id")["split"]
    assert found.to_dict() == {"a": "test", "b": "validation", "c": "calibration"}
    assert split_forearms(SPLITS, None, outlines) is SPLITS
    with pytest.raises(ValueError, match="outlines without a part: b"):
        split_forearms(SPLITS, parts.head(1), outlines)


def test_boxes_that_people_drew_go_before_those_of_outlines(
    outlines: Path, images: ImageStore, parameters: dict[str, Any]
) -> None:
    params = parameters["dru_segmentation"] | {"readers": ["first", "second"]}
    raw = drawn_boxes(("b", "second", 10), ("b", "first", 30), ("c", "third", 5), ("strange", "first", 5))
    blocks, findings = gather_blocks(outlines, images, raw, params)
    assert dict(zip(blocks["id"], blocks["reader"], strict=True)) == {"b": "first", "a": "outline"}
    assert blocks.set_index("id").loc["b", ["left", "right"]].tolist() == [30, 50]
    assert findings.empty
    alone, _ = gather_blocks(outlines, images, None, params)
    assert alone["reader"].tolist() == ["outline"] * 2


def test_without_an_outline_in_the_test_part_it_is_told_before_any_training(
    outlines: Path, images: ImageStore
) -> None:
    assert list(read_test_outlines(outlines, images, SPLITS)) == ["b"]
    (outlines / "b.json").write_text("[")
    with pytest.raises(ValueError, match="no usable outline in outlines is in the test part"):
        read_test_outlines(outlines, images, SPLITS)


def test_a_case_without_a_forearm_is_not_learnt_from(
    tmp_path: Path, outlines: Path, images: ImageStore
) -> None:
    with ImageStoreWriter(tmp_path / "cut", images.header) as writer:
        writer.append([StoreEntry("c", "c", images["c"], images.record("c"))])
        writer.append([StoreEntry("a", "", failure="a.png: no forearm was found")])
        writer.finish()
    forearms = ImageStore(tmp_path / "cut")
    data = gather_forearms(images, forearms, SPLITS, forearms, outlines, PretrainedWeights(tmp_path))
    assert data.splits["id"].tolist() == ["c"]
    assert list(data.test) == ["b"]  # it counts in the test, as missed


def study(*cells: tuple[str, int]) -> pd.DataFrame:
    rows = [
        {
            "arm": arm,
            "seed": seed,
            "iteration": 10 * epoch,
            "labels": 5,
            "cases": 7,
            "train_loss": 1 / epoch,
            "validation_loss": 2 / epoch,
            **{f"validation_iou_{name}": 0.4 * epoch for name in ("overall", *FOREARM_LABELS)},
            **{f"test_iou_{bone}": 0.8 + 0.01 * seed if epoch == 2 else np.nan for bone in FOREARM_LABELS},
        }
        for arm, seed in cells
        for epoch in (1, 2)
    ]
    return pd.DataFrame(rows)


ARMS = [
    {"name": "x", "preset": "p", "labelled": 0},
    {"name": "y", "preset": "p", "labelled": 3, "network": {"architecture": "fcn8s"}},
]


def test_a_study_is_summed_up_over_its_seeds_and_not_by_halves() -> None:
    params = {"arms": ARMS, "seeds": [1, 3]}
    summary = summarise_dru_arms(study(("x", 1), ("x", 3), ("y", 1), ("y", 3)), params)
    row = summary.set_index("arm").loc["x"]
    assert (row["seeds"], row["labels"], row["cases"]) == (2, 5, 7)
    assert (row["iou_ulna"], row["iou_ulna_sd"]) == pytest.approx((0.82, 0.01 * 2**0.5))
    with pytest.raises(ValueError, match=r"1 of 4 trainings are missing, such as \('y', 3\)"):
        summarise_dru_arms(study(("x", 1), ("x", 3), ("y", 1)), params)


def test_curves_have_a_line_for_each_arm_on_all_pictures_and_one_for_each_network() -> None:
    params = {"arms": ARMS, "seeds": [1]}
    curves, labels = draw_dru_arms(study(("x", 1), ("y", 1)), params, "tests")
    assert [len(axis.lines) for axis in curves.axes] == [1] * 5
    texts = [text.get_text() for text in labels.axes[-1].get_legend().get_texts()]
    assert texts == ["p", "fcn8s"]


def test_no_forearm_at_all_still_gives_figures(images: ImageStore, parameters: dict[str, Any]) -> None:
    history = study(("x", 1)).drop(columns=["arm", "seed"])
    for measure in ("precision", "recall"):
        for name in ("overall", *FOREARM_LABELS):
            history[f"validation_{measure}_{name}"] = 0.5
    cases = pd.DataFrame({"id": ["z"], "sex": ["F"], "bone_age_months": [60.0]})
    sheet, curves = draw_forearms(images, {}, cases, history, parameters["dru_segmentation"], "tests")
    assert len(curves.axes) == 4
    assert sheet.axes
