"""Radiographs made worse, as detectors and their processing do it: photons, scatter, noise, response, window, 8 bits.

In a picture with bright bone, bright means few photons: the gray value is taken for the attenuation, of which 0 is an
open field and 1 lets through `OPEN_TO_BONE` natural logarithms less. The physics are those of Bushberg JT et al.,
The Essential Physics of Medical Imaging (3rd ed. 2012), chapters 4 and 7.
"""

from dataclasses import dataclass
from math import inf
from typing import Annotated

import cv2
import numpy as np
from typing_extensions import TypedDict

from boneage_kedro.imaging.contrast.tone_curve import check_picture, film_curve
from boneage_kedro.limits import Positive, Share, Within

OPEN_TO_BONE = 2.5  # attenuation that the densest 0.5% of the phantom's hands exceed, ages 2 to 17
VEIL_SHARE = 0.06  # standard deviation of the scatter kernel, part of the long side; as the phantom's
DOSE_SIDE_PX = 256  # long side of the picture for whose pixels the dose is given
_WHITE = 255


class ShareEffect(TypedDict):
    """How often an effect comes, and how strong it is then: evenly from ``low`` to ``high``."""

    probability: Share
    low: Share
    high: Share


class ShiftEffect(TypedDict):
    """As `ShareEffect`, of either sign."""

    probability: Share
    low: float
    high: float


class FactorEffect(TypedDict):
    """As `ShareEffect`, but evenly in the logarithm."""

    probability: Share
    low: Positive
    high: Positive


class LevelsEffect(TypedDict):
    """As `FactorEffect`, for a number of gray levels."""

    probability: Share
    low: Annotated[int, Within(2, _WHITE + 1)]
    high: Annotated[int, Within(2, _WHITE + 1)]


class DegradationSettings(TypedDict):
    """How often and how much each effect degrades a picture; see `Degradation` for what the values mean.

    ``inversion`` is a probability alone; the direction of the shading is any.
    """

    shading: ShiftEffect
    scatter: ShareEffect
    dose: FactorEffect
    blur: ShareEffect
    exposure: ShiftEffect
    gradient: FactorEffect
    gamma: FactorEffect
    window_width: FactorEffect
    window_level: ShiftEffect
    gray_levels: LevelsEffect
    inversion: Share


