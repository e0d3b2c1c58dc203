"""What disturbs a radiograph: how the hand was laid, exposed, framed and digitised.

The frequencies and ranges follow the pictures of the RSNA 2017 challenge (Halabi SS et al., Radiology
2019;290:498-503): the shares of faint and of washed-out films were measured on 500 of them, the others were judged
by eye on some hundred and are approximate. Negatives are rarer there than here.
"""

from dataclasses import dataclass, fields

import numpy as np


@dataclass(frozen=True)
class Nuisance:
    """How one picture departs from the clean, upright left hand; the defaults are that clean picture.

    Attributes:
        aspect: width of the picture over its height.
        scale: size of the hand, 1 for what is usual at its age.
        shift_x, shift_y: of the hand, parts of the picture's width and height, right and down.
        rotation_deg: clockwise turn of the hand.
        mirrored: the finished picture is flipped left to right.
        inverted: the finished picture is a negative.
        exposure: natural logarithm of the dose; higher is darker.
        contrast: gradient of the film's curve, 1 as usual.
        black, white: gray levels 0 to 255 of the densest and of the clear film.
        scatter: part of the exposure that is a wide veil.
        shading: change of the exposure from top to bottom, natural logarithm.
        blur_px: standard deviation of the unsharpness in a picture 512 pixels long.
        noise: quantum noise of the open field, part of its exposure.
        frame_left, frame_right, frame_top, frame_bottom: margin outside the field, parts of the long side.
        frame_deg: turn of the field.
        frame_level: gray of the margin, 0 dark to 1 bright.
        frame_soft: width of the field's edge, part of the long side.
        marker: whether lead letters lie beside the hand.
        marker_size: height of the "L", part of the long side.
        marker_deg: turn of the letters.
    """

    aspect: float = 0.78
    scale: float = 1.0
    shift_x: float = 0.0
    shift_y: float = 0.0
    rotation_deg: float = 0.0
    mirrored: bool = False
    inverted: bool = False
    exposure: float = 0.0
    contrast: float = 1.0
    black: float = 5.0
    white: float = 255.0
    scatter: float = 0.07
    shading: float = 0.0
    blur_px: float = 0.5
    noise: float = 0.012
    frame_left: float = 0.0
    frame_right: float = 0.0
    frame_top: float = 0.0
    frame_bottom: float = 0.0
    frame_deg: float = 0.0
    frame_level: float = 1.0
    frame_soft: float = 0.01
    marker: bool = False
    marker_size: float = 0.06
    marker_deg: float = 0.0

    @classmethod
    def none(cls) -> "Nuisance":
        """The clean picture: upright left hand, usual exposure, no frame, no letters."""
        return cls()

    def __post_init__(self) -> None:
        for field in fields(self):
            if not np.isfinite(getattr(self, field.name)):
                raise ValueError(f"nuisance {field.name} is {getattr(self, field.name)}, not a finite number")
        if not 0.3 <= self.aspect <= 3:
            raise ValueError(f"nuisance aspect is {self.aspect}; width over height must lie within 0.3 to 3")


MIRRORED_SHARE = 0.05
INVERTED_SHARE = 0.02
FAINT_SHARE = 0.18  # whole film within a few gray levels
WASHED_SHARE = 0.13  # bright background
MARKER_SHARE = 0.9
EDGE_SHARE = 0.3  # bright rim on one or more sides
FIELD_SHARE = 0.15  # small field, often turned, on a wide margin


def draw_nuisance(rng: np.random.Generator) -> Nuisance:
    """Draw the disturbances of one picture, as often as in the real ones."""
    return Nuisance(
        aspect=float(np.clip(rng.normal(0.79, 0.07), 0.62, 1.25)),
        scale=float(np.clip(rng.normal(1.0, 0.08), 0.75, 1.2)),
        shift_x=float(np.clip(rng.normal(0, 0.05), -0.15, 0.15)),
        shift_y=float(np.clip(rng.normal(0, 0.03), -0.1, 0.1)),
        rotation_deg=_draw_rotation(rng),
        mirrored=bool(rng.random() < MIRRORED_SHARE),
        inverted=bool(rng.random() < INVERTED_SHARE),
        scatter=float(rng.uniform(0.04, 0.12)),
        shading=float(rng.normal(0, 0.12)),
        blur_px=float(rng.uniform(0.3, 0.8)),
        noise=float(np.exp(rng.normal(np.log(0.014), 0.4))),
        marker=bool(rng.random() < MARKER_SHARE),
        marker_size=float(rng.uniform(0.035, 0.085)),
        marker_deg=float(rng.normal(0, 8) if rng.random() < 0.75 else rng.uniform(-60, 60)),
        **_draw_tone(rng),
        **_draw_frame(rng),
    )


def _draw_rotation(rng: np.random.Generator) -> float:
    spread = 7.0 if rng.random() < 0.9 else 22.0
    return float(np.clip(rng.normal(3, spread), -40, 40))


def _draw_tone(rng: np.random.Generator) -> dict[str, float]:
    """Exposure and gray range: usual, faint or washed out."""
    kind = rng.random()
    exposure, contrast = float(rng.normal(0, 0.25)), float(np.exp(rng.normal(0, 0.12)))
    if kind < FAINT_SHARE:
        black = float(rng.uniform(0, 60))
        return {
            "exposure": exposure,
            "contrast": contrast,
            "black": black,
            "white": black + float(rng.uniform(45, 110)),
        }
    if kind < FAINT_SHARE + WASHED_SHARE:
        black = float(rng.uniform(40, 130))
        return {"exposure": exposure - 0.3, "contrast": contrast, "black": black, "white": 245.0}
    return {
        "exposure": exposure,
        "contrast": contrast,
        "black": float(rng.uniform(0, 12)),
        "white": float(rng.uniform(225, 255)),
    }


def _draw_frame(rng: np.random.Generator) -> dict[str, float]:
    """Margins: none, a bright rim, or a small field."""
    kind, sides = rng.random(), ("frame_left", "frame_right", "frame_top", "frame_bottom")
    if kind < EDGE_SHARE:
        margins = {side: float(rng.uniform(0.0, 0.012)) for side in sides if rng.random() < 0.6}
        return margins | {
            "frame_deg": float(rng.normal(0, 0.4)),
            "frame_level": float(rng.uniform(0.7, 1)),
            "frame_soft": float(rng.uniform(0.01, 0.05)),
        }
    if kind < EDGE_SHARE + FIELD_SHARE:
        return {side: float(rng.uniform(0.02, 0.14)) for side in sides} | {
            "frame_deg": float(rng.normal(0, 3)),
            "frame_level": float(rng.choice([0.0, 0.0, 0.08, 0.2, 0.3, 0.9])),
            "frame_soft": float(rng.uniform(0.002, 0.01)),
        }
    return {}
