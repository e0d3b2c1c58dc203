"""The one place where sex is read from a table and encoded."""

from enum import StrEnum


class Sex(StrEnum):
    """Sex of a child, as the bone-age standards separate it."""

    FEMALE = "F"
    MALE = "M"


_WORDS = {
    Sex.FEMALE: {"f", "female", "girl", "w"},
    Sex.MALE: {"m", "male", "boy"},
}


def parse_sex(text: str) -> Sex:
    """Read a sex written as a word or letter, in any case.

    Numbers and truth values mean opposite things in different tables (``male=1`` in RSNA, ``female=1``
    elsewhere), so they are refused here; `parse_male_flag` reads a column whose name says what it holds.

    Raises:
        ValueError: the text is empty or is none of the known words. Sex is never guessed.
    """
    word = str(text).strip().lower()
    for sex, words in _WORDS.items():
        if word in words:
            return sex
    raise ValueError(f"sex {text!r} is not one of F, M (also female/male, girl/boy, w)")


def parse_male_flag(text: str) -> Sex:
    """Read a cell of a column that is named ``male``: true or 1 is a boy, false or 0 a girl.

    Raises:
        ValueError: the cell is empty or anything else.
    """
    flag = str(text).strip().lower()
    if flag in {"true", "1", "1.0", "yes"}:
        return Sex.MALE
    if flag in {"false", "0", "0.0", "no"}:
        return Sex.FEMALE
    raise ValueError(f"male flag {text!r} is not one of True/False, 1/0, yes/no")
