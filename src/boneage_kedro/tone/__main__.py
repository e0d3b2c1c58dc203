"""Serve the tone page: ``python -m boneage_kedro.tone PICTURES PAIRS --port N``."""

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path

from boneage_kedro.local_page.serving import PORT_HELP, listen, log_to_terminal, serve
from boneage_kedro.tone.pairs import PairFolder
from boneage_kedro.tone.pictures import PictureFolder
from boneage_kedro.tone.server import create_app

logger = logging.getLogger("boneage_kedro.tone")


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until Ctrl+C."""
    parser = _parser()
    options = parser.parse_args(arguments)
    _check_folders(parser, options.pictures, options.pairs)
    pictures = PictureFolder(options.pictures)
    log_to_terminal()
    for problem in pictures.problems:
        logger.warning("%s", problem)
    if not pictures.shapes:
        parser.error(f"{options.pictures} has no PNG picture of a hand that can be used")
    listener = listen(parser, options.port)
    logger.info("%d pictures; the pairs go to %s.", len(pictures.shapes), options.pairs)
    serve(create_app(pictures, PairFolder(options.pairs)), listener)


def _check_folders(parser: argparse.ArgumentParser, pictures: Path, pairs: Path) -> None:
    if not pictures.is_dir():
        parser.error(f"{pictures} is not a folder; name the one with the pictures")
    if pairs.exists() and not pairs.is_dir():
        parser.error(f"{pairs} is a file; name a folder for the pairs")
    if pairs.resolve().is_relative_to(pictures.resolve()):
        parser.error(
            f"{pairs} lies in {pictures}, where pairs would be taken for pictures the next time; name another"
        )
    if pictures.resolve().is_relative_to(pairs.resolve()):
        parser.error(f"{pictures} lies in {pairs}, whose pictures are written over; name another")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m boneage_kedro.tone", description=__doc__)
    parser.add_argument("pictures", type=Path, help="folder of hands cut out, gray PNG, 0 outside the hand")
    parser.add_argument("pairs", type=Path, help="folder for the pairs; made, or gone on with")
    parser.add_argument("--port", type=int, required=True, help=PORT_HELP)
    return parser


if __name__ == "__main__":
    main()
