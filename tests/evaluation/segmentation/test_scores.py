import numpy as np
import pandas as pd
import pytest

from boneage_kedro.evaluation.segmentation.scores import (
    boundary_distance_px,
    dice,
    iou,
    outline,
    score_masks,
    summarise_scores,
)


def square(left: int, side: int = 3) -> np.ndarray:
    """A square in rows 2 and below of an (8, 9) mask."""
    mask = np.zeros((8, 9), bool)
    mask[2 : 2 + side, left : left + side] = True
    return mask


NOTHING = np.zeros((8, 9), bool)


def test_overlap_of_two_squares() -> None:
    # 9 pixels each, 6 in common
    assert dice(square(2), square(3)) == pytest.approx(12 / 18)
    assert iou(square(2), square(3)) == pytest.approx(6 / 12)


def test_overlap_at_the_ends() -> None:
    for measure in (dice, iou):
        assert measure(NOTHING, NOTHING) == 1
        assert measure(NOTHING, square(2)) == 0
        assert measure(square(0), square(5)) == 0
        assert measure(square(2), square(2)) == 1


@pytest.mark.parametrize("measure", [dice, iou, boundary_distance_px])
def test_masks_of_two_frames_are_refused(measure) -> None:
    with pytest.raises(ValueError, match="compare them in one frame"):
        measure(square(2), square(2)[:-1])


def test_the_outline_is_inside_and_the_edge_of_the_picture_is_outside() -> None:
    whole = np.ones((4, 4), bool)
    ring = whole.copy()
    ring[1:3, 1:3] = False
    assert np.array_equal(outline(whole), ring)
    assert np.array_equal(outline(whole, width_px=2), whole)
    assert not outline(NOTHING).any()


def test_outlines_of_points_are_as_far_as_the_points() -> None:
    assert boundary_distance_px(square(1, side=1), square(6, side=1)) == pytest.approx((5, 5))


def test_outlines_of_shifted_squares() -> None:
    # of the 8 pixels of either outline, the outer column and the middle of the inner one are 1 px off, the others 0
    assert boundary_distance_px(square(2), square(3)) == pytest.approx((0.5, 1))
    assert boundary_distance_px(square(2), square(2)) == (0, 0)


def rectangle(left: int, rows: int = 10, columns: int = 20) -> np.ndarray:
    mask = np.zeros((40, 60), bool)
    mask[15 : 15 + rows, left : left + columns] = True
    return mask


def test_outlines_of_rectangles_shifted_by_3_px() -> None:
    # Of 56 pixels of an outline, the outer column is 3 px off (24 in all), its neighbours above and below 3, 2, 1
    # and the inner column as far as the other rectangle's upper and lower edge, or at most 3
    away = 8 * 3 + 2 * (3 + 2 + 1) + 2 * (1 + 2 + 3 + 3)
    found = boundary_distance_px(rectangle(10), rectangle(13))
    assert found == pytest.approx((away / 56, 3))
    assert boundary_distance_px(rectangle(13), rectangle(10)) == pytest.approx(found)


def test_a_twentieth_of_the_outline_may_be_anywhere() -> None:
    spotted = rectangle(10)
    spotted[0, 0] = True  # one pixel of 113, far away
    far = boundary_distance_px(spotted, rectangle(10))
    assert far.hausdorff_95 == 0
    assert far.mean == pytest.approx(np.hypot(10, 15) / 113)


def test_distances_count_both_ways() -> None:
    spot = square(2, side=1)
    both = spot | square(6, side=1)
    # from the spot 0, from the two spots 0 and 4
    assert boundary_distance_px(spot, both).mean == pytest.approx(4 / 3)
    assert boundary_distance_px(both, spot) == pytest.approx(boundary_distance_px(spot, both))


def test_an_empty_mask_has_no_outline_to_measure_to() -> None:
    assert np.isnan(boundary_distance_px(NOTHING, square(2))).all()
    assert np.isnan(boundary_distance_px(square(2), NOTHING)).all()


@pytest.fixture
def truth() -> np.ndarray:
    mask = np.zeros((4, 6), np.uint8)
    mask[1, 1:3], mask[1, 3:5] = 1, 2
    return mask


