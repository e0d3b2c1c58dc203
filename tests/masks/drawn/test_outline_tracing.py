"""Lines drawn round a bone become its outline, whole and within the picture."""

import numpy as np
import pytest

from boneage_kedro.evaluation.segmentation.scores import iou
from boneage_kedro.masks.drawn.edge_tracking import EdgeTracking
from boneage_kedro.masks.drawn.outline_tracing import OutlineTracing, trace_outlines
from boneage_kedro.masks.drawn.polygons import polygons_to_mask
from boneage_kedro.masks.label_maps import UnusableMask

SETTINGS = OutlineTracing(
    tracking=EdgeTracking(band_px=4, blur_px=1, stiffness=0.1, pull=0.3), tolerance_px=0.25
)


def lines(*parts: list[list[float]], label: str = "ulna") -> list[tuple[str, np.ndarray]]:
    return [(label, np.array(part, float)) for part in parts]


def shaft() -> np.ndarray:
    """A bright bar that leaves the picture at its lower edge."""
    picture = np.full((80, 60), 40, np.uint8)
    picture[20:, 20:40] = 180
    return picture


def test_a_bone_that_leaves_the_picture_is_closed_at_its_edge() -> None:
    left, over, right = [[18, 82], [18, 22]], [[22, 18], [38, 19]], [[42, 22], [41, 82]]
    (outline,) = trace_outlines(lines(left, over, right), shaft(), SETTINGS).values()
    assert outline.min() >= 0
    assert (outline <= (60, 80)).all()
    assert iou(polygons_to_mask([outline], (80, 60)), shaft() > 100) > 0.96


def test_points_stay_where_they_are_set() -> None:
    corners = lines([[10, 10]], [[30, 10]], [[30, 40]], [[10, 40]])
    (outline,) = trace_outlines(corners, shaft(), SETTINGS).values()
    assert {tuple(point) for point in outline} == {(10, 10), (30, 10), (30, 40), (10, 40)}


def test_each_label_has_its_own_outline() -> None:
    one = lines([[1, 1]], [[9, 1]], [[9, 9]])
    other = lines([[11, 11]], [[19, 11]], [[19, 19]], label="radius")
    assert list(trace_outlines(one + other, shaft(), SETTINGS)) == ["ulna", "radius"]


def test_a_bow_tie_is_refused() -> None:
    with pytest.raises(UnusableMask, match="'ulna' crosses itself"):
        trace_outlines(lines([[1, 1]], [[9, 9]], [[9, 1]], [[1, 9]]), shaft(), SETTINGS)


def test_lines_round_nothing_are_refused() -> None:
    with pytest.raises(UnusableMask, match="'ulna' enclose nothing"):
        trace_outlines(lines([[1, 1]], [[9, 9]]), shaft(), SETTINGS)


def test_a_line_without_length_is_refused() -> None:
    with pytest.raises(UnusableMask, match=r"'ulna' has a line that cannot be followed: .*no length"):
        trace_outlines(lines([[1, 1], [1, 1]]), shaft(), SETTINGS)
