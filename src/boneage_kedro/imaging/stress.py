"""Stress: the same radiograph as another department, scanner or archive might have handed it on.

In the manner of Santomartino SM et al., Radiology: Artificial Intelligence 2024;6(3):e230240, who changed radiographs
in 33 ways of seven kinds (rotation, flip, brightness, contrast, inversion, laterality marker, resolution) and found
that 19 changed the number of clinically significant errors of the winner of the RSNA 2017 challenge. The kinds are
from their abstract; the levels are this project's own, and so are the kinds that they did not have.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
from typing_extensions import TypedDict

from boneage_kedro.imaging import alterations as change
from boneage_kedro.imaging.alterations import GrayScale
from boneage_kedro.limits import Count, NotNegative, Positive, Within
from boneage_kedro.provenance import fingerprint

UNCHANGED = "unchanged"
PAPER_KINDS = ("rotation", "flip", "brightness", "contrast", "inversion", "marker", "resolution")
"""The seven kinds of Santomartino 2024; a share that is compared with the paper's should be of these alone."""

Change = Callable[[np.ndarray, np.random.Generator], np.ndarray]
PartOfSide = Annotated[float, Within(0.001, 0.45)]


class StressSettings(TypedDict):
    """The levels of each kind of change; an empty list leaves a kind out.

    Attributes:
        seed: of the noise, the place of letters and the burnt-in text.
        rotation_deg: counter-clockwise.
        flip: left to right (``horizontal``), or upside down.
        inversion: whether to try the negative.
        laterality: whether to try the picture as a right hand: mirrored, with a lead R.
        brightness: part of the gray range that is added.
        contrast: factor around the mean of the picture.
        gamma: exponent; above 1 is darker.
        resolution: part of the sides' pixels that is left.
        marker: height of a bright L in a corner, part of the long side.
        text_lines: lines of text burnt into the top left.
        noise: standard deviation of white noise, part of the gray range.
        blur: standard deviation, part of the long side.
        jpeg_quality: as libjpeg counts it.
        cut_top, cut_bottom: part of the height that is cut off; at the bottom of an upright hand is the wrist.
        cut_sides: part of the width that is cut off to the left and to the right.
        black_frame, white_frame: width of a frame around the picture, part of the long side.
    """

    seed: int
    rotation_deg: list[float]
    flip: list[Literal["horizontal", "vertical"]]
    inversion: bool
    laterality: bool
    brightness: list[Annotated[float, Within(-1, 1)]]
    contrast: list[Positive]
    gamma: list[Positive]
    resolution: list[Annotated[float, Within(0.001, 1)]]
    marker: list[PartOfSide]
    text_lines: list[Count]
    noise: list[NotNegative]
    blur: list[Positive]
    jpeg_quality: list[Annotated[int, Within(1, 100)]]
    cut_top: list[PartOfSide]
    cut_bottom: list[PartOfSide]
    cut_sides: list[PartOfSide]
    black_frame: list[PartOfSide]
    white_frame: list[PartOfSide]


@dataclass(frozen=True)
class Transformation:
    """One way of changing radiographs at one level.

    Attributes:
        kind: the group it belongs to, such as ``rotation``.
        name: the kind with its level; unique.
        seed: of what is random in it.
        change: gray levels, 0 to 1, and random numbers to gray levels (`boneage_kedro.imaging.alterations`).
    """

    kind: str
    name: str
    seed: int
    change: Change

    def apply(self, pixels: np.ndarray, key: str) -> np.ndarray:
        """The changed radiograph, the same each time for one case.

        Args:
            pixels: (H, W) uint8, uint16 or float32, as read.
            key: id of the case; what is random in the change depends on it.

        Returns:
            the same type, of whatever size.
        """
        scale = GrayScale.of(pixels)
        rng = np.random.default_rng(int(fingerprint(self.seed, self.name, key), 16))
        return np.ascontiguousarray(scale.pixels(self.change(scale.levels(pixels), rng)))


def _right_hand(levels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return change.lay_letter(change.flip(levels, "horizontal"), "R", 0.06, rng)


# By key of the settings: the kind, its name with a level, and the change.
_CHANGES: dict[str, tuple[str, str, Callable[[np.ndarray, Any, np.random.Generator], np.ndarray]]] = {
    "rotation_deg": ("rotation", "rotated {:+g} deg", lambda x, level, _: change.rotate(x, level)),
    "flip": ("flip", "flipped {}", lambda x, level, _: change.flip(x, level)),
    "inversion": ("inversion", "negative", lambda x, _, __: change.invert(x)),
    "laterality": ("laterality", "right hand with R", lambda x, _, rng: _right_hand(x, rng)),
    "brightness": ("brightness", "brightness {:+.0%}", lambda x, level, _: change.brighten(x, level)),
    "contrast": ("contrast", "contrast x {:g}", lambda x, level, _: change.stretch(x, level)),
    "gamma": ("gamma", "gamma {:g}", lambda x, level, _: change.gamma(x, level)),
    "resolution": ("resolution", "resolution x {:g}", lambda x, level, _: change.shrink(x, level)),
    "marker": ("marker", "letter {:.0%} high", lambda x, level, rng: change.lay_letter(x, "L", level, rng)),
    "text_lines": ("text", "{} lines of text", change.burn_text),
    "noise": ("noise", "noise {:.0%}", change.add_noise),
    "blur": ("blur", "blur {:.1%}", lambda x, level, _: change.blur(x, level)),
    "jpeg_quality": ("compression", "JPEG quality {}", lambda x, level, _: change.compress(x, level)),
    "cut_top": ("cut", "top cut by {:.0%}", lambda x, level, _: change.cut(x, level, "top")),
    "cut_bottom": ("cut", "bottom cut by {:.0%}", lambda x, level, _: change.cut(x, level, "bottom")),
    "cut_sides": ("cut", "sides cut by {:.0%}", lambda x, level, _: change.cut(x, level, "left", "right")),
    "black_frame": ("frame", "black frame {:.0%}", lambda x, level, _: change.frame(x, level, 0)),
    "white_frame": ("frame", "white frame {:.0%}", lambda x, level, _: change.frame(x, level, 1)),
}


def list_transformations(settings: StressSettings) -> list[Transformation]:
    """All that the settings ask for, after the picture as it is, which everything is compared with.

    Raises:
        ValueError: two levels of a kind have the same name.
    """
    found = [Transformation(UNCHANGED, UNCHANGED, settings["seed"], lambda levels, _: levels)]
    for key, (kind, title, apply) in _CHANGES.items():
        for level in _levels(settings[key]):  # type: ignore[literal-required]
            found.append(Transformation(kind, title.format(level), settings["seed"], _at_level(apply, level)))
    names = [transformation.name for transformation in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(
            f"stress has {', '.join(twice)} twice; give levels that differ by more than rounding"
        )
    return found


def _levels(setting: list[Any] | bool) -> list[Any]:
    return setting if isinstance(setting, list) else [setting] * setting


def _at_level(apply: Callable[[np.ndarray, Any, np.random.Generator], np.ndarray], level: Any) -> Change:
    return lambda levels, rng: apply(levels, level, rng)
