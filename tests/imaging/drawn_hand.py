"""A hand of discs and bars: enough for the readers of content, and its parts are known to the pixel."""

import cv2
import numpy as np

LONG_SIDE = 400
FINGERS = {  # knuckle and tip as parts of the picture's width and height
    "thumb": ((0.62, 0.60), (0.83, 0.44)),
    "index": ((0.60, 0.44), (0.65, 0.20)),
    "middle": ((0.52, 0.42), (0.52, 0.16)),
    "ring": ((0.44, 0.44), (0.39, 0.19)),
    "little": ((0.37, 0.49), (0.27, 0.28)),
}


def draw_hand(air: int = 15, tissue: int = 90, bone: int = 200) -> np.ndarray:
    """An upright left hand, thumb to the right, (400, 312) uint8."""
    height, width = LONG_SIDE, 312
    picture = np.full((height, width), air, np.uint8)

    def point(share: tuple[float, float]) -> tuple[int, int]:
        return round(share[0] * width), round(share[1] * height)

    palm = np.array(
        [
            point(p)
            for p in [(0.34, 0.48), (0.50, 0.40), (0.63, 0.45), (0.66, 0.60), (0.58, 0.72), (0.42, 0.72)]
        ]
    )
    cv2.line(picture, point((0.50, 0.68)), point((0.50, 1.2)), tissue, 60)
    cv2.fillPoly(picture, [palm], tissue)
    for knuckle, tip in FINGERS.values():
        cv2.line(picture, point(knuckle), point(tip), tissue, 24)
    for knuckle, tip in FINGERS.values():
        cv2.line(picture, point((0.50, 0.66)), point(knuckle), bone, 9)
        cv2.line(picture, point(knuckle), point(tip), bone, 9)
    cv2.circle(picture, point((0.50, 0.68)), 20, bone, -1)
    for x in (0.45, 0.55):
        cv2.line(picture, point((x, 0.74)), point((x, 1.2)), bone, 18)
    return cv2.GaussianBlur(picture, (0, 0), 1.5)


def framed(picture: np.ndarray, level: int, margins: tuple[int, int, int, int]) -> np.ndarray:
    """The picture inside a flat margin: pixels above, below, left and right."""
    return cv2.copyMakeBorder(picture, *margins, cv2.BORDER_CONSTANT, value=level)
