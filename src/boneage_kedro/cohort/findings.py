"""What was found wrong with the input: one row a problem, gathered over the stages of data preparation."""

from collections.abc import Sequence
from enum import StrEnum

import pandas as pd

_EXAMPLES = 5


class Finding(StrEnum):
    """Kinds of problems, in the order in which a report lists them."""

    MISSING_ID = "missing_id"
    UNUSABLE_ID = "unusable_id"
    DUPLICATE_ID = "duplicate_id"
    MISSING_PATIENT_ID = "missing_patient_id"
    UNKNOWN_SEX = "unknown_sex"
    PATIENT_SEX_CONFLICT = "patient_sex_conflict"
    MISSING_AGE = "missing_age"
    INVALID_AGE = "invalid_age"
    AGE_OUT_OF_RANGE = "age_out_of_range"
    INVALID_CHRONOLOGICAL_AGE = "invalid_chronological_age"
    MISSING_IMAGE = "missing_image"
    UNLABELLED_IMAGE = "unlabelled_image"
    DUPLICATE_FILE = "duplicate_file"
    UNREADABLE_FILE = "unreadable_file"
    UNUSABLE_PAIR = "unusable_pair"
    INVALID_BOX = "invalid_box"
    INCOMPLETE_BLOCK = "incomplete_block"
    UNUSABLE_OUTLINE = "unusable_outline"


def finding_rows(
    kind: Finding, ids: Sequence[str], detail: str | Sequence[str], file: str | Sequence[str] = ""
) -> pd.DataFrame:
    """Findings of one kind, one row an id.

    Args:
        kind: what is wrong.
        ids: the cases concerned; an empty string where there is no id.
        detail: what a person needs to mend it, for all or for each id.
        file: name of the file concerned, for all or for each id.

    Returns:
        Text columns ``kind``, ``id``, ``file``, ``detail``; such tables are put together with ``pd.concat``.
    """
    columns = {"kind": str(kind), "id": ids, "file": file, "detail": detail}
    return pd.DataFrame(columns, index=range(len(ids)), dtype=str)


def summarise_findings(findings: pd.DataFrame) -> pd.DataFrame:
    """Count the findings of each kind.

    Returns:
        ``kind``, ``count`` and ``examples`` (the first ids, else file names, else details), in the order of
        `Finding`; kinds without a finding have no row.
    """
    rows = []
    for kind in Finding:
        of_kind = findings[findings["kind"] == kind]
        if len(of_kind):
            rows.append({"kind": str(kind), "count": len(of_kind), "examples": _examples(of_kind)})
    return pd.DataFrame(rows, columns=["kind", "count", "examples"])


def refuse_findings(findings: pd.DataFrame) -> None:
    """Stop a strict run that found anything wrong.

    Raises:
        ValueError: there are findings; it lists each kind with its count and examples.
    """
    if len(findings):
        raise ValueError(
            f"strict: {len(findings)} problems in the input; mend them, or set strict to false to go on "
            f"with the good cases\n{describe_findings(findings)}"
        )


def describe_findings(findings: pd.DataFrame) -> str:
    """The summary as text, one line a kind, as in ``unknown_sex: 2 (1377, 1378)``."""
    summary = summarise_findings(findings).to_dict("records")
    return "\n".join(f"  {row['kind']}: {row['count']} ({row['examples']})" for row in summary)


def _examples(findings: pd.DataFrame) -> str:
    names = findings["id"].where(findings["id"] != "", findings["file"])
    names = names.where(names != "", findings["detail"])
    shown = ", ".join(names.drop_duplicates()[:_EXAMPLES])
    return f"{shown}, ..." if names.nunique() > _EXAMPLES else shown
