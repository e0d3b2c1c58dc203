"""The radiograph as every reader hands it on, and the error for a file that holds none."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from boneage_kedro.cohort.sex import Sex


@dataclass(frozen=True)
class Radiograph:
    """One picture as stored, with what its header tells about it.

    ``pixels`` are (rows, columns), uint8, uint16 or float32, in the full range of the file. For DICOM the
    rescale and window are applied and MONOCHROME1 is turned, so that high means more attenuating (white
    bone). ``polarity_known`` says that the header vouches for this; ordinary pictures cannot.
    """

    pixels: np.ndarray
    laterality: Literal["L", "R"] | None
    age_months: float | None
    sex: Sex | None
    polarity_known: bool


class UnreadableRadiograph(ValueError):
    """A file that holds no radiograph; the message names the file, the reason and what to do."""
