"""What is sent to be read: checked, so that nothing of it is dropped or guessed."""

from collections import Counter
from typing import Annotated

import pandas as pd
from fastapi import Depends, File, Form, HTTPException, Request, UploadFile

from boneage_kedro.cohort.sex import parse_sex
from boneage_kedro.cohort.tables import read_case_table
from boneage_kedro.imaging.reading import is_known_format
from boneage_kedro.imaging.sources import MemorySource, Radiographs

FIELDS = ("file", "sex", "chronological_age_months")
_LONGEST_NAME = 255  # of a file on any usual system


async def check_fields(request: Request) -> None:
    """Refuse a form with a field that is not known, which would be passed over, or with one field twice.

    Raises:
        HTTPException: 422, with the names.
    """
    counts = Counter(name for name, _ in (await request.form()).multi_items())
    if unknown := [name for name in counts if name not in FIELDS]:
        raise HTTPException(422, f"unknown field {', '.join(map(repr, unknown))}; send {', '.join(FIELDS)}")
    if twice := [name for name, count in counts.items() if count > 1]:
        raise HTTPException(422, f"{', '.join(twice)} was sent more than once; which is meant is not guessed")


def one_case(
    file: Annotated[UploadFile, File(description="One radiograph: PNG, JPEG, TIFF or DICOM")],
    sex: Annotated[str, Form(description="F or M; also female, male, girl, boy")],
    chronological_age_months: Annotated[str, Form(description="In months; may be left out")] = "",
    _: Annotated[None, Depends(check_fields)] = None,
) -> tuple[pd.DataFrame, Radiographs]:
    """A table of one case and its radiograph, as `boneage_kedro.reading.assessment.Assessor.read` takes them.

    Raises:
        HTTPException: 415 for a file of another kind; 422 for a sex or age that cannot be used, or a name that
            is a path.
    """
    name = _plain_name(file.filename or "")
    try:
        parse_sex(sex)
    except ValueError as error:
        raise HTTPException(422, str(error)) from error
    row = {"id": name, "sex": sex, "chronological_age_months": chronological_age_months}
    cases = read_case_table(pd.DataFrame([row], dtype=str))
    if wrong := cases.loc[0, "problem"] or cases.loc[0, "note"]:
        raise HTTPException(422, str(wrong))
    content = file.file.read()
    if not is_known_format(content):
        raise HTTPException(415, "the file is no PNG, JPEG, TIFF or DICOM file, whatever its name says")
    return cases, Radiographs([MemorySource(name, content)], "the upload")


def _plain_name(name: str) -> str:
    """The name of a file, of which only its id is ever used."""
    if (
        set(name) & {"/", "\\"}
        or not name.isprintable()
        or name.strip(". ") == ""
        or len(name) > _LONGEST_NAME
    ):
        raise HTTPException(422, "the name of the file must be one without folders; rename it")
    return name
