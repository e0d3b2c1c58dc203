"""Made-up pictures that no bone age must be read from: no hand, less than a hand, or more than one.

They measure how well unfit input is found. What is drawn is crude, and other parts of the body look richer than this,
so figures from them are of the method and not of a hospital's archive.
"""

from collections.abc import Callable

import cv2
import numpy as np

_LINES, _LETTERS = 40, "abcdefghijklmnopqrstuvwxyz     "


def make_unfit(kind: str, hand: np.ndarray, wrist_row: int, rng: np.random.Generator) -> np.ndarray:
    """An unfit picture of one of the `KINDS`.

    Args:
        hand: (H, W) uint8 radiograph of an upright hand, bone bright, that it is made of or whose size it takes.
        wrist_row: where the wrist is, between 0 and H; the forearm lies below.
        rng: of everything that is drawn by chance.

    Returns:
        (h, w) uint8; of another size where a part is cut out.

    Raises:
        ValueError: the kind is unknown, or the wrist is not within the picture.
    """
    if kind not in KINDS:
        raise ValueError(f"there is no kind {kind!r} of unfit pictures; choose from {', '.join(KINDS)}")
    if not 0 < wrist_row < hand.shape[0]:
        raise ValueError(f"the wrist is at row {wrist_row}, outside a picture of {hand.shape[0]} rows")
    return np.ascontiguousarray(KINDS[kind](hand, wrist_row, rng))


def _blank(hand: np.ndarray, wrist_row: int, rng: np.random.Generator) -> np.ndarray:
    """An open field: one gray with a detector's noise."""
    return _levels(rng.uniform(20, 230) + rng.uniform(0.5, 4) * rng.standard_normal(hand.shape))


def _noise(hand: np.ndarray, wrist_row: int, rng: np.random.Generator) -> np.ndarray:
    return rng.integers(0, 256, hand.shape, dtype=np.uint8)


