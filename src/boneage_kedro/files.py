"""Files that outlive a kill: replaced as a whole, or grown line by line."""

from pathlib import Path

WRITTEN_BY_RUNS = ".written_by_runs"  # lists in a folder what runs have written there
DRAFT_SUFFIX = ".draft"  # of a file not yet whole; a kill may leave one behind


def replace_text(file: Path, text: str) -> None:
    """Write a file so that a kill leaves the old one or the new one, never half of it."""
    replace_bytes(file, text.encode())


def replace_bytes(file: Path, content: bytes) -> None:
    """As `replace_text`, for any content."""
    draft = file.with_name(file.name + DRAFT_SUFFIX)
    draft.write_bytes(content)
    draft.replace(file)


def read_whole_lines(file: Path) -> list[str]:
    """The lines of a ledger, none if it is absent; what follows the last line break was torn by a kill."""
    if not file.exists():
        return []
    text = file.read_text(encoding="utf-8")
    return text[: text.rfind("\n") + 1].splitlines()
