"""The web server of a packed model: a radiograph and a sex in, the reading with its map out."""

from base64 import b64encode
from collections.abc import Sequence
from math import isnan
from pathlib import Path
from threading import Lock
from typing import Annotated, Any, Literal

import pandas as pd
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.types import ASGIApp

from boneage_kedro.cohort.sex import Sex
from boneage_kedro.evaluation.clinical.determination import Determination
from boneage_kedro.evaluation.clinical.overlay import as_png
from boneage_kedro.handover.package import ModelPackage
from boneage_kedro.imaging.sources import Radiographs
from boneage_kedro.local_page.app import private_page
from boneage_kedro.local_page.security import HOSTS
from boneage_kedro.reading.case_opening import Reading, Status
from boneage_kedro.reading.settings import AssessSettings
from boneage_kedro.service.body_limit import BodyLimit
from boneage_kedro.service.submission import one_case

STATIC = Path(__file__).with_name("static")


class Refusal(BaseModel):
    """Why a request was refused."""

    detail: str = Field(description="For the person who sent it")


_REFUSED: dict[int | str, dict[str, Any]] = {
    code: {"description": words, "model": Refusal}
    for code, words in (
        (400, "a foreign Host"),
        (403, "a foreign Origin"),
        (413, "a request that is too large"),
        (415, "a file of another kind"),
        (422, "a field or a file of no use"),
    )
}


class Answer(BaseModel):
    """A row of ``predictions.csv``, with the SD score and the picture beside its map."""

    id: str = Field(description="The file's name without its suffix")
    sex: Sex
    bone_age_months: float
    bone_age_text: str = Field(description="The same in years and months")
    lower_months: float = Field(description="Lower end of the interval")
    upper_months: float
    status: Literal[Status.OK, Status.INDETERMINATE] = Field(
        description="indeterminate: an age not to be relied on, for the reasons that the warnings begin with"
    )
    warnings: str
    warning_list: list[str] = Field(description="The same one by one")
    chronological_age_months: float | None
    sd_score: float | None = Field(
        description="(bone age - chronological age) / SD of the Brush table; null without an age in that table"
    )
    determination: Determination = Field(
        description="delayed or advanced: by more than 2 SD; unknown without a chronological age, indeterminate "
        "outside the table"
    )
    interval_coverage: float = Field(description="Share of read ages that such intervals are to hold")
    network: str = Field(description="Fingerprint of the network")
    hand_score: float | None = Field(description="How well the networks that look for the hand agree, 0 to 1")
    model_run_id: str = Field(description="MLflow run that packed the network")
    overlay_png: str = Field(description="Base64 of a PNG: the picture, and beside it with the map")


class Health(BaseModel):
    """That the service answers, with which network, and how large a request may be."""

    status: str
    network: str
    masks: list[str]
    most_bytes: int


def create_app(
    package: ModelPackage, settings: AssessSettings, most_bytes: int, hosts: Sequence[str] = HOSTS
) -> ASGIApp:
    """The page and its interface, as an ASGI application.

    ====  =============  ==================================================================================
    GET   /              the page
    POST  /assess        a form of ``file``, ``sex`` and perhaps ``chronological_age_months``; an `Answer`
    GET   /health        a `Health`
    GET   /openapi.json  the description of this interface
    ====  =============  ==================================================================================

    Errors are JSON with a ``detail`` for the person: 400 and 403 for a foreign Host or Origin, 413 for a request of
    more than ``most_bytes``, 415 for a file of another kind, 422 for a field that is missing, unknown, twice there or
    of no use, and for a file that holds no radiograph. Nothing of a request is logged or kept.
    """
    app = FastAPI(
        title="Bone age from a radiograph of the hand (research use only)", docs_url=None, redoc_url=None
    )
    app.add_exception_handler(RequestValidationError, _wrong_form)
    app.add_middleware(BodyLimit, most_bytes=most_bytes)
    _add_routes(app, package, settings, most_bytes)
    return private_page(app, STATIC, hosts, programs=True)


def _add_routes(app: FastAPI, package: ModelPackage, settings: AssessSettings, most_bytes: int) -> None:
    assessor = package.assessor(settings)
    one_at_a_time = Lock()  # the networks use all cores, and memory for one large film is enough

    @app.post("/assess", responses=_REFUSED)
    def assess(case: Annotated[tuple[pd.DataFrame, Radiographs], Depends(one_case)]) -> Answer:
        with one_at_a_time:
            ((reading,),) = assessor.read(*case)
        if reading.status == Status.FAILED:
            raise HTTPException(422, "; ".join(reading.warnings))
        return _answer(reading, package)

    @app.get("/health")
    def health() -> Health:
        return Health(status="ok", network=package.network, masks=list(package.masks), most_bytes=most_bytes)


def _answer(reading: Reading, package: ModelPackage) -> Answer:
    result = package.result(reading)
    row: dict[str, Any] = {
        **result.row(),
        "warning_list": result.all_warnings,
        "interval_coverage": result.coverage,
        "network": package.network,
        "overlay_png": "" if reading.overlay is None else b64encode(as_png(reading.overlay)).decode(),
    }
    told = {key: None if isinstance(value, float) and isnan(value) else value for key, value in row.items()}
    return Answer.model_validate(told)


def _wrong_form(_: Request, error: Any) -> JSONResponse:
    """What is missing, in a sentence; values are not repeated."""
    named = [(problem["loc"][-1], problem["type"] == "missing", problem["msg"]) for problem in error.errors()]
    wrong = [
        f"{field} is missing; send it" if missing else f"{field}: {words}" for field, missing, words in named
    ]
    return JSONResponse({"detail": "; ".join(wrong)}, 422)
