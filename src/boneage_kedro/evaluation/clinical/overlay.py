"""Class activation maps laid over the picture they explain."""

import cv2
import numpy as np

_RED = np.array([255, 70, 30], np.float32)
_BLUE = np.array([40, 110, 255], np.float32)


def overlay_map(image: np.ndarray, contribution_months: np.ndarray, scale_months: float) -> np.ndarray:
    """Colour a gray picture by how many months each place adds (red) or takes away (blue).

    Args:
        image: (H, W) uint8.
        contribution_months: (h, w), any size; enlarged smoothly to the picture.
        scale_months: the contribution that gets full colour; the same for all pictures of a sheet, so that
            they can be compared.

    Returns:
        (H, W, 3) uint8 RGB. Where nothing is contributed the picture shows unchanged.

    Raises:
        ValueError: the scale is not positive.
    """
    if scale_months <= 0:
        raise ValueError(f"scale_months must be positive, got {scale_months}")
    height, width = image.shape
    grown = cv2.resize(contribution_months.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    strength = np.clip(grown / scale_months, -1, 1)[..., None]
    alpha = 0.6 * np.abs(strength)
    gray = image.astype(np.float32)[..., None]
    return np.rint(gray * (1 - alpha) + np.where(strength > 0, _RED, _BLUE) * alpha).astype(np.uint8)


def as_png(picture: np.ndarray) -> bytes:
    """A picture (H, W, 3) uint8 RGB as the content of a PNG file."""
    return cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))[1].tobytes()
