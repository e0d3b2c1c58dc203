"""Boxes that people drew around bones of RSNA radiographs, read as boxes of the radius-ulna block.

The table (``roi_boxes.csv``) has a row a box: DIP, PIP and MCP joints, wrist, radius and ulna. The box of a bone of
the forearm holds its distal end: epiphysis, plate and metaphysis. The block is the box around the two.
"""

import pandas as pd

from boneage_kedro.cohort.columns import case_id
from boneage_kedro.cohort.findings import Finding, finding_rows

_BONES = ("radius", "ulna")
_SIDES = ["xmin", "ymin", "xmax", "ymax"]
_SIZE = ["img_width", "img_height"]
_TEXT = ["id", "annotator_set", "label"]
BLOCK_COLUMNS = ["id", "reader", "left", "top", "right", "bottom", "width", "height"]


def read_block_boxes(raw: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read the table of boxes into the block of each radiograph, by each of its readers.

    Rows of other labels are passed over. A row that cannot be used, and a reader's block that lacks a bone or has one
    twice, is left out with the reason; the others go in.

    Args:
        raw: all cells as text (``dtype=str, keep_default_na=False``).

    Returns:
        Blocks: ``id``, ``reader``, ``left, top, right, bottom`` in native pixels from the outer corner of the first
        one, and ``width, height`` of the radiograph, sorted by id and reader.
        Findings, as from `boneage_kedro.cohort.findings.finding_rows`.

    Raises:
        ValueError: the table lacks a column.
    """
    rows = _parse(raw)
    problems = rows.apply(_problem, axis=1) if len(rows) else pd.Series("", rows.index)
    bad = rows[problems != ""]
    findings = [finding_rows(Finding.INVALID_BOX, bad["id"].tolist(), problems[bad.index].tolist())]
    blocks = []
    for (key, reader), boxes in rows[problems == ""].groupby(["id", "annotator_set"]):
        if why := _incomplete(boxes):
            findings.append(finding_rows(Finding.INCOMPLETE_BLOCK, [str(key)], f"reader {reader!r}: {why}"))
        else:
            corners = *boxes[_SIDES[:2]].min(), *boxes[_SIDES[2:]].max()
            blocks.append([key, reader, *corners, *boxes[_SIZE].iloc[0]])
    return pd.DataFrame(blocks, columns=BLOCK_COLUMNS), pd.concat(findings, ignore_index=True)


def first_reader(blocks: pd.DataFrame, readers: list[str]) -> pd.DataFrame:
    """One block an id: that of the reader who comes first in ``readers``; other readers' blocks are left out."""
    rank = blocks["reader"].map({reader: place for place, reader in enumerate(readers)})
    ranked = blocks[rank.notna()].assign(rank=rank).sort_values(["id", "rank"])
    return ranked.drop_duplicates("id").drop(columns="rank").reset_index(drop=True)


def _parse(raw: pd.DataFrame) -> pd.DataFrame:
    """Rows of the two bones, numbers as numbers (nan where they are none), index ``row`` as a spreadsheet counts."""
    missing = [column for column in (*_TEXT, *_SIDES, *_SIZE) if column not in raw.columns]
    if missing:
        raise ValueError(
            f"the table of boxes has no column {', '.join(missing)}; its columns are {list(map(str, raw.columns))}"
        )
    text = raw.map(lambda cell: str(cell).strip()).set_axis(pd.RangeIndex(2, len(raw) + 2, name="row"))
    rows = text[text["label"].str.lower().isin(_BONES)].drop_duplicates()
    numbers = rows[_SIDES + _SIZE].apply(pd.to_numeric, errors="coerce")
    names = rows.assign(id=rows["id"].map(case_id), label=rows["label"].str.lower())[_TEXT]
    return pd.concat([names, numbers.astype(float)], axis=1)


def _problem(row: pd.Series) -> str:
    """Why a row cannot be used; empty if it can."""
    where = f"row {row.name}, {row['label']}:"
    if not row["id"]:
        return f"{where} no id"
    unread = [name for name in _SIDES + _SIZE if not abs(row[name]) < float("inf")]
    if unread:
        return f"{where} {', '.join(unread)} is no number"
    left, top, right, bottom = row[_SIDES]
    if not (left < right and top < bottom):
        return f"{where} the box {left:g}, {top:g} to {right:g}, {bottom:g} is empty"
    if min(left, top) < 0 or right > row["img_width"] or bottom > row["img_height"]:
        return f"{where} the box leaves the picture of {row['img_width']:g} x {row['img_height']:g}"
    return ""


def _incomplete(boxes: pd.DataFrame) -> str:
    """Why the usable boxes of one reader on one radiograph are no block; empty if they are."""
    for bone in _BONES:
        if (count := int((boxes["label"] == bone).sum())) != 1:
            return f"{count or 'no'} usable boxes of the {bone}, where there must be one"
    return (
        ""
        if len(boxes[_SIZE].drop_duplicates()) == 1
        else "the two boxes give the radiograph different sizes"
    )
