import json

import cv2
import numpy as np
import pytest

from boneage_kedro.imaging.geometry import Box, map_points, to_source
from boneage_kedro.imaging.preparation.prepare import PreparationSettings, Prepared, prepare
from boneage_kedro.imaging.radiograph import Radiograph
from tests.imaging.drawn_hand import draw_hand, framed

SETTINGS: PreparationSettings = {
    "canvas_px": 256,
    "low_percentile": 1.0,
    "high_percentile": 99.5,
    "fix_polarity": True,
    "crop": True,
    "orient": True,
    "confidence": 0.98,
}
HAND = draw_hand()


SURE_SOON = 0.5  # the drawn hand is a poor likeness, recognised but not with the usual confidence


def prepare_pixels(pixels: np.ndarray, polarity_known: bool = False, **changes: object) -> Prepared:
    radiograph = Radiograph(pixels, None, None, None, polarity_known)
    return prepare(radiograph, {**SETTINGS, **changes})  # type: ignore[typeddict-item]


def difference(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one.astype(int) - other).mean())


def test_a_good_picture_is_only_scaled():
    prepared = prepare_pixels(HAND)
    assert prepared.image.shape == (256, 256)
    assert prepared.image.dtype == np.uint8
    assert (prepared.inverted, prepared.mirrored, prepared.quarter_turns) == (False, False, 0)
    assert prepared.crop == Box(0, 0, HAND.shape[1], HAND.shape[0])
    assert prepared.warnings == ()


def test_preparing_twice_changes_nothing():
    once = prepare_pixels(HAND).image
    twice = prepare_pixels(once)
    assert (twice.inverted, twice.mirrored, twice.quarter_turns) == (False, False, 0)
    assert difference(once, twice.image) < 2


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("inverted", [False, True])
def test_all_sixteen_versions_of_a_hand_become_the_same(turns: int, mirrored: bool, inverted: bool):
    changed = np.rot90(HAND, turns)
    changed = changed[:, ::-1] if mirrored else changed
    prepared = prepare_pixels(
        np.ascontiguousarray(255 - changed if inverted else changed), confidence=SURE_SOON
    )
    assert prepared.inverted == inverted
    assert prepared.mirrored == mirrored
    assert difference(prepared.image, prepare_pixels(HAND).image) < 2


def test_points_go_to_the_canvas_and_back():
    prepared = prepare_pixels(
        framed(np.ascontiguousarray(np.rot90(HAND)), 160, (30, 10, 50, 20)), confidence=SURE_SOON
    )
    assert prepared.quarter_turns == 3
    back = cv2.invertAffineTransform(prepared.transform)
    points = np.array([[60.0, 35.0], [200.0, 180.0], [333.3, 91.7]])
    assert map_points(map_points(points, prepared.transform), back) == pytest.approx(points, abs=0.01)


def test_a_mask_comes_back_into_the_source():
    source = framed(np.ascontiguousarray(HAND[:, ::-1]), 160, (30, 10, 50, 20))
    prepared = prepare_pixels(source, canvas_px=400, confidence=SURE_SOON)
    assert prepared.mirrored
    mask = prepared.image > 60
    returned = to_source(mask, prepared.transform, prepared.source_shape)
    field = prepared.crop
    truth = np.zeros(source.shape, bool)
    high, low = prepared.window.high, prepared.window.low
    truth[field.top : field.bottom, field.left : field.right] = (
        field.view(source) > low + (high - low) * 60 / 255
    )
    assert (returned & truth).sum() / (returned | truth).sum() > 0.96


def test_the_same_picture_in_8_12_and_16_bits_and_floats_looks_the_same():
    eight = prepare_pixels(HAND).image
    for pixels in (HAND.astype(np.uint16) * 16, HAND.astype(np.uint16) * 257, HAND.astype(np.float32) / 255):
        other = prepare_pixels(pixels).image
        assert np.abs(eight.astype(int) - other).max() <= 1  # rounded to either side of a half
        assert difference(eight, other) < 1e-3


def test_a_narrow_range_of_16_bits_is_spread():
    narrow = prepare_pixels(1000 + HAND.astype(np.uint16) * 4).image
    assert difference(narrow, prepare_pixels(HAND).image) < 1


def test_a_header_that_knows_the_polarity_is_believed_with_a_warning():
    prepared = prepare_pixels(255 - HAND, polarity_known=True)
    assert not prepared.inverted
    assert any(warning.startswith("polarity") for warning in prepared.warnings)


def test_nothing_is_done_that_is_not_allowed():
    source = framed(np.ascontiguousarray(255 - HAND[::-1]), 130, (30, 30, 30, 30))
    prepared = prepare_pixels(source, fix_polarity=False, crop=False, orient=False)
    assert (prepared.inverted, prepared.mirrored, prepared.quarter_turns) == (False, False, 0)
    assert prepared.crop == Box(0, 0, source.shape[1], source.shape[0])
    assert any(warning.startswith("orientation") for warning in prepared.warnings)


@pytest.mark.parametrize("shape", [(1, 1), (1, 900), (900, 1), (3, 5), (700, 700)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_a_constant_picture_becomes_black_with_a_warning(shape: tuple[int, int], dtype: type):
    prepared = prepare_pixels(np.full(shape, 80, dtype))
    assert prepared.image.max() == 0
    assert any("one gray value" in warning for warning in prepared.warnings)


def test_a_faint_picture_is_reported():
    prepared = prepare_pixels(HAND // 16)
    assert any("faint" in warning for warning in prepared.warnings)


def test_the_record_survives_json():
    prepared = prepare_pixels(HAND[:, ::-1].copy(), confidence=SURE_SOON)
    record = json.loads(json.dumps(prepared.record()))
    assert record["mirrored"] is True
    assert record["source_shape"] == [400, 312]
    assert np.array_equal(np.array(record["transform"], np.float32), prepared.transform)
    assert record["crop"] == {"left": 0, "top": 0, "right": 312, "bottom": 400}


def test_the_source_is_left_as_it_was():
    source = draw_hand()
    source.setflags(write=False)
    prepare_pixels(source)
    assert np.array_equal(source, draw_hand())


@pytest.mark.parametrize(
    ("pixels", "error", "message"),
    [
        (np.zeros((4, 4, 3), np.uint8), TypeError, r"\(4, 4, 3\) uint8"),
        (np.zeros((4, 4), np.int16), TypeError, "not .* int16"),
        (np.zeros((0, 4), np.uint8), ValueError, "empty"),
        (np.full((4, 4), np.nan, np.float32), ValueError, "not finite"),
    ],
)
def test_pixels_that_cannot_be_prepared_are_refused(pixels: np.ndarray, error: type[Exception], message: str):
    with pytest.raises(error, match=message):
        prepare_pixels(pixels)
