import pytest
import torch

from boneage_kedro.training.ages.augment import augment_age
from boneage_kedro.training.augment import augment
from tests.training.age_setup import MOVES, ROBUST_OFF

OFF = dict.fromkeys([*MOVES, *ROBUST_OFF], 0)
ALL_ON = (
    MOVES
    | ROBUST_OFF
    | dict(crop_probability=0.7, window_probability=0.5, invert_probability=0.3, cutout_probability=0.5)
    | dict(blur_px=1.5, noise_sd=0.05, clip_limit=4)
)


def generator(seed: int = 3) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pictures(count: int = 6, side: int = 24) -> torch.Tensor:
    return torch.rand(count, 1, side, side, generator=generator())


def test_with_its_own_part_off_it_is_augment_bit_by_bit() -> None:
    settings = MOVES | ROBUST_OFF
    assert torch.equal(
        augment_age(pictures(), settings, generator()), augment(pictures(), settings, generator())
    )


def test_the_same_seed_gives_the_same_pictures_in_range_and_another_does_not() -> None:
    first = augment_age(pictures(), ALL_ON, generator())
    assert torch.equal(first, augment_age(pictures(), ALL_ON, generator()))
    assert not torch.equal(first, augment_age(pictures(), ALL_ON, generator(4)))
    assert first.shape == (6, 1, 24, 24)
    assert first.min() >= 0 and first.max() <= 1


def test_other_pictures_of_the_batch_do_not_matter() -> None:
    others = pictures()
    others[1:] = 0
    both = [augment_age(images, ALL_ON, generator())[0] for images in (others, pictures())]
    torch.testing.assert_close(*both, atol=1e-6, rtol=0)


def sides_seen(settings: dict[str, float]) -> torch.Tensor:
    """Which part of its picture each of 300 results shows: left, top, right and bottom edge, 0 to 1, (300, 4)."""
    side = 50
    ramp = (torch.arange(side) + 0.5) / side
    across = torch.stack([ramp.expand(side, side), ramp[:, None].expand(side, side)])[:, None].repeat(
        300, 1, 1, 1
    )
    x, y = (
        augment_age(part[:, None], OFF | settings, generator())
        for part in across.view(300, 2, side, side).unbind(1)
    )
    middle, step = side // 2, 1 / side
    edges = []
    for profile in (x[:, 0, middle], y[:, 0, :, middle]):
        slope = (profile[:, 30] - profile[:, 20]) / 10  # within the picture, whatever the margin
        first = profile[:, 25] - 25.5 * slope
        edges.append((first, first + slope / step))
    return torch.stack([edges[0][0], edges[1][0], edges[0][1], edges[1][1]], 1)


def test_each_side_is_cropped_on_its_own_within_its_limits() -> None:
    edges = sides_seen(dict(crop_probability=1, crop=0.2))
    cut = torch.cat([edges[:, :2], 1 - edges[:, 2:]], 1)
    assert cut.min() > -0.01 and cut.max() < 0.21
    assert (cut.amin(0) < 0.02).all() and (cut.amax(0) > 0.18).all()
    assert cut.T.corrcoef().fill_diagonal_(0).abs().max() < 0.2


def test_a_margin_shows_black_around_the_whole_picture() -> None:
    edges = sides_seen(dict(crop_probability=1, margin=0.3))
    added = torch.cat([-edges[:, :2], edges[:, 2:] - 1], 1)
    assert added.min() > -0.02 and added.max() < 0.32
    assert (added.amax(0) > 0.27).all()
    framed = augment_age(torch.ones(200, 1, 24, 24), OFF | dict(crop_probability=1, margin=0.3), generator())
    assert framed[:, 0, 0].mean() < 0.3  # few have a margin of less than a pixel
    assert framed[:, 0, 12, 12].min() > 0.999


def test_a_crop_comes_as_often_as_asked() -> None:
    edges = sides_seen(dict(crop_probability=0.25, crop=0.2))
    changed = ((edges - torch.tensor([0.0, 0, 1, 1])).abs().amax(1) > 1e-3).float().mean()
    assert changed == pytest.approx(0.25, abs=0.08)


def test_a_window_clips_black_and_white_and_stretches_the_rest() -> None:
    ramp = torch.linspace(0, 1, 101).expand(400, 1, 101, 101)
    shown = augment_age(ramp, OFF | dict(window_probability=1, window_low=0.2, window_high=0.3), generator())[
        :, 0, 50
    ]
    black, white = (shown <= 1e-6).float().mean(1), (shown >= 1 - 1e-6).float().mean(1)
    assert 0.17 < black.max() < 0.22 and black.min() < 0.02
    assert 0.27 < white.max() < 0.32 and white.min() < 0.02
    assert (shown.diff(dim=1) >= -1e-6).all()


def test_certain_inversion_gives_the_negative() -> None:
    negative = augment_age(pictures(), OFF | {"invert_probability": 1}, generator())
    torch.testing.assert_close(negative, 1 - pictures(), atol=1e-5, rtol=0)


def test_blur_spreads_a_point_by_no_more_than_asked_and_keeps_its_sum() -> None:
    points = torch.zeros(200, 1, 41, 41)
    points[:, :, 20, 20] = 1
    spread = augment_age(points, OFF | {"blur_px": 3}, generator())
    torch.testing.assert_close(spread.sum((1, 2, 3)), torch.ones(200), atol=1e-3, rtol=0)
    off = torch.arange(41.0) - 20
    variance = (spread[:, 0].sum(1) * off**2).sum(1)
    assert variance.max().sqrt() == pytest.approx(3, abs=0.1)
    assert variance.min() < 0.01
    torch.testing.assert_close(variance, (spread[:, 0].sum(2) * off**2).sum(1), atol=1e-3, rtol=1e-3)


def test_noise_is_as_strong_as_asked_and_of_another_strength_in_each_picture() -> None:
    gray = torch.full((200, 1, 40, 40), 0.5)
    deviation = augment_age(gray, OFF | {"noise_sd": 0.05}, generator()).flatten(1).std(1)
    assert deviation.max() == pytest.approx(0.05, abs=0.005)
    assert deviation.min() < 0.005


def test_a_cutout_is_one_black_rectangle_of_at_most_its_size() -> None:
    white = augment_age(
        torch.ones(300, 1, 50, 50), OFF | dict(cutout_probability=1, cutout=0.4), generator()
    )[:, 0]
    black = white == 0
    heights, widths = black.any(2).sum(1), black.any(1).sum(1)
    assert torch.equal(black.sum((1, 2)), heights * widths)
    assert 17 <= heights.max() <= 20 and 17 <= widths.max() <= 20