def test_classes_are_scored_apart_and_together(truth: np.ndarray) -> None:
    predicted = truth.copy()
    predicted[1, 3] = 1  # the border between the classes is off by a pixel, the outline of both is right
    scores = score_masks({"a": predicted, "pool": predicted}, {"a": truth}, ["distal", "middle"])
    assert scores.to_dict("records") == [
        {
            "id": "a",
            "dice": 1,
            "dice_distal": pytest.approx(4 / 5),
            "dice_middle": pytest.approx(2 / 3),
            "iou": 1,
            "boundary_mean_px": 0,
            "boundary_95_px": 0,
        }
    ]


def test_distances_are_shares_of_the_longer_side_of_the_hand_when_asked() -> None:
    upright = {"a": rectangle(10).astype(np.uint8), "missed": np.zeros((40, 60), np.uint8)}
    truth = {key: rectangle(13).astype(np.uint8) for key in upright}
    scores = score_masks(upright, truth, ["hand"], relative=True).set_index("id")
    plain = score_masks(upright, truth, ["hand"]).set_index("id")
    assert scores.columns.tolist() == [*plain.columns, "boundary_mean_share", "boundary_95_share"]
    assert scores.loc["a", "boundary_95_share"] == pytest.approx(3 / 20)
    assert scores.loc["a", "boundary_mean_share"] == pytest.approx(plain.loc["a", "boundary_mean_px"] / 20)
    assert scores.loc["missed"].filter(like="boundary").isna().all()
    empty = score_masks(upright, {"a": np.zeros((40, 60), np.uint8)}, ["hand"], relative=True)
    assert empty.filter(like="boundary").isna().all(axis=None)
    turned = {key: mask.T for key, mask in upright.items()}
    lying = score_masks(turned, {key: mask.T for key, mask in truth.items()}, ["hand"], relative=True)
    pd.testing.assert_frame_equal(lying.set_index("id"), scores)
    summary = summarise_scores(scores.reset_index(), seed=0).set_index("measure")
    assert summary.loc["boundary_95_share", ["cases", "mean"]].tolist() == [1, pytest.approx(0.15)]


def test_what_cannot_be_scored_is_named(truth: np.ndarray) -> None:
    with pytest.raises(LookupError, match=r"1 of 2 cases have no predicted mask, such as \['b'\]"):
        score_masks({"a": truth}, {"a": truth, "b": truth}, ["distal", "middle"])
    with pytest.raises(ValueError, match=r"case a: the predicted mask is \(3, 6\), the truth \(4, 6\)"):
        score_masks({"a": truth[1:]}, {"a": truth}, ["distal", "middle"])
    with pytest.raises(ValueError, match="case a: the masks hold code 2, but only 1 classes have a name"):
        score_masks({"a": truth}, {"a": truth}, ["phalanx"])


def test_summary_leaves_out_cases_without_the_measure() -> None:
    nan = float("nan")
    scores = pd.DataFrame(
        {"id": ["a", "b"], "dice": [0.8, 1.0], "boundary_mean_px": [3.0, nan], "boundary_95_px": [nan, nan]}
    )
    summary = summarise_scores(scores, seed=0).set_index("measure")
    assert summary["cases"].to_dict() == {"dice": 2, "boundary_mean_px": 1, "boundary_95_px": 0}
    # means of two draws are 0.8, 0.9 or 1.0, the ends a quarter of the time each
    columns = ["mean", "sd", "low", "high"]
    assert summary.loc["dice", columns].tolist() == pytest.approx([0.9, 0.02**0.5, 0.8, 1.0])
    assert summary.loc["boundary_mean_px", "mean"] == 3
    assert summary.loc["boundary_mean_px", ["low", "high"]].isna().all()  # of one case
    assert summary.loc["boundary_95_px", columns].isna().all()


def test_without_any_truth_the_tables_are_empty_and_can_be_read_back(tmp_path) -> None:
    scores = score_masks({}, {}, ["hand"])
    summary = summarise_scores(scores, seed=1)
    for name, table in (("scores", scores), ("summary", summary)):
        table.to_csv(tmp_path / name, index=False)
        again = pd.read_csv(tmp_path / name)
        assert again.columns.tolist() == table.columns.tolist()
        assert again.empty
