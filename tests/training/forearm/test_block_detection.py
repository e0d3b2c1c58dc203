from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save_file

from boneage_kedro.evaluation.segmentation.detection import box_iou
from boneage_kedro.imaging.boxes import box_around
from boneage_kedro.models.block_detector import BlockDetector, DetectorConfig
from boneage_kedro.models.weights import PretrainedWeights, PretrainedWeightsMissing
from boneage_kedro.training.augment import grid_of, sample
from boneage_kedro.training.checkpoint import CheckpointFile
from boneage_kedro.training.forearm.block_detection import (
    block_loss,
    build_block_detector,
    detect_blocks,
    heat_of,
    new_detector,
    train_block_detector,
)
from boneage_kedro.training.forearm.block_samples import (
    augment_boxes,
    box_in_source,
    boxes_in_store,
    end_above,
    keep_seen,
    move_boxes,
)
from boneage_kedro.training.segmentation.samples import Pictures

from ..squares import SIDE, square_splits, square_store

STILL = {
    "rotation_deg": 0,
    "shear_deg": 0,
    "zoom": 0,
    "log_aspect": 0,
    "shift": 0,
    "flip_probability": 0,
    "brightness": 0,
    "contrast": 0,
    "log_gamma": 0,
}
SETTINGS = {
    "input_px": SIDE,
    "width": 4,
    "depth": 2,
    "initial_weights": "random",
    "epoch_samples": 24,
    "cut_share": 0.2,
    "threshold": 0.3,
    "fit": {
        "batch_size": 8,
        "optimiser": "adamw",
        "weight_decay": 0.0,
        "schedule": "constant",
        "accelerator": "cpu",
        "precision": "32-true",
        "seed": 0,
    },
    "augment": {**STILL, "flip_probability": 0.5},
}
STAGES = [{"name": "first", "learning_rate": 0.01, "max_epochs": 20, "patience": 20}]
NONE = torch.full((4,), torch.nan)


def blocks_of(masks: dict[str, np.ndarray]) -> pd.DataFrame:
    rows = [[key, *box_around(mask != 0), SIDE, SIDE] for key, mask in masks.items()]
    return pd.DataFrame(rows, columns=["id", "left", "top", "right", "bottom", "width", "height"])


def test_it_learns_to_find_squares_and_to_say_that_there_is_none(tmp_path: Path) -> None:
    store, masks = square_store(tmp_path / "store", 24)
    splits = square_splits(24, 4, 4).set_index("id")["split"].to_dict()
    blocks = blocks_of(masks)
    checkpoint = CheckpointFile(tmp_path / "checkpoint.pt")
    model, described, history = train_block_detector(
        store, blocks, splits, checkpoint, SETTINGS, STAGES, PretrainedWeights(tmp_path)
    )
    assert history[-1]["validation_iou"] <= max(epoch["validation_iou"] for epoch in history)
    test = Pictures.of(store, [key for key, part in splits.items() if part == "test"], SIDE)
    truth = boxes_in_store(blocks, store)
    again = build_block_detector(model.state_dict(), described)
    device = torch.device("cpu")
    found = dict(detect_blocks(again, test, 0.3, 2, device))
    assert np.mean([box_iou(found[key].box, truth[key]) for key in test.ids]) > 0.6
    cut = dict(detect_blocks(again, test, 0.3, 2, device, cut_above=truth))
    assert np.mean([one.confidence for one in cut.values()]) < 0.5 * np.mean(
        [one.confidence for one in found.values()]
    )


def test_boxes_of_another_size_reach_the_store_and_come_back(tmp_path: Path) -> None:
    store, masks = square_store(tmp_path, 2)
    blocks = blocks_of(masks)
    sides = ["left", "right", "width"]
    doubled = blocks.assign(**{side: 2 * blocks[side] for side in sides})
    found = boxes_in_store(doubled, store)
    wanted = blocks.set_index("id").loc["s00", ["left", "top", "right", "bottom"]].to_numpy(float)
    np.testing.assert_allclose(found["s00"], wanted / SIDE)
    np.testing.assert_allclose(box_in_source(found["s00"], store, "s00"), wanted, atol=1e-4)


def test_cases_that_the_store_lacks_are_passed_over(tmp_path: Path) -> None:
    store, masks = square_store(tmp_path, 2)
    other = blocks_of(masks).replace({"id": {"s01": "x"}})
    assert list(boxes_in_store(other, store)) == ["s00"]


@pytest.mark.parametrize(
    "theta",
    [
        [[1.0, 0, 0.25], [0, 1, -0.5]],  # shifted
        [[-1.0, 0, 0], [0, 1, 0]],  # mirrored
        [[0.5, 0, 0], [0, 0.5, 0]],  # enlarged
        [[0.0, -1, 0], [1, 0, 0]],  # turned by a quarter
        [[0.0, -0.8, 0.1], [-0.8, 0, 0.1]],
    ],
)
def test_a_box_moves_as_its_picture_does(theta: list[list[float]]) -> None:
    images = torch.zeros(1, 1, 64, 64)
    images[..., 24:36, 30:46] = 1
    boxes = torch.tensor([[30.0, 24, 46, 36]]) / 64
    moved = sample(images, grid_of(torch.tensor([theta]), images), "nearest")[0, 0] > 0.5
    found = keep_seen(move_boxes(boxes, torch.tensor([theta]))).numpy()[0] * 64
    np.testing.assert_allclose(found, box_around(moved.numpy()), atol=1.01)