def _checkerboard(hand: np.ndarray, wrist_row: int, rng: np.random.Generator) -> np.ndarray:
    side = int(rng.integers(max(2, hand.shape[0] // 32), max(3, hand.shape[0] // 6)))
    rows, columns = (np.arange(length) // side for length in hand.shape)
    return np.where((rows[:, None] + columns) % 2 == 1, 220, 30).astype(np.uint8)


def _text_page(hand: np.ndarray, wrist_row: int, rng: np.random.Generator) -> np.ndarray:
    """Lines of letters, dark on white: a scanned report."""
    page = np.full(hand.shape, 245, np.uint8)
    step = max(6, hand.shape[0] // _LINES)
    for row in range(2 * step, hand.shape[0] - step, step):
        line = "".join(rng.choice(list(_LETTERS), rng.integers(10, 80)))
        cv2.putText(page, line, (2 * step, row), cv2.FONT_HERSHEY_SIMPLEX, step / 45, (20,), 1, cv2.LINE_AA)
    return page


def _texture(hand: np.ndarray, wrist_row: int, rng: np.random.Generator) -> np.ndarray:
    """Noise whose amplitude falls as one over frequency, as that of photographs of nature does (Field 1987)."""
    spectrum = np.fft.rfft2(rng.standard_normal(hand.shape))
    across, down = np.fft.rfftfreq(hand.shape[1]), np.fft.fftfreq(hand.shape[0])
    frequency = np.hypot(across, down[:, None])
    frequency[0, 0] = np.inf
    clouds = np.fft.irfft2(spectrum / frequency, hand.shape)
    return _levels(128 + 50 * clouds / clouds.std())


def _limb(hand: np.ndarray, wrist_row: int, rng: np.random.Generator) -> np.ndarray:
    """Another part of the body: a joint between one long bone and two, in soft tissue."""
    height, width = hand.shape
    middle, joint = rng.uniform(0.4, 0.6) * width, rng.uniform(0.4, 0.6) * height
    breadth = rng.uniform(0.1, 0.16) * width
    picture = np.full(hand.shape, 12, np.uint8)
    _bar(picture, (middle, -0.1 * height), (middle, 1.1 * height), 4.2 * breadth, 75)
    _bar(picture, (middle, -0.1 * height), (middle, joint - 0.9 * breadth), 1.3 * breadth, 185)
    _bar(picture, (middle, joint - breadth), (middle, joint - 0.8 * breadth), 2.2 * breadth, 195)
    _bar(picture, (middle, joint + breadth), (middle, 1.1 * height), 1.2 * breadth, 185)
    _bar(picture, (middle, joint + 0.8 * breadth), (middle, joint + breadth), 2 * breadth, 195)
    side = middle + 1.2 * breadth
    _bar(picture, (side, joint + 1.6 * breadth), (side, 1.1 * height), 0.5 * breadth, 160)
    soft = cv2.GaussianBlur(picture, (0, 0), max(0.8, 0.006 * height)).astype(float)
    return _levels(soft + 4 * rng.standard_normal(hand.shape))


def _fingers(hand: np.ndarray, wrist_row: int, rng: np.random.Generator) -> np.ndarray:
    """What lies above the knuckles."""
    return hand[: max(2, round(rng.uniform(0.45, 0.6) * wrist_row))]


def _without_wrist(hand: np.ndarray, wrist_row: int, rng: np.random.Generator) -> np.ndarray:
    """Cut through the metacarpals: no carpals, no radius, no ulna."""
    return hand[: max(2, round(rng.uniform(0.78, 0.9) * wrist_row))]


def _forearm(hand: np.ndarray, wrist_row: int, rng: np.random.Generator) -> np.ndarray:
    """What lies below the wrist."""
    return hand[min(wrist_row, hand.shape[0] - 2) :]


def _two_hands(hand: np.ndarray, wrist_row: int, rng: np.random.Generator) -> np.ndarray:
    """The hand beside its mirror image, the thumbs inwards or outwards."""
    pair = [hand, hand[:, ::-1]]
    return np.hstack(pair if rng.random() < 0.5 else pair[::-1])


def _turned(hand: np.ndarray, wrist_row: int, rng: np.random.Generator) -> np.ndarray:
    return np.rot90(hand, int(rng.choice([1, 3])))


def _zoomed(hand: np.ndarray, wrist_row: int, rng: np.random.Generator) -> np.ndarray:
    """A window of a fifth to a third of the sides, somewhere on the hand."""
    share = rng.uniform(0.2, 0.33)
    height, width = (max(2, round(share * side)) for side in hand.shape)
    middle_row, middle_column = rng.uniform(0.4, 1.0) * wrist_row, rng.uniform(0.4, 0.6) * hand.shape[1]
    top = int(np.clip(middle_row - height / 2, 0, hand.shape[0] - height))
    left = int(np.clip(middle_column - width / 2, 0, hand.shape[1] - width))
    return hand[top : top + height, left : left + width]


def _inverted(hand: np.ndarray, wrist_row: int, rng: np.random.Generator) -> np.ndarray:
    return 255 - hand


KINDS: dict[str, Callable[[np.ndarray, int, np.random.Generator], np.ndarray]] = {
    "blank": _blank,
    "noise": _noise,
    "checkerboard": _checkerboard,
    "text page": _text_page,
    "texture": _texture,
    "limb": _limb,
    "fingers only": _fingers,
    "wrist cut off": _without_wrist,
    "forearm only": _forearm,
    "two hands": _two_hands,
    "zoomed": _zoomed,
    "turned": _turned,
    "inverted": _inverted,
}
"""Kinds of unfit pictures; the last two are hands that preparation can mend."""


def _bar(
    picture: np.ndarray, start: tuple[float, float], end: tuple[float, float], width: float, gray: int
) -> None:
    ends = [(round(x), round(y)) for x, y in (start, end)]
    cv2.line(picture, ends[0], ends[1], (gray,), max(1, round(width)), cv2.LINE_AA)


def _levels(gray: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(gray), 0, 255).astype(np.uint8)
