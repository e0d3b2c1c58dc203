import cv2
import numpy as np
import pytest

from boneage_kedro.imaging.geometry import Box
from boneage_kedro.imaging.preparation.framing import find_field, second_part
from tests.imaging.drawn_hand import draw_hand, framed

HAND = draw_hand(air=40)[::4, ::4].astype(np.float32)
WHOLE = Box(0, 0, HAND.shape[1], HAND.shape[0])


def test_a_picture_without_a_frame_stays_whole():
    assert find_field(HAND) == WHOLE


@pytest.mark.parametrize("level", [0, 60, 130, 255])
@pytest.mark.parametrize("margins", [(9, 0, 0, 0), (0, 0, 14, 3), (8, 6, 10, 12)])
def test_a_flat_frame_of_any_gray_comes_off(level: int, margins: tuple[int, int, int, int]):
    top, _, left, _ = margins
    assert find_field(framed(HAND, level, margins)) == Box(left, top, left + WHOLE.right, top + WHOLE.bottom)


def test_frames_within_frames_come_off():
    nested = framed(framed(framed(HAND, 120, (6, 6, 6, 6)), 250, (2, 2, 2, 2)), 0, (10, 4, 7, 7))
    assert find_field(nested) == Box(15, 18, 15 + WHOLE.right, 18 + WHOLE.bottom)


def test_a_frame_that_fades_comes_off():
    field = framed(HAND, 0, (10, 10, 10, 10))
    fading = np.linspace(100, 160, field.shape[1], dtype=np.float32)[None].repeat(field.shape[0], axis=0)
    fading[10:-10, 10:-10] = HAND
    assert find_field(fading) == Box(10, 10, 10 + WHOLE.right, 10 + WHOLE.bottom)


def test_background_without_a_step_is_kept():
    assert find_field(framed(HAND, int(HAND[0, 0]), (20, 0, 20, 20))).top == 0


def test_a_field_too_small_to_be_one_is_not_cut_out():
    picture = np.zeros((90, 90), np.float32)
    picture[40:48, 40:48] = 200
    assert find_field(picture) == Box(0, 0, 90, 90)


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (2, 2), (50, 50)])
def test_constant_and_tiny_pictures_stay_whole(shape: tuple[int, int]):
    assert find_field(np.full(shape, 7, np.float32)) == Box(0, 0, shape[1], shape[0])


@pytest.mark.parametrize("level", [0, 110, 250])
@pytest.mark.parametrize("angle_deg", [-12, 7])
def test_the_margin_of_a_leaning_field_comes_off(level: int, angle_deg: int):
    lean = cv2.getRotationMatrix2D((HAND.shape[1] / 2, HAND.shape[0] / 2), angle_deg, 0.6)
    leaning = cv2.warpAffine(HAND, lean, HAND.shape[::-1], borderValue=level)
    corners = cv2.transform(np.array([[(0, 0), (77, 0), (0, 99), (77, 99)]], np.float64), lean)[0]
    wanted = [*corners.min(axis=0), *corners.max(axis=0) + 1]
    assert find_field(leaning) == pytest.approx(wanted, abs=1.5)


def test_a_solid_hand_without_a_frame_stays_whole():
    fist = np.full((90, 80), 20, np.float32)
    cv2.ellipse(fist, (40, 40), (18, 24), 0, 0, 360, 150, -1)
    cv2.rectangle(fist, (30, 50), (50, 90), 160, -1)
    assert find_field(fist) == Box(0, 0, 80, 90)


def test_a_hand_is_one_part_and_two_films_are_two_of_one_size():
    assert second_part(HAND) == 0
    film = framed(HAND, 0, (10, 10, 10, 10))
    assert second_part(film) == 0
    assert second_part(np.hstack([film, film[:, ::-1]])) == pytest.approx(1, abs=0.02)
    assert second_part(np.full((40, 40), 7, np.float32)) == 0


def test_a_letter_is_no_second_part():
    film = framed(HAND, 0, (10, 10, 30, 10))
    film[20:32, 4:14] = 255
    assert second_part(film) == 0
