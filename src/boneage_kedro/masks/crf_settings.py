"""What can be set about the dense CRF; paper 000, table I."""

from typing import Literal

from typing_extensions import TypedDict

from boneage_kedro.limits import Count, NotNegative, Positive


class CrfSettings(TypedDict):
    """Reach and weight of the two pairwise terms, and how long to iterate.

    Two pixels of different labels cost ``bilateral_weight`` times a Gaussian of their distance and of their
    difference in gray level (0 to 255), plus ``gaussian_weight`` times a Gaussian of their distance alone. Iteration
    ends after ``steps``, or earlier when no probability moved by more than ``tolerance`` in a step; a tolerance of 0
    runs all steps.
    """

    backend: Literal["torch", "pydensecrf"]
    bilateral_sigma_px: Positive
    bilateral_sigma_gray: Positive
    bilateral_weight: NotNegative
    gaussian_sigma_px: Positive
    gaussian_weight: NotNegative
    steps: Count
    tolerance: NotNegative


def rescale_crf(settings: CrfSettings, factor: float) -> CrfSettings:
    """The same field on pictures whose sides are ``factor`` times as long."""
    return {
        **settings,
        "bilateral_sigma_px": settings["bilateral_sigma_px"] * factor,
        "gaussian_sigma_px": settings["gaussian_sigma_px"] * factor,
    }
