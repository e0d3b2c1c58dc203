"""The data of a page."""

import pandas as pd

from boneage_kedro.evaluation.evidence.subject import Found, Subject
from boneage_kedro.evaluation.report import Basis, Column, Table

PARTS = "cases_by_part"


def count_parts(cases: pd.DataFrame, splits: pd.DataFrame) -> pd.DataFrame:
    """Cases of each part by sex: ``split, F, M, cases``."""
    counts = cases.merge(splits, on="id").groupby(["split", "sex"]).size().unstack(fill_value=0)
    return counts.reindex(columns=["F", "M"], fill_value=0).assign(cases=counts.sum(axis=1)).reset_index()


def _parts(source: str, found: Found) -> list[Table]:
    parts = found[PARTS]
    basis = Basis(source, f"{parts['cases'].sum()} in all", "none", "none")
    columns = (Column("split", "part"), Column("F", "girls"), Column("M", "boys"), Column("cases", "cases"))
    tables = [Table(PARTS, "One split by patient for all", basis, parts, columns)]
    if "validation_report" in found:  # without the examples, which name files
        kinds = found["validation_report"][["kind", "count"]]
        shown = (Column("kind", "what"), Column("count", "files"))
        tables.append(Table("findings", "What is wrong with files and labels", basis, kinds, shown))
    return tables


DATA = Subject(
    "Data",
    "validation_findings.csv names the files that something is wrong with.",
    _parts,
    (PARTS,),
    "data_prep",
    uses=("validation_report",),
    figures={
        "age_histogram": "Histogram: cases by bone age and sex",
        "contact_sheet": "Radiographs as they were prepared, from the youngest to the oldest",
    },
)
