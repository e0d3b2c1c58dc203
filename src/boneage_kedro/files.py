"""Files that outlive a kill: replaced as a whole, or grown line by line."""

from pathlib import Path


def replace_text(file: Path, text: str) -> None:
    """Write a file so that a kill leaves the old one or the new one, never half of it."""
    draft = file.with_name(file.name + ".draft")
    draft.write_text(text, encoding="utf-8")
    draft.replace(file)


def read_whole_lines(file: Path) -> list[str]:
    """The lines of a ledger, none if it is absent; what follows the last line break was torn by a kill."""
    if not file.exists():
        return []
    text = file.read_text(encoding="utf-8")
    return text[: text.rfind("\n") + 1].splitlines()
