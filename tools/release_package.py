"""Copy a packed model to where the project keeps those that it comes with, without its ONNX file.

    python tools/release_package.py data/06_models/rsna/package data/06_models/released/rsna

ONNX holds the weights once more, at twice the size; whoever needs it makes it with `kedro run --pipelines=package`.
"""

import argparse
from dataclasses import replace
from pathlib import Path

from boneage_kedro.handover.package import load_package, write_package

CARD = "README.md"
WITHOUT_ONNX = b"\nThis copy comes without `age.onnx`, which `kedro run --pipelines=package` makes.\n"


def release(packed: Path, released: Path) -> None:
    """Write the package anew without documents that are ONNX, which its card then says."""
    package = load_package(packed)
    documents = {name: text for name, text in package.documents.items() if not name.endswith(".onnx")}
    if len(documents) < len(package.documents):
        documents[CARD] = documents.get(CARD, b"") + WITHOUT_ONNX
    write_package(released, replace(package, documents=documents))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("packed", type=Path)
    parser.add_argument("released", type=Path)
    arguments = parser.parse_args()
    release(arguments.packed, arguments.released)


if __name__ == "__main__":
    main()
