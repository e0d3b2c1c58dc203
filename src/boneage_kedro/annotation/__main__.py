"""Serve the annotation page of a queue: ``python -m boneage_kedro.annotation FOLDER --port N --labels NAME ...``."""

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path

from boneage_kedro.annotation.server import create_app
from boneage_kedro.local_page.serving import PORT_HELP, listen, log_to_terminal, serve
from boneage_kedro.masks.drawn.queue import AnnotationQueue
from boneage_kedro.masks.hand.check import check_hand

logger = logging.getLogger("boneage_kedro.annotation")


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until Ctrl+C."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if not options.folder.is_dir():
        parser.error(
            f"{options.folder} is not a folder; name the queue that hand_active_learning has written"
        )
    labels = {name: code for code, name in enumerate(options.labels, 1)}
    if len(labels) < len(options.labels):
        parser.error("--labels names a class twice")
    queue = AnnotationQueue(options.folder, labels, check_hand if options.one_hand else None)
    listener = listen(parser, options.port)
    log_to_terminal()
    logger.info("%d of %d radiographs are open.", len(queue.open_ids), len(queue.ids))
    serve(create_app(queue), listener)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m boneage_kedro.annotation", description=__doc__)
    parser.add_argument("folder", type=Path, help="of the queue")
    parser.add_argument("--port", type=int, required=True, help=PORT_HELP)
    parser.add_argument(
        "--labels", nargs="+", required=True, help="of the classes, in the order of codes from 1"
    )
    parser.add_argument("--one-hand", action="store_true", help="refuse masks that show two hands")
    return parser


if __name__ == "__main__":
    main()
