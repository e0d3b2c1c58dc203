"""From attenuation to a digitised film: Beer-Lambert, scatter, quantum noise, characteristic curve, frame."""

import cv2
import numpy as np

from boneage_kedro.phantom.nuisance import Nuisance

SOFT_TISSUE_PER_MM = 0.045  # linear attenuation of muscle at the mean energy behind a hand, about 35 keV
FILM_GRADIENT = 1.35  # of the characteristic curve, per natural logarithm of exposure
FILM_SPEED = -1.4  # log exposure of half the film's range, open field 0
VEIL_SHARE = 0.06  # width of the scatter kernel, part of the long side
GRAIN_PX = 0.6  # correlation length of the noise


def expose(
    attenuation: np.ndarray, lead: np.ndarray | None, nuisance: Nuisance, rng: np.random.Generator
) -> np.ndarray:
    """Film brightness, 0 at the usual open field to 1 clear.

    Args:
        attenuation: (H, W) float32 of the hand, natural logarithm.
        lead: the same of what lies on the film beside the hand; it stops the scatter too.
        nuisance: scatter, blur, noise, exposure, contrast and shading.
        rng: of the noise.

    Returns:
        (H, W) float32.
    """
    longest = max(attenuation.shape)
    primary = cv2.exp(-attenuation)
    veil = _wide_blur(primary, VEIL_SHARE * longest)
    exposure = np.float32(1 - nuisance.scatter) * primary + np.float32(nuisance.scatter) * veil
    if lead is not None:
        exposure *= cv2.exp(-lead)
    sharp = nuisance.blur_px <= 0
    seen = exposure if sharp else cv2.GaussianBlur(exposure, (0, 0), nuisance.blur_px * longest / 512)
    seen = seen + _grain(attenuation.shape, nuisance.noise, rng) * np.sqrt(seen)
    return _develop(np.maximum(seen, np.float32(1e-3)), nuisance)


def _grain(shape: tuple[int, ...], level: float, rng: np.random.Generator) -> np.ndarray:
    """Noise of a standard deviation, correlated over `GRAIN_PX`."""
    white = rng.standard_normal(shape, np.float32)
    return cv2.GaussianBlur(white, (0, 0), GRAIN_PX) * np.float32(level * 2 * np.sqrt(np.pi) * GRAIN_PX)


def _develop(exposure: np.ndarray, nuisance: Nuisance) -> np.ndarray:
    """Brightness of the film: its density is a logistic function of log exposure, so a power law within."""
    gradient = FILM_GRADIENT * nuisance.contrast
    shading = nuisance.shading * np.linspace(-0.5, 0.5, exposure.shape[0], dtype=np.float32)[:, None]
    dose = np.exp(nuisance.exposure - FILM_SPEED + shading)
    clear = 1 / (1 + cv2.pow(exposure * dose, gradient))
    fog = np.float32(1 / (1 + np.exp(-gradient * FILM_SPEED)))  # of an open field at the usual exposure
    return (clear - fog) / (1 - fog)


def digitise(film: np.ndarray, nuisance: Nuisance) -> np.ndarray:
    """Gray levels of a film, its frame and polarity; (H, W) uint8."""
    gray = np.float32(nuisance.black) + np.float32(nuisance.white - nuisance.black) * film
    field = field_of_view(film.shape, nuisance)
    if field is not None:
        gray = gray * field + np.float32(255 * nuisance.frame_level) * (1 - field)
    levels = np.clip(gray + np.float32(0.5), 0, 255).astype(np.uint8)
    return 255 - levels if nuisance.inverted else levels


def field_of_view(shape: tuple[int, int], nuisance: Nuisance) -> np.ndarray | None:
    """Share of each pixel within the field, (H, W) float32, or None where the field has no margin."""
    left, top, right, bottom = field_box(shape, nuisance)
    height, width = shape
    if (left, top, right, bottom) == (0, 0, width, height):
        return None
    sin, cos = (
        np.float32(np.sin(np.radians(nuisance.frame_deg))),
        np.float32(np.cos(np.radians(nuisance.frame_deg))),
    )
    x = np.arange(width, dtype=np.float32) - np.float32((left + right) / 2)
    y = np.arange(height, dtype=np.float32)[:, None] - np.float32((top + bottom) / 2)
    across, along = np.abs(x * cos + y * sin), np.abs(y * cos - x * sin)
    inside = np.minimum((right - left) / 2 - across, (bottom - top) / 2 - along)
    soft = max(1.0, nuisance.frame_soft * max(shape))
    return np.clip(inside / np.float32(soft) + np.float32(0.5), 0, 1).astype(np.float32)


def field_box(shape: tuple[int, int], nuisance: Nuisance) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of the field before its turn, pixels."""
    height, width = shape
    longest = max(shape)
    return (
        nuisance.frame_left * longest,
        nuisance.frame_top * longest,
        width - nuisance.frame_right * longest,
        height - nuisance.frame_bottom * longest,
    )


def _wide_blur(image: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur by way of a small copy."""
    height, width = image.shape
    step = max(1, int(sigma / 2))
    small = cv2.resize(image, (-(-width // step), -(-height // step)), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma / step, borderType=cv2.BORDER_REPLICATE)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
