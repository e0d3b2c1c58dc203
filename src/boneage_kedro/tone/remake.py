"""Make all gold again from the inputs and their settings: ``python -m boneage_kedro.tone.remake PAIRS``."""

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path

from boneage_kedro.local_page.serving import log_to_terminal
from boneage_kedro.tone.pairs import PairFolder

logger = logging.getLogger("boneage_kedro.tone")


def main(arguments: Sequence[str] | None = None) -> None:
    """Make what can be made; what cannot is told, and the command then ends with 1."""
    parser = argparse.ArgumentParser(prog="python -m boneage_kedro.tone.remake", description=__doc__)
    parser.add_argument("pairs", type=Path, help="folder that the page has written")
    options = parser.parse_args(arguments)
    log_to_terminal()
    outcomes = dict(PairFolder(options.pairs).remake())
    if not outcomes:
        parser.error(f"{options.pairs} has no settings; name a folder that the page has written")
    problems = [problem for problem in outcomes.values() if problem]
    for problem in problems:
        logger.error("%s", problem)
    logger.info("%d of %d gold pictures were made again.", len(outcomes) - len(problems), len(outcomes))
    if problems:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
