from pathlib import Path

import pandas as pd
import pytest

from boneage_kedro.cohort.findings import Finding, finding_rows, refuse_findings, summarise_findings

NOTHING = finding_rows(Finding.MISSING_IMAGE, [], "never seen")


def some_findings() -> pd.DataFrame:
    return pd.concat(
        [
            finding_rows(Finding.UNREADABLE_FILE, ["7"], "truncated", file="a/7.png"),
            finding_rows(
                Finding.DUPLICATE_FILE, ["", ""], ["also in b", "also in c"], file=["x.png", "y.png"]
            ),
            NOTHING,
            finding_rows(Finding.MISSING_ID, [""], "row 3 has no id"),
            finding_rows(Finding.MISSING_IMAGE, list("abcdefa"), "no radiograph"),
        ],
        ignore_index=True,
    )


def test_summary_counts_each_kind_in_the_order_of_the_report() -> None:
    assert summarise_findings(some_findings()).values.tolist() == [
        ["missing_id", 1, "row 3 has no id"],
        ["missing_image", 7, "a, b, c, d, e, ..."],
        ["duplicate_file", 2, "x.png, y.png"],
        ["unreadable_file", 1, "7"],
    ]


def test_no_findings_make_an_empty_summary_and_pass_as_strict() -> None:
    assert summarise_findings(NOTHING).empty
    assert list(summarise_findings(NOTHING).columns) == ["kind", "count", "examples"]
    refuse_findings(NOTHING)


def test_strict_names_counts_and_examples() -> None:
    with pytest.raises(ValueError, match="strict: 11 problems") as error:
        refuse_findings(some_findings())
    assert "missing_image: 7 (a, b, c, d, e, ...)" in str(error.value)
    assert "unreadable_file: 1 (7)" in str(error.value)


def test_findings_come_back_from_csv_as_they_were(tmp_path: Path) -> None:
    some_findings().to_csv(tmp_path / "findings.csv", index=False)
    read = pd.read_csv(tmp_path / "findings.csv", dtype=str, keep_default_na=False)
    pd.testing.assert_frame_equal(read, some_findings())
