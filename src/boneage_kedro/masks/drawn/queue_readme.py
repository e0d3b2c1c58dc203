"""What the README of an annotation queue says."""

import shlex
from pathlib import Path

_TEXT = """\
Masks to be drawn
=================

queue/<id>.png       a picture to draw on
queue/<id>.json      the outlines proposed for it, for Labelme
queue/label_studio.* the same for Label Studio
answers/             put what you have finished here; nothing in it is ever overwritten by asking

Labels: {labels}.

In a browser, with nothing else installed
    make annotate QUEUE={folder}
    and open http://127.0.0.1:8765.

With Labelme
    labelme queue --labels {argument}
    Correct the outlines and save. Move the JSON files of the pictures you have finished to answers/:
    the name stays, answers/<id>.json.

With Label Studio
    LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED=true \\
    LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT={folder} label-studio
    Make a project; paste queue/label_studio.xml under Settings > Labeling Interface > Code; add a Local files
    storage with the absolute path of queue/ under Settings > Cloud Storage, without syncing it; import
    queue/label_studio.json. Correct polygons, not brush strokes. Export as JSON (not JSON-MIN) and put the file
    into answers/ under any name that is no id.

With anything else
    Save answers/<id>.png at the picture's own size: 8-bit gray PNG, 0 outside,{codes}.

If a picture has several answers, the PNG file counts before that of Labelme, and that before Label Studio's.
Then run the pipeline again. It takes what can be used, and names every file that cannot with the reason.
"""


def readme(labels: dict[str, int], folder: Path) -> str:
    """The text for a queue in ``folder`` with these codes of labels."""
    codes = (
        " 255 inside"
        if len(labels) == 1
        else "".join(f" {code} for {name}," for name, code in labels.items())
    )
    return _TEXT.format(
        labels=", ".join(labels),
        argument=shlex.quote(",".join(labels)),
        folder=shlex.quote(str(folder.resolve())),
        codes=codes.rstrip(","),
    )
