import numpy as np
import pytest

from boneage_kedro.cohort.sex import Sex
from boneage_kedro.evaluation.attention.hand_regions import REGIONS, regions_of_bones, regions_of_joints
from boneage_kedro.evaluation.attention.regions import attention_by_region, summarise_regions
from boneage_kedro.phantom import Bone, fabricate_hand

CARPALS, METACARPALS = REGIONS.index("carpals"), REGIONS.index("metacarpals")


def test_bones_go_to_their_rows() -> None:
    bones = np.array(
        [[0, 0, Bone.CAPITATE, Bone.PISIFORM, Bone.RADIUS.epiphysis, Bone.SESAMOID, Bone.DISTAL_1]]
    )
    hand = np.array([[False, True, True, True, True, True, True]])
    named = [REGIONS[code] for code in regions_of_bones(bones.astype(np.uint8), hand)[0]]
    assert named == [
        "background",
        "soft tissue",
        "carpals",
        "carpals",
        "radius and ulna",
        "metacarpals",
        "distal phalanges",
    ]


@pytest.mark.parametrize("seed", [3, 4])
def test_regions_of_joints_find_the_bones_of_a_phantom(seed: int) -> None:
    hand = fabricate_hand(190, Sex.FEMALE, seed, 160)
    truth = regions_of_bones(hand.bones, hand.hand_mask)
    found = regions_of_joints(hand.joints, hand.hand_mask)
    assert np.array_equal(found == 0, truth == 0)
    for code in range(2, len(REGIONS)):
        inside = truth == code
        assert (found[inside] == code).mean() > 0.7, REGIONS[code]


def test_a_mirrored_hand_has_mirrored_regions() -> None:
    hand = fabricate_hand(150, Sex.MALE, 5, 96)
    mirrored = hand.joints * [-1, 1] + [hand.image.shape[1] - 1, 0]
    other = regions_of_joints(mirrored, hand.hand_mask[:, ::-1])
    assert (other[:, ::-1] == regions_of_joints(hand.joints, hand.hand_mask)).mean() > 0.999


def test_joints_that_are_no_hand_are_refused() -> None:
    hand = np.ones((8, 8), bool)
    with pytest.raises(ValueError, match=r"21 joints .* got \(20, 2\)"):
        regions_of_joints(np.zeros((20, 2)), hand)
    with pytest.raises(ValueError, match="wrist and middle knuckle coincide"):
        regions_of_joints(np.ones((21, 2)), hand)
    with pytest.raises(ValueError, match="finite"):
        regions_of_joints(np.full((21, 2), np.nan), hand)


def test_shares_by_hand() -> None:
    regions = np.zeros((4, 4), np.uint8)
    regions[:2, :2] = CARPALS  # all of the first cell
    regions[:1, 2:] = METACARPALS  # half of the second
    months = np.array([[6.0, -4.0], [0, 2.0]])
    table = attention_by_region(months[None], [regions], ["a"]).set_index("region")
    assert table.loc["carpals", ["attention", "area", "months"]].tolist() == [0.5, 0.25, 1.5]
    assert table.loc["metacarpals", ["attention", "area", "months"]].tolist() == pytest.approx(
        [2 / 12, 1 / 8, -0.5]
    )
    assert table.loc["carpals", "enrichment"] == 2
    assert table.loc["background", "attention"] == pytest.approx(4 / 12)
    assert np.isnan(table.loc["soft tissue", "enrichment"])
    assert table["months"].sum() == pytest.approx(months.mean())
    assert table["attention"].sum() == pytest.approx(1)


def test_nothing_is_lost_where_grids_do_not_fit() -> None:
    rng = np.random.default_rng(0)
    regions = rng.integers(0, len(REGIONS), (2, 29, 29)).astype(np.uint8)
    maps = rng.normal(size=(2, 6, 6))
    sums = attention_by_region(maps, regions, ["a", "b"]).groupby("id")[["attention", "area", "months"]].sum()
    np.testing.assert_allclose(sums["attention"], 1)
    np.testing.assert_allclose(sums["area"], 1)
    np.testing.assert_allclose(sums["months"], maps.mean((1, 2)))


def test_even_attention_is_nowhere_enriched() -> None:
    regions = np.random.default_rng(0).integers(0, 3, (1, 20, 20)).astype(np.uint8)
    table = attention_by_region(-np.ones((1, 5, 5)), regions, ["a"])
    np.testing.assert_allclose(table["enrichment"].dropna(), 1)


def test_a_flat_map_and_cases_that_do_not_match_are_refused() -> None:
    with pytest.raises(ValueError, match="case a: the map is 0 everywhere"):
        attention_by_region(np.zeros((1, 2, 2)), [np.zeros((4, 4), np.uint8)], ["a"])
    with pytest.raises(ValueError, match="1 maps, 0 region maps and 1 ids"):
        attention_by_region(np.zeros((1, 2, 2)), [], ["a"])


def test_summary_has_medians_and_quartiles_by_cohort() -> None:
    regions = np.zeros((4, 2, 2), np.uint8)
    regions[:, 0] = CARPALS
    strength = np.array([1.0, 2, 3, 7])
    maps = np.ones((4, 2, 1))
    maps[:, 0, 0] = strength  # shares 1/2, 2/3, 3/4, 7/8 of an area of 1/2
    table = attention_by_region(maps, regions, list("abcd"))
    table["sex"] = table["id"].map({"a": "F", "b": "M", "c": "M", "d": "M"})
    by_sex = summarise_regions(table, ["sex"]).set_index(["sex", "region"])
    assert by_sex.loc[("M", "carpals"), "attention_median"] == 0.75
    assert by_sex.loc[("M", "carpals"), "enrichment_median"] == 1.5
    assert by_sex.loc[("M", "carpals"), "months_q1"] == pytest.approx((2 + 3) / 2 / 2)
    assert by_sex.loc[("M", "carpals"), ["cases", "above_area"]].tolist() == [3, 1]
    assert by_sex.loc[("F", "carpals"), "above_area"] == 0
    everyone = summarise_regions(table)
    assert everyone["region"].tolist() == list(REGIONS)
    assert everyone["cases"].tolist() == [4] * len(REGIONS)
