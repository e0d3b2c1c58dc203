import math

import pytest
import torch

from boneage_kedro.training.augment import augment, augment_pair, draw_affine
from boneage_kedro.training.batches import to_input
from boneage_kedro.training.seeding import derive_seed

OFF = dict.fromkeys(
    [
        "rotation_deg",
        "shear_deg",
        "zoom",
        "log_aspect",
        "shift",
        "flip_probability",
        "brightness",
        "contrast",
        "log_gamma",
    ],
    0,
)


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(3)


def pictures() -> torch.Tensor:
    return torch.rand(5, 1, 24, 24, generator=generator())


def test_all_off_changes_nothing() -> None:
    torch.testing.assert_close(augment(pictures(), OFF, generator()), pictures(), atol=1e-5, rtol=0)


def test_a_certain_flip_mirrors() -> None:
    mirrored = augment(pictures(), OFF | {"flip_probability": 1}, generator())
    torch.testing.assert_close(mirrored, pictures().flip(-1), atol=1e-5, rtol=0)


def test_the_same_seed_gives_the_same_pictures_and_another_does_not() -> None:
    settings = OFF | {"rotation_deg": 20, "zoom": 0.1, "contrast": 0.2}
    first = augment(pictures(), settings, generator())
    assert torch.equal(first, augment(pictures(), settings, generator()))
    assert not torch.equal(first, augment(pictures(), settings, torch.Generator().manual_seed(4)))


def test_turns_stay_in_range_and_keep_area() -> None:
    theta = draw_affine(500, OFF | {"rotation_deg": 20}, generator())
    angles = torch.atan2(theta[:, 1, 0], theta[:, 0, 0]).rad2deg()
    assert angles.abs().max() <= 20
    assert angles.abs().max() > 18
    torch.testing.assert_close(torch.linalg.det(theta[:, :, :2]), torch.ones(500), atol=1e-5, rtol=0)


def test_zoom_scales_both_axes_alike() -> None:
    theta = draw_affine(100, OFF | {"zoom": 0.1}, generator())
    torch.testing.assert_close(theta[:, 0, 0], theta[:, 1, 1])
    assert theta[:, 0, 0].min() >= 0.9
    assert theta[:, 0, 0].max() <= 1.1


def test_aspect_stretches_one_axis_as_much_as_it_shrinks_the_other() -> None:
    theta = draw_affine(500, OFF | {"log_aspect": 0.3}, generator())
    torch.testing.assert_close(theta[:, 0, 0] * theta[:, 1, 1], torch.ones(500))
    ratio = (theta[:, 0, 0] / theta[:, 1, 1]).log()
    assert ratio.abs().max() <= 0.3 + 1e-6
    assert ratio.min() < -0.28
    assert ratio.max() > 0.28


def test_output_stays_in_range_and_black_stays_black_under_contrast_and_gamma() -> None:
    strong = OFF | {"contrast": 0.9, "log_gamma": 1.0}
    changed = augment(torch.cat([pictures(), torch.zeros(1, 1, 24, 24)]), strong, generator())
    assert changed.min() >= 0
    assert changed.max() <= 1
    assert changed[-1].max() == 0


def boxes() -> torch.Tensor:
    masks = torch.zeros(5, 24, 24, dtype=torch.uint8)
    masks[:, 4:14, 6:12] = 7
    masks[:, 15:20, 10:22] = 255
    return masks


MOVES = OFF | dict(rotation_deg=20, shear_deg=3, zoom=0.05, shift=0.05, flip_probability=0.5)


def test_a_pair_is_augmented_as_the_picture_alone() -> None:
    settings = MOVES | {"contrast": 0.3, "brightness": 0.1, "log_gamma": 0.3}
    images, _ = augment_pair(pictures(), boxes(), settings, generator())
    assert torch.equal(images, augment(pictures(), settings, generator()))


def test_a_mask_goes_with_its_picture() -> None:
    """A picture that shows its mask still shows it, but for the softened rim."""
    drawn = boxes()[:, None].float() / 255
    images, masks = augment_pair(drawn, boxes(), MOVES, generator())
    assert masks.dtype == torch.uint8
    assert not torch.equal(masks, boxes())
    assert set(masks.unique().tolist()) == {0, 7, 255}
    off = (images[:, 0] * 255 - masks).abs()
    assert off.max() <= 0.75 * 255  # the nearest pixel has a quarter of the bilinear weight or more
    assert (off < 1).float().mean() > 0.8


def test_a_marked_pixel_and_its_mask_land_on_the_same_place() -> None:
    images, masks = torch.zeros(1, 1, 25, 25), torch.zeros(1, 25, 25, dtype=torch.uint8)
    images[0, 0, 5, 12] = 1
    masks[0, 5, 12] = 3
    quarter = OFF | {"flip_probability": 1, "shift": 0.2}
    moved, marked = augment_pair(images, masks, quarter, generator())
    assert (marked == 3).sum() == 1
    assert moved.flatten().argmax() == marked.flatten().argmax() != 5 * 25 + 12


def test_a_certain_flip_mirrors_the_mask() -> None:
    _, masks = augment_pair(pictures(), boxes(), OFF | {"flip_probability": 1}, generator())
    assert torch.equal(masks, boxes().flip(-1))


def test_exposure_leaves_the_mask_alone() -> None:
    strong = OFF | {"contrast": 0.9, "log_gamma": 1.0, "brightness": 0.5}
    images, masks = augment_pair(pictures(), boxes(), strong, generator())
    assert not torch.allclose(images, pictures())
    assert torch.equal(masks, boxes())


def test_other_pictures_of_the_batch_do_not_matter() -> None:
    others, blank = pictures(), boxes()
    others[1:], blank[1:] = 0, 0
    image, mask = augment_pair(others, blank, MOVES, generator())
    images, masks = augment_pair(pictures(), boxes(), MOVES, generator())
    assert torch.equal(image[0], images[0])
    assert torch.equal(mask[0], masks[0])


@pytest.mark.parametrize("side", [24, 48, 50])
def test_to_input_keeps_range_and_mean(side: int) -> None:
    raw = torch.randint(0, 256, (3, side, side), generator=generator(), dtype=torch.uint8)
    ready = to_input(raw, 24)
    assert ready.shape == (3, 1, 24, 24)
    torch.testing.assert_close(ready.mean((1, 2, 3)), raw.float().mean((1, 2)) / 255, atol=0.02, rtol=0)
    if side == 24:
        torch.testing.assert_close(ready[:, 0] * 255, raw.float())


def test_to_input_does_not_alias() -> None:
    stripes = torch.zeros(1, 48, 48, dtype=torch.uint8)
    stripes[..., ::2] = 255
    assert (to_input(stripes, 24)[..., 4:-4] - 0.5).abs().max() < 0.05


def test_seeds_differ_by_part_and_are_the_same_everywhere() -> None:
    assert derive_seed(1, "epoch", 2) == derive_seed(1, "epoch", 2)
    assert len({derive_seed(1, "epoch", i) for i in range(100)}) == 100
    assert 0 <= derive_seed("x") < 2**63
    assert math.log2(derive_seed(1, "head")) > 40
