"""A page with its interface as one web application that only this machine can use."""

from collections.abc import Sequence
from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.types import ASGIApp

from boneage_kedro.local_page.security import HOSTS, only_this_machine

SHARED = Path(__file__).with_name("static")


def plain_app() -> FastAPI:
    """An application without pages that describe it, since those load from elsewhere; routes are added to it."""
    return FastAPI(docs_url=None, redoc_url=None, openapi_url=None)


def private_page(app: FastAPI, static: Path, hosts: Sequence[str] = HOSTS, programs: bool = False) -> ASGIApp:
    """The routes of an application, below them the page's own files and, under ``shared/``, those of all pages.

    Args:
        hosts, programs: who may ask, see `only_this_machine`.
    """
    app.mount("/shared", StaticFiles(directory=SHARED))
    app.mount("/", StaticFiles(directory=static, html=True))
    return only_this_machine(app, hosts, programs)
