"""Turn rough lines drawn in Labelme into outlines that follow the edges of the bones.

    python tools/trace_outlines.py PICTURES LINES OUTLINES --sizes original_sizes.csv

LINES has a Labelme file for each picture, ``<id>.json``. Go round each bone clockwise, with its label: where its edge
can be seen draw a ``linestrip`` of a few points, it is pulled onto the edge; set a ``point`` for a corner that must
stay, and leave out what is to be a straight line, as across a growth plate or at the edge of the field. OUTLINES gets
a file of polygons for each, without pixels. With ``--sizes`` the pictures are scaled copies, and the polygons are
written in the pixels of the originals, whose sizes the table has (columns id, orig_width, orig_height), and whose
files are called ``<id>.png``.

A file that cannot be used is named, and the others are done.
"""

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from boneage_kedro.imaging.formats.decoding import decode
from boneage_kedro.imaging.radiograph import UnreadableRadiograph
from boneage_kedro.masks.drawn.edge_tracking import EdgeTracking
from boneage_kedro.masks.drawn.labelme import read_labelme_lines, write_polygons
from boneage_kedro.masks.drawn.outline_tracing import OutlineTracing, trace_outlines
from boneage_kedro.masks.label_maps import UnusableMask


def main() -> None:
    options = parse()
    options.outlines.mkdir(parents=True, exist_ok=True)
    tracking = EdgeTracking(
        band_px=options.band, blur_px=options.blur, stiffness=options.stiffness, pull=options.pull
    )
    settings = OutlineTracing(tracking=tracking, tolerance_px=options.tolerance)
    sizes = None if options.sizes is None else pd.read_csv(options.sizes, dtype={"id": str}).set_index("id")
    failed = 0
    for file in sorted(options.lines.glob("*.json")):
        try:
            outlined = trace(file, options.pictures, sizes, settings)
        except (UnreadableRadiograph, UnusableMask) as error:
            failed += 1
            print(error, file=sys.stderr)
            continue
        (options.outlines / file.name).write_text(outlined, encoding="utf-8")
    sys.exit(1 if failed else 0)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pictures", type=Path, help="folder of <id>.jpg or .png")
    parser.add_argument("lines", type=Path, help="folder of <id>.json")
    parser.add_argument("outlines", type=Path, help="folder to write to")
    parser.add_argument("--sizes", type=Path, help="table of the originals' sizes")
    parser.add_argument(
        "--band", type=float, default=4, help="pixels to either side that are searched (%(default)s)"
    )
    parser.add_argument("--blur", type=float, default=1, help="sigma of the Gaussian before (%(default)s)")
    parser.add_argument("--stiffness", type=float, default=0.1, help="what a turn costs (%(default)s)")
    parser.add_argument("--pull", type=float, default=0.5, help="what the band's border costs (%(default)s)")
    parser.add_argument("--tolerance", type=float, default=0.25, help="pixels to simplify by (%(default)s)")
    return parser.parse_args()


def trace(file: Path, pictures: Path, sizes: pd.DataFrame | None, settings: OutlineTracing) -> str:
    """The Labelme file of the outlines, as text.

    Raises:
        UnreadableRadiograph: the picture is damaged.
        UnusableMask: the outlines cannot be made. Both messages name the file and the reason.
    """
    key = file.stem
    found = [path for suffix in (".jpg", ".png") if (path := pictures / f"{key}{suffix}").exists()]
    if not found or (sizes is not None and key not in sizes.index):
        raise UnusableMask(
            f"{file}: its picture or its size is missing; bring {key}.jpg or .png, and its row"
        )
    try:
        picture = decode(found[0].read_bytes(), cv2.IMREAD_GRAYSCALE)
    except UnreadableRadiograph as error:
        raise UnreadableRadiograph(f"{found[0]}: {error}") from error
    lines = read_labelme_lines(file.read_bytes(), str(file), picture.shape, key)
    try:
        outlines = trace_outlines(lines, picture, settings)
    except UnusableMask as error:
        raise UnusableMask(f"{file}: {error}") from error
    shape = (
        picture.shape if sizes is None else tuple(sizes.loc[key, ["orig_height", "orig_width"]].astype(int))
    )
    scale = np.divide(shape[::-1], picture.shape[::-1])
    polygons = [(label, (points * scale).round(1)) for label, points in outlines.items()]
    name = found[0].name if sizes is None else f"{key}.png"
    return write_polygons(polygons, tuple(map(int, shape)), name)


if __name__ == "__main__":
    main()
