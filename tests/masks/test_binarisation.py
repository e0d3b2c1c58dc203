import numpy as np
import pytest

from boneage_kedro.masks.binarisation import MaskThreshold, threshold_of


def binarise(foreground: np.ndarray, threshold: MaskThreshold) -> np.ndarray:
    return (foreground > threshold_of(foreground, threshold)).astype(np.uint8)


def between_class_variance(levels: np.ndarray, level: int) -> float:
    low, high = levels[levels <= level], levels[levels > level]
    if not len(low) or not len(high):
        return 0.0
    return len(low) * len(high) * (low.mean() - high.mean()) ** 2


def test_half_is_the_most_likely_class() -> None:
    foreground = np.array([[0.2, 0.5, 0.51, 1.0]], np.float32)
    assert binarise(foreground, "half").tolist() == [[0, 0, 1, 1]]


def test_otsu_follows_the_histogram() -> None:
    foreground = np.array([[0.1, 0.12, 0.42, 0.92, 0.9, 0.88]], np.float32)
    # 107 and 224 of 255 are the levels on either side; the threshold is in the middle
    assert threshold_of(foreground, "otsu") == pytest.approx((107 + 224) / 2 / 255)
    timid = np.array([[0.0, 0.0, 0.0, 0.0, 0.45, 0.55, 0.6]], np.float32)  # 0.45 is nearer to the upper three
    assert binarise(timid, "otsu").tolist() == [[0, 0, 0, 0, 1, 1, 1]]
    assert binarise(timid, "half").tolist() == [[0, 0, 0, 0, 0, 1, 1]]


@pytest.mark.parametrize("seed", range(5))
def test_otsu_parts_the_histogram_where_the_variance_between_is_largest(seed: int) -> None:
    rng = np.random.default_rng(seed)
    foreground = np.concatenate([rng.beta(2, 6, 900), rng.beta(7, 2, 600)]).reshape(30, 50)
    levels = (foreground * 255).round()
    best = max(between_class_variance(levels, level) for level in range(255))
    mask = binarise(foreground, "otsu") > 0
    found = (~mask).sum() * mask.sum() * (levels[~mask].mean() - levels[mask].mean()) ** 2
    assert found == pytest.approx(best, rel=1e-9)


@pytest.mark.parametrize("value", [0.0, 0.001, 0.3, 0.5])
def test_no_foreground_is_invented_where_all_is_alike(value: float) -> None:
    assert not binarise(np.full((8, 8), value, np.float32), "otsu").any()


def test_no_foreground_is_invented_where_all_is_unlikely() -> None:
    foreground = np.random.default_rng(0).uniform(0, 0.1, (32, 32))
    foreground[8:16, 8:16] += 0.2  # two modes, but neither is likely
    assert not binarise(foreground, "otsu").any()


def test_a_picture_of_foreground_alone_stays_whole() -> None:
    assert binarise(np.full((8, 8), 0.9, np.float32), "otsu").all()
    assert binarise(np.random.default_rng(0).uniform(0.8, 1, (32, 32)), "otsu").all()


def test_other_thresholds_are_refused() -> None:
    with pytest.raises(ValueError, match="mask threshold 'mean' is not one of half, otsu"):
        binarise(np.zeros((2, 2)), "mean")  # type: ignore[arg-type]
