"""The web server of the tone page: the sheet of pictures, their gray levels, and settings coming back."""

from pathlib import Path
from typing import Annotated, Any

import numpy as np
from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.types import ASGIApp

from boneage_kedro.imaging.contrast.tone import ToneSettings, apply_tone, smooth
from boneage_kedro.imaging.geometry import resize
from boneage_kedro.imaging.radiograph import UnreadableRadiograph
from boneage_kedro.local_page.app import plain_app, private_page
from boneage_kedro.masks.drawn.answers import encode_png
from boneage_kedro.tone.pairs import PairFolder, PairRecord, UnusablePair
from boneage_kedro.tone.pictures import PictureFolder

STATIC = Path(__file__).with_name("static")
THUMBNAIL_PX = 128


def create_app(pictures: PictureFolder, pairs: PairFolder) -> ASGIApp:
    """The page and its interface, as an ASGI application.

    ====  =================================  ==================================================================
    GET   /                                  the page
    GET   /api/sheet                         all pictures with size and record, the levels of all gold, problems
    GET   /api/pictures/{id}/gray            its gray levels, one byte a pixel
    GET   /api/pictures/{id}/smooth          the same smoothed, little-endian float32
    GET   /api/pictures/{id}/thumbnail.png   small, as the gold where there is one
    PUT   /api/pictures/{id}/settings        make the pair of a picture; its record
    ====  =================================  ==================================================================

    Pixels travel bare, so that no decoder of a browser can change them. Errors are JSON with a ``detail`` for the
    person: 400 and 403 for a foreign Host or Origin, 404 for an unknown id, 422 for settings, pictures and pairs that
    cannot be used, 500 where nothing can be written.
    """
    app = plain_app()
    for kind in (UnreadableRadiograph, UnusablePair):
        app.add_exception_handler(kind, _unusable)
    app.add_exception_handler(RequestValidationError, _wrong_settings)
    app.add_exception_handler(OSError, _failed)
    _add_pictures(app, pictures, pairs)
    return private_page(app, STATIC)


def _add_pictures(app: FastAPI, pictures: PictureFolder, pairs: PairFolder) -> None:
    def read(key: str) -> np.ndarray:
        """An id is only ever looked up; one that is unknown never becomes part of a path."""
        if key not in pictures.shapes:
            raise HTTPException(404, f"there is no picture {key} on the sheet")
        return pictures.read(key)

    Picture = Annotated[np.ndarray, Depends(read)]

    @app.get("/api/sheet")
    def sheet() -> dict[str, Any]:
        listed, problems = _list(pictures, pairs)
        gold = {key: level._asdict() for key, level in pairs.levels()}
        return {"pictures": listed, "gold": gold, "problems": [*pictures.problems, *problems]}

    @app.get("/api/pictures/{key}/gray")
    def gray(image: Picture) -> Response:
        return Response(image.tobytes(), media_type="application/octet-stream")

    @app.get("/api/pictures/{key}/smooth")
    def smoothed(image: Picture) -> Response:
        return Response(smooth(image).astype("<f4").tobytes(), media_type="application/octet-stream")

    @app.get("/api/pictures/{key}/thumbnail.png")
    def thumbnail(key: str, image: Picture) -> Response:
        record = pairs.record(key, pictures.fingerprints[key])
        shown = apply_tone(image, record["settings"]) if record else image
        return Response(encode_png(_small(shown)), media_type="image/png")

    @app.put("/api/pictures/{key}/settings")
    def save(key: str, image: Picture, settings: ToneSettings) -> PairRecord:
        return pairs.save(key, image, settings)


def _list(pictures: PictureFolder, pairs: PairFolder) -> tuple[list[dict[str, Any]], list[str]]:
    """The pictures that can be set, and why the others cannot."""
    listed, problems = [], []
    for key, (rows, columns) in pictures.shapes.items():
        try:
            record = pairs.record(key, pictures.fingerprints[key])
            listed.append({"id": key, "width": columns, "height": rows, "record": record})
        except UnusablePair as error:
            problems.append(str(error))
    return listed, problems


def _small(image: np.ndarray) -> np.ndarray:
    share = min(1.0, THUMBNAIL_PX / max(image.shape))
    return resize(image, (max(1, round(image.shape[1] * share)), max(1, round(image.shape[0] * share))))


def _unusable(_: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, 422)


def _wrong_settings(_: Request, error: Any) -> JSONResponse:
    wrong = "; ".join(f"{problem['loc'][-1]}: {problem['msg']}" for problem in error.errors())
    return JSONResponse({"detail": f"these settings cannot be used: {wrong}"}, 422)


def _failed(_: Request, error: Any) -> JSONResponse:
    return JSONResponse({"detail": f"{error.filename}: cannot be written or read ({error.strerror})"}, 500)
