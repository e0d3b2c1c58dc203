import pytest
import torch

from boneage_kedro.models.block_detector import BlockDetector, DetectorConfig, places


def make() -> BlockDetector:
    torch.manual_seed(0)
    return BlockDetector(DetectorConfig(32, 4, 2)).eval()


def test_places_are_the_middles_of_pixels() -> None:
    found = places(torch.zeros(1, 1, 2, 4))
    assert found[1, 3].tolist() == [0.875, 0.75]
    assert found[0, 0].tolist() == [0.125, 0.25]


def test_every_place_lies_in_the_box_that_it_sees() -> None:
    images = torch.rand(2, 1, 32, 32)
    logits, boxes = make()(images)
    assert logits.shape == (2, 32, 32) and boxes.shape == (2, 32, 32, 4)
    assert (boxes[..., :2] < places(images)).all() and (boxes[..., 2:] > places(images)).all()


def test_at_first_there_is_hardly_a_block_anywhere() -> None:
    assert make()(torch.rand(2, 1, 32, 32))[0].sigmoid().mean() < 0.1


def test_the_likeliest_place_gives_the_box() -> None:
    model = make()
    logits, boxes = torch.full((1, 4, 4), -9.0), torch.zeros(1, 4, 4, 4)
    logits[0, 1, 2], boxes[0, 1, 2] = 0.0, torch.tensor([0.25, -0.5, 0.75, 0.5])
    model.forward = lambda _: (logits, boxes)
    found, confidences = model.detect(torch.zeros(1, 1, 4, 4))
    assert found.tolist() == [[0.25, 0.0, 0.75, 0.5]]
    assert confidences.tolist() == [0.5]


def test_a_batch_equals_its_pictures_one_by_one() -> None:
    model, images = make(), torch.rand(3, 1, 32, 32)
    with torch.no_grad():
        together = model.detect(images)[0]
        single = torch.cat([model.detect(image[None])[0] for image in images])
    torch.testing.assert_close(together, single, atol=1e-4, rtol=1e-4)


def test_save_and_load_give_the_same_boxes() -> None:
    model, images = make(), torch.rand(1, 1, 32, 32)
    twin = BlockDetector(DetectorConfig(**model.config.as_dict())).eval()
    twin.load_state_dict(model.state_dict())
    with torch.no_grad():
        torch.testing.assert_close(twin.detect(images), model.detect(images))


def test_a_picture_of_one_gray_value_gives_finite_answers() -> None:
    with torch.no_grad():
        boxes, confidences = make().detect(torch.zeros(1, 1, 32, 32))
    assert boxes.isfinite().all() and confidences.isfinite().all()


def test_a_side_that_cannot_be_halved_is_refused() -> None:
    with pytest.raises(ValueError, match="30 px cannot be halved 2 times; give input_px a multiple of 4"):
        BlockDetector(DetectorConfig(30, 4, 2))
