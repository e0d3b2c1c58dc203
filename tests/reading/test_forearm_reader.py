"""Radius and ulna of new radiographs, by small networks that have learnt nothing."""

from typing import Any

import numpy as np
import pytest
import torch

from boneage_kedro.cohort.sex import Sex
from boneage_kedro.imaging.preparation.prepare import prepare
from boneage_kedro.imaging.radiograph import Radiograph
from boneage_kedro.models.block_detector import BlockDetector, DetectorConfig
from boneage_kedro.models.segmenter import Segmenter, SegmenterConfig
from boneage_kedro.phantom import fabricate_hand
from boneage_kedro.reading.forearm_reader import ForearmReader, build_networks, join_networks

CPU = torch.device("cpu")
Networks = tuple[BlockDetector, Segmenter]


@pytest.fixture
def networks() -> Networks:
    torch.manual_seed(0)
    return BlockDetector(DetectorConfig(64, 4, 3)), Segmenter(SegmenterConfig("unet", 48, 3, 4, 3, 1))


def reader(networks: Networks, threshold: float, parameters: dict[str, Any]) -> ForearmReader:
    detector, segmenter = networks
    settings = {
        "detector": detector.config.as_dict(),
        "segmenter": segmenter.config.as_dict(),
        "preparation": parameters["data_prep"]["preparation"],
        "threshold": threshold,
        "crop": {"margin": 0.2, "reach": 2.0},
    }
    return ForearmReader(join_networks(detector.state_dict(), segmenter.state_dict()), settings, CPU)


def read(one: ForearmReader, *pictures: np.ndarray):
    made = [prepare(Radiograph(pixels, None, None, None, False), one.preparation) for pixels in pictures]
    return one.read([str(i) for i in range(len(made))], made, pictures)


def test_masks_are_at_the_size_of_the_file_and_the_same_alone_and_in_a_batch(
    networks: Networks, parameters: dict[str, Any]
) -> None:
    with torch.no_grad():
        networks[1].network.head.bias += torch.tensor([-9.0, 9.0, 0.0])  # all is radius
    pictures = [fabricate_hand(90.0, Sex.MALE, i, 160).image for i in range(2)]
    one = reader(networks, 0.0, parameters)
    both = read(one, *pictures)
    for mine, picture in zip(both, pictures, strict=True):
        assert mine.mask.shape == picture.shape
        assert set(np.unique(mine.mask)) == {0, 1}  # what is not cut out is background
        assert mine.trusted and not mine.warnings
    assert (read(one, pictures[1])[0].mask == both[1].mask).all()


def test_without_a_forearm_the_mask_is_empty_and_the_warning_says_so(
    networks: Networks, parameters: dict[str, Any]
) -> None:
    (found,) = read(reader(networks, 1.0, parameters), fabricate_hand(90.0, Sex.MALE, 0, 160).image)
    assert not found.mask.any()
    assert not found.trusted
    assert found.warnings[0].startswith("radius and ulna: no forearm was found (confidence 0.")


@pytest.mark.parametrize("shape", [(5, 3), (1, 40), (24, 24)])
def test_a_picture_smaller_than_the_networks_stride_is_read(
    networks: Networks, parameters: dict[str, Any], shape: tuple[int, int]
) -> None:
    pixels = np.linspace(0, 255, shape[0] * shape[1]).reshape(shape).astype(np.uint8)
    (found,) = read(reader(networks, 0.0, parameters), pixels)
    assert found.mask.shape == shape


def test_networks_come_back_as_they_were(networks: Networks, parameters: dict[str, Any]) -> None:
    states = [network.state_dict() for network in networks]
    settings = {"detector": networks[0].config.as_dict(), "segmenter": networks[1].config.as_dict()}
    for found, wanted in zip(build_networks(join_networks(*states), settings), states, strict=True):
        assert all(value.equal(wanted[name]) for name, value in found.state_dict().items())


def test_values_that_are_not_finite_name_their_case(networks: Networks, parameters: dict[str, Any]) -> None:
    with torch.no_grad():
        networks[1].network.head.bias += torch.nan
    with pytest.raises(FloatingPointError, match="for the cases 0"):
        read(reader(networks, 0.0, parameters), fabricate_hand(90.0, Sex.MALE, 0, 160).image)
