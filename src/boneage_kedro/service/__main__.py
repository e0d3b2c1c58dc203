"""Serve a packed model: ``python -m boneage_kedro.service PACKAGE --settings FILE --port N --limit-mib N``."""

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path

import yaml
from pydantic import TypeAdapter, ValidationError

from boneage_kedro.handover.package import ModelPackage, load_package
from boneage_kedro.local_page.security import HOSTS
from boneage_kedro.local_page.serving import LOCAL, listen, log_to_terminal, serve
from boneage_kedro.reading.settings import AssessSettings
from boneage_kedro.service.server import create_app

logger = logging.getLogger("boneage_kedro.service")


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until Ctrl+C."""
    parser = _parser()
    options = parser.parse_args(arguments)
    package = _package(parser, options.package)
    settings = _settings(parser, options.settings)
    listener = listen(parser, options.port, options.host)
    log_to_terminal()
    logger.info("Research use only. Network %s.", package.network)
    if options.host not in HOSTS:
        logger.warning("Whoever reaches %s can use this service; it asks for no password.", options.host)
    serve(create_app(package, settings, options.limit_mib * 2**20, [*HOSTS, options.host]), listener)


def _package(parser: argparse.ArgumentParser, folder: Path) -> ModelPackage:
    try:
        return load_package(folder)
    except ValueError as error:
        parser.error(str(error))


def _settings(parser: argparse.ArgumentParser, file: Path) -> AssessSettings:
    try:
        return TypeAdapter(AssessSettings).validate_python(yaml.safe_load(file.read_text("utf-8"))["assess"])
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        parser.error(
            f"{file} holds no block `assess` of settings ({error}); see conf/base/parameters_assess.yml"
        )
    except ValidationError as error:
        first = error.errors()[0]
        parser.error(f"{file}: assess.{'.'.join(map(str, first['loc']))}: {first['msg']}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m boneage_kedro.service", description=__doc__)
    parser.add_argument("package", type=Path, help="folder that `kedro run --pipelines=package` has written")
    parser.add_argument("--settings", type=Path, required=True, help="YAML file with the block `assess`")
    parser.add_argument("--port", type=int, required=True, help="0 takes any free one")
    parser.add_argument("--limit-mib", type=int, required=True, help="size of the largest request")
    parser.add_argument(
        "--host",
        default=LOCAL,
        help="name or address of this machine under which others may use it; asks no password",
    )
    return parser


if __name__ == "__main__":
    main()
