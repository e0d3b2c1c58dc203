"""Serving a page from the command line, on this machine alone, until Ctrl+C."""

import argparse
import logging
import socket
from contextlib import suppress

import uvicorn
from starlette.types import ASGIApp

LOCAL = "127.0.0.1"
PORT_HELP = "on 127.0.0.1; 0 takes any free one"

logger = logging.getLogger("boneage_kedro.local_page")


def listen(parser: argparse.ArgumentParser, port: int, host: str = LOCAL) -> socket.socket:
    """Take a port; one that cannot be had is an error of the command line."""
    try:
        return socket.create_server((host, port))
    except (OSError, OverflowError) as error:
        where = "" if host == LOCAL else f" at {host}"
        parser.error(f"port {port}{where} cannot be used ({error}); choose another with --port")


def log_to_terminal() -> None:
    """Show what is logged to the person who gave the command."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")


def serve(page: ASGIApp, listener: socket.socket) -> None:
    """Say where the page is and answer its requests."""
    with listener, suppress(KeyboardInterrupt):  # uvicorn has closed its connections by then
        logger.info("The page is at http://%s:%d, end it with Ctrl+C.", *listener.getsockname())
        uvicorn.Server(uvicorn.Config(page, log_level="warning")).run(sockets=[listener])
