"""Preparing a radiograph: polarity, frame, orientation, intensity, and a square canvas."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import cv2
import numpy as np
from typing_extensions import TypedDict

from boneage_kedro.imaging.geometry import Box, Pose, canvas_transform, centre_on_canvas, fitted_size, resize
from boneage_kedro.imaging.preparation.framing import find_field, second_part
from boneage_kedro.imaging.preparation.intensity import Window, apply_window, exposure_window
from boneage_kedro.imaging.preparation.orientation import decide
from boneage_kedro.imaging.preparation.recognition import recognise
from boneage_kedro.imaging.radiograph import Radiograph
from boneage_kedro.limits import Percentile, PixelSide, Within

# All content is judged on a picture of this long side, so that judging costs next to nothing.
_THUMBNAIL_PX = 96
# Fewer levels than this of an 8-bit picture show as steps once they are spread over the whole range.
_FAINT_GRAY_LEVELS = 24
# A second part of this share of the largest may be a hand: 3 of 999 radiographs have one, once it is the other hand,
# twice letters.
_LARGE_PART = 0.25
_PIXEL_TYPES = (np.uint8, np.uint16, np.float32)


class PreparationSettings(TypedDict):
    """How radiographs are brought to one form; the values live in ``conf/*/parameters_data_prep.yml``.

    ``fix_polarity``, ``crop`` and ``orient`` allow a white background to be inverted, the frame to be cut off
    and the hand to be turned and mirrored. Inverting and turning happen only when they are right with at least
    the probability ``confidence`` (0.5..1).
    """

    canvas_px: PixelSide
    low_percentile: Percentile
    high_percentile: Percentile
    fix_polarity: bool
    crop: bool
    orient: bool
    confidence: Annotated[float, Within(0.5, 1)]


@dataclass(frozen=True)
class Prepared:
    """A radiograph in the one form that the networks see, with all that was done to it.

    ``image`` is (canvas_px, canvas_px) uint8: bone bright, fingers up, thumb to the right as in a left hand
    seen from the back, black outside the picture. ``transform`` is the (2, 3) float32 map of source points to
    canvas points (see `geometry.to_source`). ``crop`` is in source pixels, ``window`` in source gray values.
    ``doubts`` speak against reading an age from it, ``remarks`` are what a person should know besides.
    """

    image: np.ndarray
    transform: np.ndarray
    source_shape: tuple[int, int]
    crop: Box
    window: Window
    inverted: bool
    mirrored: bool
    quarter_turns: int
    doubts: tuple[str, ...]
    remarks: tuple[str, ...]

    @property
    def warnings(self) -> tuple[str, ...]:
        """All that is to be said of it."""
        return self.doubts + self.remarks

    def record(self) -> dict[str, Any]:
        """Everything but the pixels, as values that JSON can hold."""
        return {
            "source_shape": list(self.source_shape),
            "transform": self.transform.tolist(),
            "crop": self.crop._asdict(),
            "window": self.window._asdict(),
            "inverted": self.inverted,
            "mirrored": self.mirrored,
            "quarter_turns": self.quarter_turns,
            "warnings": list(self.warnings),
        }


def prepare(radiograph: Radiograph, settings: PreparationSettings) -> Prepared:
    """Bring a radiograph to the one form that the networks see.

    Raises:
        TypeError: the pixels are not (H, W) uint8, uint16 or float32.
        ValueError: the picture is empty or holds values that are not finite.
    """
    pixels, canvas_px = radiograph.pixels, settings["canvas_px"]
    _check(pixels)
    thumbnail = shrink(pixels)
    part = find_field(thumbnail) if settings["crop"] else Box(0, 0, *thumbnail.shape[::-1])
    field = part.view(thumbnail)
    (inverted, pose), remarks = decide(
        recognise(field),
        settings["confidence"],
        may_invert=settings["fix_polarity"] and not radiograph.polarity_known,
        may_turn=settings["orient"],
    )
    crop = _scaled(part, thumbnail.shape, pixels.shape)
    window = _window(field, inverted, settings)
    return Prepared(
        image=_render(pixels, crop, window, inverted, pose, canvas_px),
        transform=canvas_transform(crop, pose, canvas_px),
        source_shape=(pixels.shape[0], pixels.shape[1]),
        crop=crop,
        window=window,
        inverted=inverted,
        mirrored=pose.mirrored,
        quarter_turns=pose.quarter_turns,
        doubts=_part_doubts(second_part(thumbnail)) + _blank_doubts(window),
        remarks=remarks + _faint_remarks(window, pixels),
    )


def render(pixels: np.ndarray, prepared: Prepared, canvas_px: int) -> np.ndarray:
    """The prepared picture on another canvas, from the same source pixels and without judging them again."""
    pose = Pose(prepared.mirrored, prepared.quarter_turns)
    return _render(pixels, prepared.crop, prepared.window, prepared.inverted, pose, canvas_px)


def recrop(pixels: np.ndarray, record: Mapping[str, Any], part: Box, canvas_px: int) -> Prepared:
    """The picture as it was prepared before, but of another part, from the same source pixels.

    Args:
        pixels: of the source.
        record: what was recorded of it (`Prepared.record`): polarity, pose and exposure stay as they were.
        part: in source pixels.
    """
    pose, window = Pose(record["mirrored"], record["quarter_turns"]), Window(**record["window"])
    return Prepared(
        image=_render(pixels, part, window, record["inverted"], pose, canvas_px),
        transform=canvas_transform(part, pose, canvas_px),
        source_shape=(pixels.shape[0], pixels.shape[1]),
        crop=part,
        window=window,
        inverted=record["inverted"],
        mirrored=pose.mirrored,
        quarter_turns=pose.quarter_turns,
        doubts=(),  # those of the whole picture, which the record does not set apart
        remarks=tuple(record["warnings"]),
    )


def _check(pixels: np.ndarray) -> None:
    if pixels.ndim != 2 or pixels.dtype not in _PIXEL_TYPES:
        raise TypeError(
            f"pixels must be (rows, columns) of uint8, uint16 or float32, not {pixels.shape} {pixels.dtype}"
        )
    if pixels.size == 0:
        raise ValueError(f"the picture is empty: {pixels.shape}")
    if pixels.dtype == np.float32 and not np.isfinite(pixels).all():
        raise ValueError("the picture holds values that are not finite; replace them before preparing it")


def shrink(pixels: np.ndarray) -> np.ndarray:
    """A float32 thumbnail of at most 96 pixels a side, in the gray values of the source.

    Each of its pixels is the mean of 3 x 3 samples of the source: quick, and smooth enough to tell frames by.
    """
    scale = min(1.0, _THUMBNAIL_PX / max(pixels.shape))
    height, width = (max(1, round(side * scale)) for side in pixels.shape)
    samples = cv2.resize(pixels, (3 * width, 3 * height), interpolation=cv2.INTER_NEAREST).astype(np.float32)
    small = cv2.resize(samples, (width, height), interpolation=cv2.INTER_AREA)
    return np.clip(
        small, samples.min(), samples.max()
    )  # averaging floats may leave the range by a rounding error


def _part_doubts(share: float) -> tuple[str, ...]:
    if share < _LARGE_PART:
        return ()
    return (f"parts: beside the largest lies another {share:.0%} as large; is there a second hand?",)


def _blank_doubts(window: Window) -> tuple[str, ...]:
    if window.high > window.low:
        return ()
    return ("exposure: the picture is of one gray value, nothing can be seen in it",)


def _faint_remarks(window: Window, pixels: np.ndarray) -> tuple[str, ...]:
    if window.high <= window.low:
        return ()
    if pixels.dtype == np.uint8 and window.high - window.low < _FAINT_GRAY_LEVELS:
        return (f"exposure: faint, the hand spans only {window.high - window.low:.0f} of 256 gray levels",)
    return ()


def _scaled(box: Box, small: tuple[int, ...], large: tuple[int, ...]) -> Box:
    """A box of a small picture in the pixels of the large one, rounded outwards."""
    y, x = large[0] / small[0], large[1] / small[1]
    return Box(
        int(box.left * x),
        int(box.top * y),
        min(large[1], int(np.ceil(box.right * x))),
        min(large[0], int(np.ceil(box.bottom * y))),
    )


def _window(field: np.ndarray, inverted: bool, settings: PreparationSettings) -> Window:
    """The exposure window in source gray values; `exposure_window` wants bone bright."""
    percentiles = settings["low_percentile"], settings["high_percentile"]
    if not inverted:
        return exposure_window(field, *percentiles)
    low, high = exposure_window(-field, *percentiles)
    return Window(-high, -low)


def _render(
    pixels: np.ndarray, crop: Box, window: Window, inverted: bool, pose: Pose, canvas_px: int
) -> np.ndarray:
    """The canvas: resized first, since every later step is then cheap."""
    # as floats: rounded to the levels of its file, the same content would look another way in 8, 12 and 16 bits
    view = crop.view(pixels).astype(np.float32, copy=False)
    resized = resize(view, fitted_size(crop, canvas_px))
    return centre_on_canvas(pose.apply(apply_window(resized, window, inverted)), canvas_px)
