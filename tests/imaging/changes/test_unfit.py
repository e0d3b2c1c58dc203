import numpy as np
import pytest

from boneage_kedro.imaging.changes.unfit import KINDS, make_unfit


@pytest.fixture
def hand() -> np.ndarray:
    """A ramp from top to bottom with a bright left edge, 120 rows and 90 columns."""
    picture = np.repeat(np.arange(120, dtype=np.uint8)[:, None], 90, axis=1)
    picture[:, 0] = 250
    return picture


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_a_picture_and_comes_again_with_its_seed(kind: str, hand: np.ndarray) -> None:
    before = hand.copy()
    one, same, other = (make_unfit(kind, hand, 80, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert one.ndim == 2
    assert one.dtype == np.uint8
    assert min(one.shape) >= 2
    assert np.array_equal(one, same)
    assert np.array_equal(hand, before)
    if kind not in {"forearm only", "inverted", "turned", "two hands"}:  # of these there are one or two
        assert one.shape != other.shape or not np.array_equal(one, other)


def test_what_is_cut_lies_on_its_side_of_the_wrist(hand: np.ndarray) -> None:
    rng = np.random.default_rng(0)
    fingers, palm, forearm = (
        make_unfit(kind, hand, 80, rng) for kind in ("fingers only", "wrist cut off", "forearm only")
    )
    assert fingers[:, 1].tolist() == list(range(len(fingers)))
    assert len(fingers) < len(palm) < 80
    assert forearm[:, 1].tolist() == list(range(80, 120))


def test_two_hands_mirror_each_other(hand: np.ndarray) -> None:
    pair = make_unfit("two hands", hand, 80, np.random.default_rng(0))
    assert pair.shape == (120, 180)
    assert np.array_equal(pair, pair[:, ::-1])


def test_turned_and_inverted_can_be_undone(hand: np.ndarray) -> None:
    assert np.array_equal(255 - make_unfit("inverted", hand, 80, np.random.default_rng(0)), hand)
    turned = make_unfit("turned", hand, 80, np.random.default_rng(0))
    assert turned.shape == (90, 120)
    assert any(np.array_equal(np.rot90(turned, turns), hand) for turns in (1, 3))


def test_texture_has_the_spectrum_of_nature() -> None:
    """A one over f amplitude: an octave higher holds as much power."""
    picture = make_unfit("texture", np.zeros((256, 256), np.uint8), 100, np.random.default_rng(0)).astype(
        float
    )
    power = np.abs(np.fft.fft2(picture - picture.mean())) ** 2
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(256), np.fft.fftfreq(256)))
    octaves = [power[(frequency >= low) & (frequency < 2 * low)].sum() for low in (0.03, 0.06, 0.12)]
    assert max(octaves) / min(octaves) < 1.6


@pytest.mark.parametrize("wrist", [0, 120])
def test_a_wrist_outside_is_refused(hand: np.ndarray, wrist: int) -> None:
    with pytest.raises(ValueError, match="outside a picture of 120 rows"):
        make_unfit("blank", hand, wrist, np.random.default_rng(0))


def test_an_unknown_kind_is_refused(hand: np.ndarray) -> None:
    with pytest.raises(ValueError, match="no kind 'foot' of unfit pictures; choose from blank"):
        make_unfit("foot", hand, 80, np.random.default_rng(0))
