"""The web server of the annotation page: the queue, its pictures and masks, and answers coming back."""

from pathlib import Path
from typing import Annotated, Any

import numpy as np
from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import FileResponse, JSONResponse
from starlette.types import ASGIApp

from boneage_kedro.local_page.app import plain_app, private_page
from boneage_kedro.masks.drawn.answers import encode_png
from boneage_kedro.masks.drawn.queue import AnnotationQueue
from boneage_kedro.masks.label_maps import UnusableMask, read_mask

STATIC = Path(__file__).with_name("static")
HEADER_BYTES = 4096  # what a PNG has beside its pixels


def create_app(queue: AnnotationQueue) -> ASGIApp:
    """The page and its interface, as an ASGI application.

    ====  ==============================  ================================================================
    GET   /                               the page
    GET   /api/queue                      the labels with their codes, and all cases: id, answered or not
    GET   /api/cases/{id}/picture.png     the radiograph
    GET   /api/cases/{id}/proposal.png    the mask to correct, 8-bit gray PNG of codes
    GET   /api/cases/{id}/mask.png        the person's answer, else the proposal; 422 if the answer is unusable
    PUT   /api/cases/{id}/mask.png        the person's answer; 204
    ====  ==============================  ================================================================

    Errors are JSON with a ``detail`` for the person: 400 and 403 for a foreign Host or Origin, 404 for an unknown id,
    413 for a body larger than any mask of the case, 422 for a mask that cannot be used.
    """
    app = plain_app()
    app.add_exception_handler(UnusableMask, _unusable)
    _add_cases(app, queue)
    return private_page(app, STATIC)


def _add_cases(app: FastAPI, queue: AnnotationQueue) -> None:
    def known(key: str) -> str:
        """An id is only ever looked up; it never becomes part of a path here."""
        if key not in queue.ids:
            raise HTTPException(404, f"there is no radiograph {key} in the queue")
        return key

    Key = Annotated[str, Depends(known)]

    async def mask_body(key: Key, request: Request) -> bytes:
        rows, columns = queue.shape(key)
        return await _limited_body(request, rows * (columns + 1) + HEADER_BYTES)

    @app.get("/api/queue")
    def overview() -> dict[str, Any]:
        open_ids = set(queue.open_ids)
        cases = [{"id": key, "answered": key not in open_ids} for key in queue.ids]
        return {"labels": dict(queue.labels), "cases": cases}

    @app.get("/api/cases/{key}/picture.png")
    def picture(key: Key) -> FileResponse:
        return FileResponse(queue.picture(key), media_type="image/png")

    @app.get("/api/cases/{key}/proposal.png")
    def proposal(key: Key) -> Response:
        return _png(queue.proposal(key))

    @app.get("/api/cases/{key}/mask.png")
    def mask(key: Key) -> Response:
        try:
            return _png(queue.answer(key))
        except KeyError:  # not answered yet
            return _png(queue.proposal(key))

    @app.put("/api/cases/{key}/mask.png", status_code=204)
    def save(key: Key, content: Annotated[bytes, Depends(mask_body)]) -> None:
        codes = read_mask(content, f"{key}.png", len(queue.labels) + 1, queue.shape(key), binary=False)
        queue.save_answer(key, codes)


def _unusable(_: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, 422)


async def _limited_body(request: Request, most_bytes: int) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > most_bytes:
            raise HTTPException(413, f"the file is larger than a mask of this radiograph, {most_bytes} bytes")
    return bytes(body)


def _png(codes: np.ndarray) -> Response:
    return Response(encode_png(codes), media_type="image/png")
