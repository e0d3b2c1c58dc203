from itertools import product

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from boneage_kedro.models.enhancer import Enhancer, EnhancerConfig
from boneage_kedro.training.enhancement.enhance import build_enhancer, enhance, enhance_store

CPU = torch.device("cpu")


class Pointwise(nn.Module):
    """Changes every pixel on its own."""

    stride = 4

    def forward(self, images: Tensor) -> Tensor:
        return images**2


class Counting(Pointwise):
    """Notes the shapes it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.shapes: list[tuple[int, ...]] = []

    def forward(self, images: Tensor) -> Tensor:
        self.shapes.append(tuple(images.shape))
        return super().forward(images)


def stirred() -> Enhancer:
    torch.manual_seed(0)
    model = Enhancer(EnhancerConfig(4, 2))
    with torch.no_grad():
        for parameter in model.network.head.parameters():
            parameter.copy_(0.3 * torch.randn(parameter.shape))
    return model.eval()


def picture(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).random(shape, dtype=np.float32)


@pytest.mark.parametrize("shape", [(7, 9), (40, 40), (64, 20), (20, 65), (101, 83)])
@pytest.mark.parametrize("overlap_px", [4, 16, 36])
def test_tiles_of_a_pointwise_network_show_no_seam(shape: tuple[int, int], overlap_px: int) -> None:
    image = picture(*shape)
    made = enhance(Pointwise(), image, 40, overlap_px, CPU)
    assert made.shape == shape
    assert made.dtype == np.float32
    np.testing.assert_allclose(made, image**2, atol=1e-6)


def test_tiles_of_a_u_net_agree_with_the_whole_picture() -> None:
    model, image = stirred(), picture(150, 203)
    with torch.no_grad():
        whole = model(torch.from_numpy(image)[None, None])[0, 0].numpy()
    difference = np.abs(enhance(model, image, 96, 64, CPU) - whole)
    assert np.abs(whole - image).mean() > 0.05  # it does something
    assert difference.max() < 0.02
    assert difference.mean() < 0.001


def test_where_one_tile_sees_all_that_counts_it_equals_the_whole_exactly() -> None:
    """A pixel of this network sees 22 px; 22 px within its tile and outside every overlap nothing can differ."""
    model, image = stirred(), picture(150, 203)
    with torch.no_grad():
        whole = model(torch.from_numpy(image)[None, None])[0, 0].numpy()
    made = enhance(model, image, 96, 16, CPU)
    np.testing.assert_allclose(made[:70, :70], whole[:70, :70], atol=1e-5)


def test_a_picture_that_fits_is_enhanced_at_once() -> None:
    model = Counting()
    enhance(model, picture(30, 40), 40, 8, CPU)
    assert model.shapes == [(1, 1, 30, 40)]


def test_no_tile_is_larger_than_asked_for_and_all_begin_on_the_stride() -> None:
    model = Counting()
    enhance(model, picture(100, 33), 40, 8, CPU)
    assert {shape[2:] for shape in model.shapes} == {(40, 36)}
    assert len(model.shapes) == 3  # at 0, 32 and 60


def pictures(count: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    return {f"p{i}": rng.integers(0, 256, (24, 24), dtype=np.uint8) for i in range(count)}


def test_a_store_is_enhanced_in_batches_and_in_order() -> None:
    images, model = pictures(5), Counting()
    images["large"] = np.full((48, 20), 51, np.uint8)
    ids = ["p4", "p0", "large", "p1", "p2", "p3"]
    found = dict(enhance_store(model, images, {}, ids, 40, 8, 2, CPU))
    assert list(found) == ids
    assert [shape[0] for shape in model.shapes] == [2, 1, 1, 2, 1]
    for key, made in found.items():
        assert made.dtype == np.uint8
        np.testing.assert_array_equal(made, np.round((images[key] / 255) ** 2 * 255))
    assert (found["large"] == 10).all()


def test_pictures_of_a_store_may_be_floats() -> None:
    images = pictures(3)
    floats = {key: image.astype(np.float32) / 255 for key, image in images.items()}
    of_levels, of_floats = (
        dict(enhance_store(Counting(), given, {}, list(images), 24, 8, 2, CPU)) for given in (images, floats)
    )
    for key, made in of_floats.items():
        np.testing.assert_array_equal(made, of_levels[key])


def test_batches_equal_pictures_one_by_one() -> None:
    images, model = pictures(5), stirred()
    together = dict(enhance_store(model, images, {}, list(images), 16, 8, 3, CPU))
    for key, image in images.items():
        alone = enhance(model, image.astype(np.float32) / 255, 16, 8, CPU)
        assert np.abs(together[key] - 255 * alone).max() < 0.51


def test_background_is_exactly_zero_where_there_is_a_mask() -> None:
    images, masks = pictures(2), {"p0": np.zeros((24, 24), np.uint8)}
    masks["p0"][4:12, 4:12] = 255
    bright = stirred()
    with torch.no_grad():
        bright.network.head.bias.fill_(5.0)
    found = dict(enhance_store(bright, images, masks, ["p0", "p1"], 24, 8, 2, CPU))
    assert found["p0"].dtype == np.uint8
    np.testing.assert_array_equal(found["p0"] > 0, masks["p0"] > 0)
    assert (found["p1"] > 0).all()


def test_a_mask_of_another_frame_is_refused() -> None:
    masks = {"p1": np.ones((12, 24), np.uint8)}
    with pytest.raises(ValueError, match=r"case p1: its hand mask is \(12, 24\), but its picture \(24, 24\)"):
        list(enhance_store(Pointwise(), pictures(2), masks, ["p0", "p1"], 24, 8, 1, CPU))


def test_no_case_gives_no_picture() -> None:
    assert list(enhance_store(Pointwise(), {}, {}, [], 16, 8, 2, CPU)) == []


def test_it_is_built_again_from_what_is_kept() -> None:
    model = stirred()
    twin = build_enhancer(model.state_dict(), {"generator": model.config.as_dict()})
    image = picture(20, 20)
    np.testing.assert_allclose(enhance(twin, image, 32, 8, CPU), enhance(model, image, 32, 8, CPU), atol=1e-6)


def test_values_that_are_not_finite_name_their_cases() -> None:
    class Broken(Pointwise):
        def forward(self, images: Tensor) -> Tensor:
            return images / (images - 0.2)

    images = pictures(1) | {"bad": np.full((24, 24), 51, np.uint8)}
    images["p0"][images["p0"] == 51] = 50
    with pytest.raises(FloatingPointError, match="not finite for bad;"):
        list(enhance_store(Broken(), images, {}, ["p0", "bad"], 24, 8, 2, CPU))
    with pytest.raises(FloatingPointError, match="not finite for the picture;"):
        enhance(Broken(), np.full((8, 8), 0.2, np.float32), 24, 8, CPU)


@pytest.mark.parametrize(("tile_px", "overlap_px"), [(42, 8), (40, 6), (40, 0), (40, 40)])
def test_tiles_that_do_not_suit_are_refused(tile_px: int, overlap_px: int) -> None:
    with pytest.raises(
        ValueError, match=f"tiles of {tile_px} px with an overlap of {overlap_px} px .* stride, 4,"
    ):
        enhance(Pointwise(), picture(8, 8), tile_px, overlap_px, CPU)


def test_every_pixel_is_within_a_tile_for_all_sizes() -> None:
    for side, overlap_px in product(range(1, 70, 3), (4, 12)):
        made = enhance(Pointwise(), np.ones((side, side), np.float32), 16, overlap_px, CPU)
        assert np.allclose(made, 1)
