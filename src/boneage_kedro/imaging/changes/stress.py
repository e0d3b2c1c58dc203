"""Stress: the same radiograph as another department, scanner or archive might have handed it on.

In the manner of Santomartino SM et al., Radiology: Artificial Intelligence 2024;6(3):e230240, who changed radiographs
in 33 ways of seven kinds (rotation, flip, brightness, contrast, inversion, laterality marker, resolution) and found
that 19 changed the number of clinically significant errors of the winner of the RSNA 2017 challenge. The kinds are
from their abstract; the levels are this project's own, and so are the kinds that they did not have.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Literal

import numpy as np
from typing_extensions import TypedDict

from boneage_kedro.imaging.changes import alterations
from boneage_kedro.imaging.changes.alterations import GrayScale
from boneage_kedro.limits import Count, NotNegative, Positive, Within
from boneage_kedro.provenance import fingerprint

UNCHANGED = "unchanged"
PAPER_KINDS = ("rotation", "flip", "brightness", "contrast", "inversion", "marker", "resolution")
"""The seven kinds of Santomartino 2024; a share that is compared with the paper's should be of these alone."""

Change = Callable[[np.ndarray, Any, np.random.Generator], np.ndarray]
"""Gray levels, 0 to 1, the level of the change, and random numbers, to gray levels."""

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
        clip_limit: of a local equalisation of the histogram (CLAHE).
        resolution: part of the sides' pixels that is left.
        width: factor at the same height.
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
    clip_limit: list[Positive]
    resolution: list[Annotated[float, Within(0.001, 1)]]
    width: list[Positive]
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
        level: as the settings give it.
        seed: of what is random in it.
        change: one of `boneage_kedro.imaging.changes.alterations`.
    """

    kind: str
    name: str
    level: Any
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
        return np.ascontiguousarray(scale.pixels(self.change(scale.levels(pixels), self.level, rng)))


def _fixed(apply: Callable[[np.ndarray, Any], np.ndarray]) -> Change:
    """A change in which nothing is random."""
    return lambda levels, level, _: apply(levels, level)


def _right_hand(levels: np.ndarray, _: Any, rng: np.random.Generator) -> np.ndarray:
    return alterations.lay_letter(alterations.flip(levels, "horizontal"), 0.06, rng, letter="R")


# By key of the settings: the kind, its name with a level, and the change.
_CHANGES: dict[str, tuple[str, str, Change]] = {
    "rotation_deg": ("rotation", "rotated {:+g} deg", _fixed(alterations.rotate)),
    "flip": ("flip", "flipped {}", _fixed(alterations.flip)),
    "inversion": ("inversion", "negative", lambda levels, *_: alterations.invert(levels)),
    "laterality": ("laterality", "right hand with R", _right_hand),
    "brightness": ("brightness", "brightness {:+.0%}", _fixed(alterations.brighten)),
    "contrast": ("contrast", "contrast x {:g}", _fixed(alterations.stretch)),
    "gamma": ("gamma", "gamma {:g}", _fixed(alterations.gamma)),
    "clip_limit": ("equalisation", "equalised, limit {:g}", _fixed(alterations.equalise)),
    "resolution": ("resolution", "resolution x {:g}", _fixed(alterations.shrink)),
    "width": ("shape", "width x {:g}", _fixed(alterations.squash)),
    "marker": ("marker", "letter {:.0%} high", partial(alterations.lay_letter, letter="L")),
    "text_lines": ("text", "{} lines of text", alterations.burn_text),
    "noise": ("noise", "noise {:.0%}", alterations.add_noise),
    "blur": ("blur", "blur {:.1%}", _fixed(alterations.blur)),
    "jpeg_quality": ("compression", "JPEG quality {}", _fixed(alterations.compress)),
    "cut_top": ("cut", "top cut by {:.0%}", _fixed(partial(alterations.cut, sides=["top"]))),
    "cut_bottom": ("cut", "bottom cut by {:.0%}", _fixed(partial(alterations.cut, sides=["bottom"]))),
    "cut_sides": ("cut", "sides cut by {:.0%}", _fixed(partial(alterations.cut, sides=["left", "right"]))),
    "black_frame": ("frame", "black frame {:.0%}", _fixed(partial(alterations.frame, level=0))),
    "white_frame": ("frame", "white frame {:.0%}", _fixed(partial(alterations.frame, level=1))),
}


def list_transformations(settings: StressSettings) -> list[Transformation]:
    """All that the settings ask for, after the picture as it is, which everything is compared with.

    Raises:
        ValueError: two levels of a kind have the same name.
    """
    found = [Transformation(UNCHANGED, UNCHANGED, None, settings["seed"], lambda levels, *_: levels)]
    for key, (kind, title, change) in _CHANGES.items():
        for level in _levels(settings[key]):  # type: ignore[literal-required]
            found.append(Transformation(kind, title.format(level), level, settings["seed"], change))
    names = [transformation.name for transformation in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(
            f"stress has {', '.join(twice)} twice; give levels that differ by more than rounding"
        )
    return found


def _levels(setting: list[Any] | bool) -> list[Any]:
    return setting if isinstance(setting, list) else [setting] * setting
