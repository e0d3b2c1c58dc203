import numpy as np
import pytest
import torch

from boneage_kedro.training.segmentation.samples import MaskSamples, Pictures

CPU = torch.device("cpu")


def pictures(count: int, input_px: int = 4) -> Pictures:
    """Each picture is as bright as its number; rows are in reverse order in the store."""
    pixels = np.arange(count, dtype=np.uint8)[::-1, None, None].repeat(4, 1).repeat(4, 2)
    return Pictures(pixels, np.arange(count)[::-1].copy(), [f"c{i}" for i in range(count)], input_px)


def samples(count: int, epoch_samples: int) -> MaskSamples:
    some = pictures(count)
    masks = {key: np.full((4, 4), i, np.uint8) for i, key in enumerate(some.ids)}
    return MaskSamples(some, masks, {key: 1.0 + i for i, key in enumerate(some.ids)}, epoch_samples)


def epoch(count: int, epoch_samples: int, batch_size: int, seed: int = 0):
    return list(samples(count, epoch_samples).batches(batch_size, CPU, torch.Generator().manual_seed(seed)))


def test_pictures_come_in_order_and_in_batches() -> None:
    batches = list(pictures(5).batches(2, CPU))
    assert [batch.ids for batch in batches] == [["c0", "c1"], ["c2", "c3"], ["c4"]]
    values = torch.cat([batch.images for batch in batches])[:, 0, 0, 0] * 255
    assert values.tolist() == pytest.approx([0, 1, 2, 3, 4])
    assert list(pictures(0).batches(2, CPU)) == []


def test_pictures_are_brought_to_the_networks_size() -> None:
    assert next(pictures(2, input_px=2).batches(2, CPU)).images.shape == (2, 1, 2, 2)


def test_some_and_others_make_all() -> None:
    whole = pictures(5)
    again = whole.among(["c3", "c1"]) + whole.among(["c0"])
    assert again.ids == ["c3", "c1", "c0"]
    assert (next(again.batches(3, CPU)).images[:, 0, 0, 0] * 255).tolist() == pytest.approx([3, 1, 0])
    assert len(whole.among([])) == 0


def test_picture_mask_weight_and_id_belong_together() -> None:
    for batch in epoch(5, 5, 2):
        numbers = [int(key[1:]) for key in batch.ids]
        assert (batch.images[:, 0, 0, 0] * 255).tolist() == pytest.approx(numbers)
        assert batch.masks[:, 0, 0].tolist() == numbers
        assert batch.weights.tolist() == [1.0 + i for i in numbers]


@pytest.mark.parametrize(("count", "times"), [(3, {2, 3}), (4, {2}), (8, {1}), (12, {0, 1})])
def test_an_epoch_is_as_long_for_few_as_for_many(count: int, times: set[int]) -> None:
    batches = epoch(count, 8, 3)
    assert len(batches) == samples(count, 8).batch_count(3) == 3
    drawn = [key for batch in batches for key in batch.ids]
    assert len(drawn) == 8
    assert {drawn.count(f"c{i}") for i in range(count)} == times


def test_order_follows_the_seed() -> None:
    order = [[batch.ids for batch in epoch(6, 6, 2, seed)] for seed in (1, 1, 2)]
    assert order[0] == order[1] != order[2]
