import math

import pytest
import torch

from boneage_kedro.training.augment import augment, draw_affine
from boneage_kedro.training.batches import to_input
from boneage_kedro.training.seeding import derive_seed

OFF = dict(
    rotation_deg=0, shear_deg=0, zoom=0, shift=0, flip_probability=0, brightness=0, contrast=0, log_gamma=0
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


def test_output_stays_in_range_and_black_stays_black_under_contrast_and_gamma() -> None:
    strong = OFF | {"contrast": 0.9, "log_gamma": 1.0}
    changed = augment(torch.cat([pictures(), torch.zeros(1, 1, 24, 24)]), strong, generator())
    assert changed.min() >= 0
    assert changed.max() <= 1
    assert changed[-1].max() == 0


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
