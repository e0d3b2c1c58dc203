"""Tables of cases that are wrong in many ways, and what a careful person would say that they state."""

from collections.abc import Iterator, Sequence
from io import StringIO

import numpy as np
import pandas as pd

from boneage_kedro.cohort.columns import case_id

_HEADERS = {
    "id": ("id", "ID", "Image ID", "case_id", "Case ID", " id "),
    "sex": ("sex", "Sex", "SEX ", "male", "Male"),
    "age": ("chronological_age_months", "Chronological", "age"),
}
_STATED = {"F": {"f", "female", "girl", "w"}, "M": {"m", "male", "boy"}}
_STATED_MALE = {"F": {"false", "0", "0.0", "no"}, "M": {"true", "1", "1.0", "yes"}}
_CLEAR = ("F", "M", "female", "male", "girl", "boy", "w", " F ", "f")
_CLEAR_MALE = ("True", "False", "1", "0", "yes", "no", "1.0", "TRUE ")
_UNCLEAR = (
    "", " ", "x", "?", "0", "1", "2", "F/M", "M,F", "fm", "mf", "fem", "mal", "woman", "man", "other", "unknown",
    "nan", "None", "NULL", "true", "no", "\uff26", "\uff2d", "♀", "♂", "м", "ж", "m.", "f;", "'M'", '"F"',
    "F\u200b", "M\0", "-1", "1e0", "True False", "not male", "h", "weiblich", "d", "=F", "F" * 5000,
)  # fmt: skip
_AGES = (
    "",
    "120",
    "-1",
    "1e9",
    "nan",
    "inf",
    "12,5",
    "10y",
    "0",
    "300",
    "300.1",
    "0x10",
    "\uff11\uff12\uff10",
    "1_0",
    "'",
)
_IDS = (
    "h0",
    "h1",
    "h2",
    "h0.png",
    "../h1",
    "a/b/h2.png",
    "",
    " ",
    "h0 ",
    "H0",
    "7",
    "7.0",
    "007",
    "..",
    "\\",
    "\0",
)
_JUNK = ('"', "'", ",", ";", "\n", "\r", "\t", "\0", "\ufeff", "\\", "é", "=1+1", "\u202e", "\x1b[2J")


def malformed_tables(count: int, seed: int) -> Iterator[pd.DataFrame | None]:
    """Tables as the catalog reads them, all cells text; none where the text is no CSV at all, the same for a seed."""
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        table = _table(rng)
        yield table if rng.random() < 0.5 else _as_csv(table, rng)


def stated_sexes(table: pd.DataFrame) -> list[set[str]]:
    """For each row the sexes that some cell of it clearly states, in any column named for it."""
    stated: list[set[str]] = [set() for _ in range(len(table))]
    for place, name in enumerate(table.columns):
        words = {"sex": _STATED, "male": _STATED_MALE}.get(_letters(name))
        if words is None:
            continue
        for row, cell in enumerate(table.iloc[:, place]):
            text = str(cell).strip().lower()
            stated[row] |= {sex for sex, known in words.items() if text in known}
    return stated


def stated_ids(table: pd.DataFrame) -> set[str]:
    """The ids of all rows, by any column named for them."""
    names = {_letters(name) for name in _HEADERS["id"]}
    places = [place for place, name in enumerate(table.columns) if _letters(name) in names]
    return {case_id(str(cell)) for place in places for cell in table.iloc[:, place]}


def _letters(name: object) -> str:
    """A column's name as a person reads it, whatever stands about it."""
    return "".join(letter for letter in str(name).lower() if letter.isalnum())


def _table(rng: np.random.Generator) -> pd.DataFrame:
    rows = int(rng.integers(0, 9))
    columns = [str(rng.choice(_HEADERS[role])) for role in ("id", "sex")]
    if rng.random() < 0.7:
        columns.append(str(rng.choice(_HEADERS["age"])))
    if rng.random() < 0.1:
        columns.append(str(rng.choice(columns)))
    if rng.random() < 0.1:
        columns.pop(int(rng.integers(len(columns))))
    cells = [[_cell(name, rng) for name in columns] for _ in range(rows)]
    if cells and rng.random() < 0.4:
        cells.append(list(cells[int(rng.integers(len(cells)))]))
    order = rng.permutation(len(columns))
    table = pd.DataFrame(cells, columns=columns, dtype=str)
    return table.iloc[:, order]


def _cell(column: str, rng: np.random.Generator) -> str:
    name = column.strip().lower()
    if name == "sex":
        return _pick(_CLEAR if rng.random() < 0.8 else _UNCLEAR, rng)
    if name == "male":
        return _pick(_CLEAR_MALE if rng.random() < 0.8 else _UNCLEAR, rng)
    if "id" in name:
        return _pick(_IDS, rng)
    return _pick(_AGES, rng)


def _pick(choices: Sequence[str], rng: np.random.Generator) -> str:
    return choices[int(rng.integers(len(choices)))]


def _as_csv(table: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
    """Written with junk in it, and read as the catalog reads it."""
    text = table.to_csv(index=False, sep=str(rng.choice([",", ",", ",", ";", "\t"])))
    for _ in range(rng.integers(0, 5)):
        at = int(rng.integers(len(text) + 1))
        text = text[:at] + _pick(_JUNK, rng) + text[at + int(rng.integers(2)) :]
    try:
        return pd.read_csv(StringIO(text), dtype=str, keep_default_na=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError):
        return None