@dataclass(frozen=True)
class Degradation:
    """What happens to one picture; the defaults leave it as it is, rounded to 8 bits.

    Attributes:
        shading: natural logarithm of the change of the photons over the long side: the heel effect of the tube, or a
            field that is not lit evenly. Positive is darker in the direction of ``shading_deg``.
        shading_deg: 0 is to the right, 90 down.
        scatter: part of the photons that arrive as a wide veil (Seibert JA, Boone JM, Med Phys 1988;15:567).
        dose: photons that a pixel of the open field counts in a picture of 256 pixels; fewer are noisier, and the
            most behind bone, where the fewest arrive.
        blur: standard deviation of the detector's point spread, part of the long side.
        exposure: natural logarithm of the dose that the film shows; higher is darker.
        gradient: of the characteristic curve; above 1 is S-shaped (`film_curve`).
        gamma: of the digitiser or display; above 1 is darker.
        window_width, window_level: gray values that become black to white (DICOM PS3.3 C.11.2); a width below 1
            clips, above 1 leaves the picture flat.
        gray_levels: that are left after a faint picture was spread over the whole range.
        inverted: the negative that polarity correction missed.
    """

    shading: float = 0.0
    shading_deg: float = 0.0
    scatter: float = 0.0
    dose: float = inf
    blur: float = 0.0
    exposure: float = 0.0
    gradient: float = 1.0
    gamma: float = 1.0
    window_width: float = 1.0
    window_level: float = 0.5
    gray_levels: int = _WHITE + 1
    inverted: bool = False

    def apply(self, image: np.ndarray, inside: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """The degraded picture.

        Args:
            image: (H, W) float32, 0 to 1, bone bright. What is 0 around the hand counts as air.
            inside: (H, W) bool, where there is a picture.
            rng: of the noise.

        Returns:
            (H, W) float32 multiples of 1/255, 0 outside the picture.

        Raises:
            TypeError, ValueError: as `check_picture`.
        """
        check_picture(image, inside)
        photons = _shade(np.exp(-OPEN_TO_BONE * image), self.shading, np.radians(self.shading_deg))
        photons = _add_veil(photons, self.scatter)
        read = _blur(_count(photons, self.dose, rng), self.blur * max(image.shape))
        film = film_curve(_log_response(read), self.gradient, self.exposure) ** self.gamma
        windowed = np.clip((film - self.window_level) / self.window_width + 0.5, 0, 1)
        levels = _quantise(_quantise(windowed, self.gray_levels), _WHITE + 1)
        return np.where(inside, 1 - levels if self.inverted else levels, np.float32(0))


def draw_degradation(settings: DegradationSettings, rng: np.random.Generator) -> Degradation:
    """Draw what happens to one picture; the chance of one effect does not change what is drawn of the others.

    Raises:
        ValueError: a range ends below its begin.
    """
    plain = Degradation()

    def draw(name: str, usual: float, geometric: bool = False) -> float:
        effect = settings[name]  # type: ignore[literal-required]
        low, high = effect["low"], effect["high"]
        if low > high:
            raise ValueError(f"degradation {name}: low is {low:g}, above high, {high:g}; exchange them")
        chance, place = rng.random(2).tolist()
        if chance >= effect["probability"]:
            return usual
        return float(low * (high / low) ** place if geometric else low + (high - low) * place)

    return Degradation(
        shading=draw("shading", plain.shading),
        shading_deg=float(rng.uniform(0, 180)),
        scatter=draw("scatter", plain.scatter),
        dose=draw("dose", plain.dose, geometric=True),
        blur=draw("blur", plain.blur),
        exposure=draw("exposure", plain.exposure),
        gradient=draw("gradient", plain.gradient, geometric=True),
        gamma=draw("gamma", plain.gamma, geometric=True),
        window_width=draw("window_width", plain.window_width, geometric=True),
        window_level=draw("window_level", plain.window_level),
        gray_levels=round(draw("gray_levels", plain.gray_levels, geometric=True)),
        inverted=bool(rng.random() < settings["inversion"]),
    )


def degrade(
    image: np.ndarray, inside: np.ndarray, settings: DegradationSettings, rng: np.random.Generator
) -> np.ndarray:
    """Draw a degradation and apply it; shapes and errors as `Degradation.apply` and `draw_degradation`."""
    return draw_degradation(settings, rng).apply(image, inside, rng)


def _shade(photons: np.ndarray, shading: float, angle: float) -> np.ndarray:
    """More photons to one side and fewer to the other; the middle keeps its own."""
    if shading == 0:
        return photons
    height, width = photons.shape
    x = (np.arange(width, dtype=np.float32) - np.float32(width - 1) / 2) / max(photons.shape)
    y = (np.arange(height, dtype=np.float32) - np.float32(height - 1) / 2) / max(photons.shape)
    along = x * np.float32(np.cos(angle)) + y[:, None] * np.float32(np.sin(angle))
    return photons * np.exp(np.float32(shading) * along)


def _add_veil(photons: np.ndarray, scatter: float) -> np.ndarray:
    """Replace a part of the photons by their wide blur: contrast is lost, most of all behind bone."""
    if scatter == 0:
        return photons
    height, width = photons.shape
    small = cv2.resize(photons, (-(-width // 4), -(-height // 4)), interpolation=cv2.INTER_AREA)
    veil = cv2.resize(_blur(small, VEIL_SHARE * max(small.shape)), (width, height))
    return np.float32(1 - scatter) * photons + np.float32(scatter) * veil


def _count(photons: np.ndarray, dose: float, rng: np.random.Generator) -> np.ndarray:
    """Quantum noise: a detector counts photons, and their number in a pixel is Poisson distributed."""
    if dose == inf:
        return photons
    per_pixel = dose * (DOSE_SIDE_PX / max(photons.shape)) ** 2
    return (rng.poisson(per_pixel * photons) / per_pixel).astype(np.float32)


def _blur(image: np.ndarray, sigma_px: float) -> np.ndarray:
    if sigma_px == 0:
        return image
    return cv2.GaussianBlur(image, (0, 0), sigma_px, borderType=cv2.BORDER_REPLICATE)


def _log_response(photons: np.ndarray) -> np.ndarray:
    """The attenuation that a number of photons speaks of, as a gray value: 0 for an open field, 1 for dense bone."""
    floor = np.float32(np.exp(-OPEN_TO_BONE))
    return np.clip(np.log(np.maximum(photons, floor)) / np.float32(-OPEN_TO_BONE), 0, 1)


def _quantise(image: np.ndarray, levels: int) -> np.ndarray:
    return np.round(image * np.float32(levels - 1)) / np.float32(levels - 1)