def test_a_round_thing_keeps_its_box_when_it_turns() -> None:
    half = 0.5**0.5
    theta = torch.tensor([[[half, -half, 0], [half, half, 0]]])
    box = torch.tensor([[0.4, 0.4, 0.6, 0.6]])
    torch.testing.assert_close(move_boxes(box, theta), box)


def test_a_box_that_has_left_the_picture_is_none() -> None:
    boxes = torch.tensor([[-0.1, 0, 0.3, 0.5], [0.9, 0, 1.2, 1]])
    found = keep_seen(torch.cat([boxes, NONE[None]]))
    torch.testing.assert_close(found[0], torch.tensor([0.0, 0, 0.3, 0.5]))
    assert found[1:].isnan().all()


def test_a_picture_that_ends_above_the_block_is_black_from_there_on() -> None:
    images = torch.ones(2, 1, 4, 4)
    found = end_above(images, torch.tensor([0.5, torch.nan]))
    assert found[0, 0, :, 0].tolist() == [1, 1, 0, 0]
    assert found[1].all()


def test_augmentation_ends_as_many_pictures_above_their_block_as_asked() -> None:
    images = torch.full((8, 1, 16, 16), 0.5)
    boxes = torch.tensor([[0.25, 0.5, 0.75, 0.75]]).repeat(8, 1)
    for share in (0.0, 1.0):
        settings = {**SETTINGS, "augment": STILL, "cut_share": share}
        changed, left = augment_boxes(images, boxes, settings, torch.Generator().manual_seed(0))
        assert bool(left.isnan().all()) == bool(share)
        assert changed[:, :, 8:].any() == (not share)
        assert (changed[:, :, :8] == 0.5).all()


def test_heat_is_one_at_the_centre_alone_and_nowhere_without_a_box() -> None:
    boxes = torch.stack([torch.tensor([0.25, 0.5, 0.5, 0.75]), NONE])
    heat = heat_of(boxes, torch.zeros(2, 1, 16, 32))
    assert (heat == 1).nonzero().tolist() == [[0, 10, 12]]
    assert not heat[1].any()


def test_the_loss_is_least_for_the_truth() -> None:
    images = torch.zeros(2, 1, 16, 16)
    truth = torch.stack([torch.tensor([0.25, 0.5, 0.5, 0.75]), NONE])
    heat = heat_of(truth, images)
    boxes = truth.nan_to_num(0)[:, None, None].expand(2, 16, 16, 4)
    right = block_loss((heat == 1) * 40.0 - 20, boxes, truth, heat)
    assert right["loss"] < 1e-3 and right["iou"] == pytest.approx(1)
    shifted = boxes + torch.tensor([0.0625, 0, 0.0625, 0])
    assert block_loss((heat == 1) * 40.0 - 20, shifted, truth, heat)["iou"] == pytest.approx(0.6)
    assert block_loss(torch.full_like(heat, -20.0), boxes, truth, heat)["loss"] > 5  # missed
    assert block_loss(torch.full_like(heat, 20.0), boxes, truth, heat)["loss"] > 5  # everywhere


def test_pictures_without_any_block_give_a_finite_loss_to_learn_from() -> None:
    logits = torch.zeros(1, 8, 8, requires_grad=True)
    boxes = torch.rand(1, 8, 8, 4, requires_grad=True)
    found = block_loss(logits, boxes, NONE[None], torch.zeros(1, 8, 8))
    found["loss"].backward()
    assert logits.grad is not None and logits.grad.isfinite().all() and logits.grad.any()
    assert boxes.grad is None or boxes.grad.isfinite().all()


def test_without_boxes_nothing_is_trained(tmp_path: Path) -> None:
    store, masks = square_store(tmp_path / "store", 4)
    blocks = blocks_of(masks).assign(left=np.nan)
    splits = square_splits(4, 1, 0).set_index("id")["split"].to_dict()
    with pytest.raises(ValueError, match="with 0 boxes in training and 1 pictures in validation"):
        train_block_detector(
            store,
            blocks,
            splits,
            CheckpointFile(tmp_path / "c.pt"),
            SETTINGS,
            STAGES,
            PretrainedWeights(tmp_path),
        )


def test_it_begins_with_the_weights_that_are_named(tmp_path: Path) -> None:
    earlier = fresh()
    save_file(earlier.state_dict(), tmp_path / "earlier.safetensors")
    settings = {**SETTINGS, "initial_weights": "earlier"}
    begun = new_detector(settings, PretrainedWeights(tmp_path))
    for name, value in begun.state_dict().items():
        torch.testing.assert_close(value, earlier.state_dict()[name])
    random = new_detector(SETTINGS, PretrainedWeights(tmp_path))
    assert not torch.equal(random.network.head.weight, earlier.network.head.weight)
    with pytest.raises(PretrainedWeightsMissing, match="no weights 'other'"):
        new_detector({**SETTINGS, "initial_weights": "other"}, PretrainedWeights(tmp_path))
    with pytest.raises(ValueError, match="does not fit the network"):
        new_detector({**settings, "width": 8}, PretrainedWeights(tmp_path))


def test_values_that_are_not_finite_name_their_case(tmp_path: Path) -> None:
    store, _ = square_store(tmp_path, 1)
    model = build_block_detector(
        {k: v * torch.nan for k, v in fresh().state_dict().items()}, {"detector": fresh().config.as_dict()}
    )
    with pytest.raises(FloatingPointError, match="not finite for the case s00"):
        list(detect_blocks(model, Pictures.of(store, ["s00"], SIDE), 0.5, 1, torch.device("cpu")))


def fresh() -> BlockDetector:
    return BlockDetector(DetectorConfig(SIDE, 4, 2))
