import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boneage_kedro.cohort.splits import PARTS, assert_no_leakage, assign_splits, cross_validation_splits
from boneage_kedro.schemas import Splits

FRACTIONS = {"train": 0.6, "validation": 0.12, "calibration": 0.12, "test": 0.16}


def cohort(count: int, seed: int = 0, per_patient: float = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    patients = (
        rng.integers(0, max(1, int(count / per_patient)), count) if per_patient > 1 else np.arange(count)
    )
    sexes = rng.choice(["F", "M"], patients.max(initial=0) + 1)
    return pd.DataFrame(
        {
            "id": [f"{i:05d}" for i in range(count)],
            "patient_id": [f"p{patient}" for patient in patients],
            "sex": sexes[patients],
            "bone_age_months": rng.uniform(1, 228, count).round(),
        }
    )


@st.composite
def fractions(draw: st.DrawFn) -> dict[str, float]:
    weights = draw(st.lists(st.integers(0, 50), min_size=4, max_size=4).filter(any))
    return {str(split): weight / sum(weights) for split, weight in zip(PARTS, weights, strict=True)}


cohorts = st.builds(
    cohort, st.integers(1, 120), seed=st.integers(0, 2**16), per_patient=st.sampled_from([1, 2.5])
)


@settings(deadline=None, max_examples=30)
@given(cases=cohorts, shares=fractions(), seed=st.integers(0, 2**16), order=st.randoms(use_true_random=False))
def test_any_split_is_whole_fair_without_leakage_and_independent_of_row_order(
    cases, shares, seed, order
) -> None:
    splits = assign_splits(cases, shares, 24, seed)
    Splits.validate(splits)
    assert splits["id"].tolist() == sorted(cases["id"])
    assert_no_leakage(cases, splits)

    patients = cases.merge(splits, on="id").drop_duplicates("patient_id")
    for split, share in shares.items():
        got = (patients["split"] == split).sum()
        assert abs(got - share * len(patients)) < 1
        assert share > 0 or got == 0

    rows = order.sample(range(len(cases)), len(cases))
    pd.testing.assert_frame_equal(assign_splits(cases.iloc[rows], shares, 24, seed), splits)


def test_patients_of_an_earlier_cohort_keep_their_part_and_the_others_are_dealt_fairly() -> None:
    cases = cohort(400, seed=1)
    some = cases.iloc[::4]
    earlier = assign_splits(some, {"train": 0.2, "test": 0.8}, 24, seed=5)
    splits = assign_splits(cases, FRACTIONS, 24, seed=0, earlier=earlier)
    Splits.validate(splits)
    both = splits.merge(earlier, on="id")
    assert len(both) == len(some)
    assert (both["split_x"] == both["split_y"]).all()
    new = splits[~splits["id"].isin(some["id"])]
    for part, share in FRACTIONS.items():
        assert abs((new["split"] == part).sum() - share * len(new)) < 1


def test_patients_of_an_earlier_cohort_can_be_left_out() -> None:
    cases = cohort(400)
    earlier = assign_splits(cases.iloc[::5], FRACTIONS, 24, seed=5)
    splits = assign_splits(cases, FRACTIONS, 24, seed=0, earlier=earlier, leave_out_earlier=True)
    Splits.validate(splits)
    unused = splits["split"] == "unused"
    assert set(splits["id"][unused]) == set(earlier["id"])
    shares = splits["split"][~unused].value_counts(normalize=True)
    assert all(abs(shares[part] - share) < 0.01 for part, share in FRACTIONS.items())


def test_another_radiograph_of_an_earlier_patient_goes_with_the_first() -> None:
    cases = cohort(90).assign(patient_id=lambda table: "p" + (table.index // 2).astype(str))
    earlier = assign_splits(cases.iloc[::2], FRACTIONS, 24, seed=0)
    splits = assign_splits(cases, FRACTIONS, 24, seed=7, earlier=earlier)
    assert splits["split"].iloc[1::2].tolist() == earlier["split"].tolist()


def test_a_patient_across_parts_earlier_is_refused() -> None:
    cases = cohort(4).assign(patient_id="p")
    earlier = pd.DataFrame({"id": cases["id"], "split": ["train", "train", "test", "train"]})
    with pytest.raises(ValueError, match="the patients p were in more than one part earlier"):
        assign_splits(cases, FRACTIONS, 24, seed=0, earlier=earlier)


@settings(deadline=None, max_examples=25)
@given(
    count=st.integers(1, 300),
    seed=st.integers(0, 2**16),
    shares=fractions(),
    band=st.sampled_from([6, 24, 60]),
)
def test_every_stratum_holds_the_fractions(
    count: int, seed: int, shares: dict[str, float], band: float
) -> None:
    cases = cohort(count, seed)
    cases = cases.merge(assign_splits(cases, shares, band, seed), on="id")
    for _, stratum in cases.groupby(["sex", cases["bone_age_months"] // band]):
        for split, share in shares.items():
            assert abs((stratum["split"] == split).sum() - share * len(stratum)) < 2


def test_many_strata_of_one_patient_do_not_all_fall_to_train() -> None:
    cases = cohort(50)
    cases["bone_age_months"] = np.arange(50) * 4.0
    counts = assign_splits(cases, FRACTIONS, 2, seed=1)["split"].value_counts()
    assert counts.to_dict() == {"train": 30, "test": 8, "validation": 6, "calibration": 6}


def test_a_split_by_hand() -> None:
    cases = cohort(8)
    cases["sex"] = ["F", "M"] * 4
    cases["bone_age_months"] = 30.0
    half = {"train": 0.5, "test": 0.5}
    splits = cases.merge(assign_splits(cases, half, 24, seed=0), on="id")
    assert splits.groupby(["sex", "split"]).size().tolist() == [2, 2, 2, 2]


def test_seeds_give_different_splits_of_the_same_sizes() -> None:
    cases = cohort(400)
    first, second = (assign_splits(cases, FRACTIONS, 24, seed) for seed in (1, 2))
    assert (first["split"] != second["split"]).mean() > 0.3
    assert first["split"].value_counts().to_dict() == second["split"].value_counts().to_dict()


def test_each_patient_may_fall_to_each_split() -> None:
    cases = cohort(10)  # almost every child is alone in a stratum
    drawn = pd.concat([assign_splits(cases, FRACTIONS, 24, seed) for seed in range(100)])
    in_train = (drawn["split"] == "train").groupby(drawn["id"]).mean()
    assert in_train.between(0.4, 0.8).all()


def test_a_patient_belongs_to_the_band_of_the_median_age() -> None:
    cases = pd.DataFrame(
        {
            "id": list("abcdefg"),
            "patient_id": ["p", "p", "p", "q", "young", "old", "older"],
            "sex": "F",
            "bone_age_months": [10.0, 50.0, 90.0, 55.0, 5.0, 90.0, 95.0],
        }
    )
    for seed in range(20):  # p and q are a stratum of two, which halves part for every seed
        splits = assign_splits(cases, {"train": 0.5, "test": 0.5}, 24, seed).set_index("id")["split"]
        assert splits["a"] == splits["b"] == splits["c"] != splits["d"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fractions": {"train": 0.5, "test": 0.4}}, "must sum to 1"),
        ({"fractions": {"train": 1.5, "test": -0.5}}, "must not be negative"),
        ({"fractions": {}}, "must sum to 1"),
        ({"fractions": {"train": float("nan"), "test": 1}}, "must sum to 1"),
        ({"fractions": {"train": 0.5, "holdout": 0.5}}, r"unknown splits \['holdout'\]; they are train, val"),
        ({"age_band_months": 0}, "age_band_months = 0 must be positive"),
    ],
)
def test_bad_options_are_refused(change: dict, message: str) -> None:
    options = {"fractions": FRACTIONS, "age_band_months": 24, "seed": 0} | change
    with pytest.raises(ValueError, match=message):
        assign_splits(cohort(5), **options)


def test_bad_cases_are_refused() -> None:
    cases = cohort(3)
    with pytest.raises(ValueError, match="no cases to split"):
        assign_splits(cases[:0], FRACTIONS, 24, 0)
    with pytest.raises(ValueError, match="repeated ids 00000"):
        assign_splits(pd.concat([cases, cases[:1]]), FRACTIONS, 24, 0)
    cases.loc[1, "bone_age_months"] = np.nan
    with pytest.raises(ValueError, match="no patient, sex or age for the cases 00001"):
        assign_splits(cases, FRACTIONS, 24, 0)


def leaky() -> tuple[pd.DataFrame, pd.DataFrame]:
    cases = pd.DataFrame({"id": ["1", "2", "3"], "patient_id": ["p", "p", "q"]})
    return cases, pd.DataFrame({"id": ["1", "2", "3"], "split": ["train", "train", "test"]})


def test_a_sound_split_passes_and_may_name_more_cases() -> None:
    cases, splits = leaky()
    assert_no_leakage(cases, splits)
    assert_no_leakage(cases[1:], splits)


def test_leakage_is_named() -> None:
    cases, splits = leaky()
    with pytest.raises(ValueError, match=r"more than one split for the patients p\b"):
        assert_no_leakage(cases, splits.assign(split=["train", "test", "test"]))
    with pytest.raises(ValueError, match=r"more than one split for the cases 3\b"):
        assert_no_leakage(cases, pd.concat([splits, splits[2:]]))
    with pytest.raises(ValueError, match="no split for the cases 1; run data_prep"):
        assert_no_leakage(cases, splits[1:])


def test_a_long_list_of_names_is_cut() -> None:
    cases = cohort(9)
    with pytest.raises(ValueError, match="00000, 00001, 00002, 00003, 00004 and 4 more"):
        assert_no_leakage(cases, pd.DataFrame({"id": [], "split": []}, dtype=str))


def test_folds_take_turns_as_the_validation_part_and_leave_the_others_alone() -> None:
    cases = cohort(203).assign(patient_id=lambda table: "p" + (table.index // 2).astype(str))
    splits = assign_splits(cases, FRACTIONS, 24, seed=1)
    tables = cross_validation_splits(cases, splits, 4, 24, seed=2)
    learning = splits["split"].isin(["train", "validation"])
    for table in tables:
        Splits.validate(table)
        assert_no_leakage(cases, table)
        assert (table["split"][~learning] == splits["split"][~learning]).all()
        assert set(table["split"][learning]) == {"train", "validation"}
    turns = sum((table["split"] == "validation").astype(int) for table in tables)
    assert (turns[learning] == 1).all()
    patients = [cases.merge(t[t["split"] == "validation"], on="id")["patient_id"].nunique() for t in tables]
    assert max(patients) - min(patients) <= 2


def test_folds_are_alike_in_sex_and_age_and_depend_on_the_seed_alone() -> None:
    cases = cohort(400)
    splits = assign_splits(cases, FRACTIONS, 24, seed=1)
    first, again, other = (cross_validation_splits(cases, splits, 5, 24, seed) for seed in (2, 2, 3))
    for left, right in zip(first, again, strict=True):
        pd.testing.assert_frame_equal(left, right)
    assert (first[0]["split"] != other[0]["split"]).any()
    merged = [cases.merge(t[t["split"] == "validation"], on="id") for t in first]
    counts = pd.concat(
        [t.groupby(["sex", t["bone_age_months"] // 24]).size() for t in merged], axis=1
    ).fillna(0)
    assert (counts.max(axis=1) - counts.min(axis=1)).max() <= 3


@pytest.mark.parametrize("folds", [1, 5])
def test_an_impossible_number_of_folds_is_refused(folds: int) -> None:
    cases = cohort(4)
    splits = pd.DataFrame({"id": cases["id"], "split": "train"})
    with pytest.raises(
        ValueError, match=f"cannot cut 4 patients of the training and validation part into {folds}"
    ):
        cross_validation_splits(cases, splits, folds, 24, seed=0)
