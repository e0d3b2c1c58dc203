import numpy as np
import pytest

from boneage_kedro.imaging.contrast.tone_curve import film_curve, to_standard_tone


def test_a_film_of_the_same_kind_and_dose_shows_the_same():
    grays = np.linspace(0, 1, 11, dtype=np.float32)
    assert film_curve(grays, 1.0, 0.0) == pytest.approx(grays, abs=1e-6)


def test_hand_computed_grays():
    gray = np.array([0.25, 0.5], np.float32)
    # twice the dose: 0.25 / (0.25 + 2 * 0.75), 0.5 / (0.5 + 2 * 0.5)
    assert film_curve(gray, 1.0, float(np.log(2))) == pytest.approx([1 / 7, 1 / 3])
    # twice the gradient: 1 / (1 + 9), 1 / (1 + 1)
    assert film_curve(gray, 2.0, 0.0) == pytest.approx([0.1, 0.5])


@pytest.mark.parametrize(("gradient", "exposure"), [(0.3, 2.0), (1.0, -3.0), (4.0, 0.5)])
def test_black_and_white_stay_and_grays_keep_their_order(gradient: float, exposure: float):
    grays = np.linspace(0, 1, 256)
    seen = film_curve(grays, gradient, exposure)
    assert (seen[0], seen[-1]) == (0, 1)
    assert (np.diff(seen) > 0).all()
    coarse = film_curve(grays.astype(np.float32), gradient, exposure)
    assert coarse.dtype == np.float32
    assert coarse == pytest.approx(seen, abs=1e-6)


@pytest.mark.parametrize("dark", [0.3, 1.0, 3.0])
def test_hands_of_any_exposure_come_to_one_mean_and_contrast(dark: float):
    rng = np.random.default_rng(1)
    image = rng.beta(4, 3, (64, 64)).astype(np.float32) ** np.float32(dark)
    inside = np.zeros((64, 64), bool)
    inside[10:50, 5:60] = True
    toned = to_standard_tone(image, inside, 0.45, 0.2)
    assert toned.dtype == np.float32
    assert toned[inside].mean() == pytest.approx(0.45, abs=2e-3)
    assert toned[inside].std() == pytest.approx(0.2, abs=2e-3)
    assert (toned[~inside] == 0).all()
    assert 0 < toned[inside].min() < toned[inside].max() < 1  # nothing is clipped
    order = image[inside].argsort()
    assert (np.diff(toned[inside][order]) >= 0).all()


def test_a_burnt_out_hand_comes_to_the_tone_of_the_others():
    image = np.tile(np.linspace(0.3, 1.3, 100, dtype=np.float32).clip(0, 1), (20, 1))  # 30% is white
    toned = to_standard_tone(image, np.ones(image.shape, bool), 0.5, 0.18)
    assert toned.mean() == pytest.approx(0.5, abs=2e-3)
    assert toned.std() == pytest.approx(0.18, abs=2e-3)
    assert toned.max() < 0.8
    assert (np.diff(toned[0]) >= 0).all()


def test_a_contrast_out_of_reach_is_approached_and_the_mean_kept():
    image = np.full((20, 20), 0.5, np.float32)
    image[:, ::2] = 0.51
    toned = to_standard_tone(image, np.ones((20, 20), bool), 0.4, 0.3)
    assert toned.mean() == pytest.approx(0.4, abs=5e-3)
    assert 0.005 < toned.std() < 0.3  # 0.005 is what it was


def test_a_hand_of_one_gray_value_comes_to_the_mean():
    toned = to_standard_tone(np.full((9, 9), 0.8, np.float32), np.ones((9, 9), bool), 0.5, 0.2)
    assert toned == pytest.approx(np.full((9, 9), 0.5), abs=5e-3)


def test_no_hand_gives_black():
    assert to_standard_tone(np.ones((9, 9), np.float32), np.zeros((9, 9), bool), 0.5, 0.2).max() == 0


def test_what_is_no_picture_is_refused():
    image = np.zeros((9, 9), np.float32)
    with pytest.raises(ValueError, match=r"mask is \(9, 8\), but its picture is \(9, 9\)"):
        to_standard_tone(image, np.ones((9, 8), bool), 0.5, 0.2)
    with pytest.raises(TypeError, match=r"float32 and its mask bool, not .* uint8 and bool"):
        to_standard_tone(image.astype(np.uint8), np.ones((9, 9), bool), 0.5, 0.2)
    for wrong, shown in ((1.5, "0 to 1.5"), (-0.5, "-0.5 to 0"), (np.nan, "nan to nan")):
        image[0, 0] = wrong
        with pytest.raises(ValueError, match=f"holds gray values {shown}; scale them to 0 to 1"):
            to_standard_tone(image, np.ones((9, 9), bool), 0.5, 0.2)
