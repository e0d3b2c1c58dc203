"""A short run of ``benchmarks/fuzz_inputs.py``: damaged files and tables crash nothing, and no row is lost."""

from pathlib import Path

import pytest

pytest.importorskip("highdicom", reason="highdicom, which writes the DICOM results, is not installed")
from benchmarks.fuzz_inputs import fuzz_assessment, fuzz_files, fuzz_tables


def test_damaged_files_are_read_or_refused_and_keep_their_rows(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    counts = fuzz_files(200, 7, folder)
    assert not [what for what in counts if what.startswith("FAILED")]
    assert counts["files read"] + counts["files refused"] == 200
    assert min(counts["files read"], counts["files refused"], counts["files answered"]) > 10
    assessed = fuzz_assessment(folder, 7)
    assert assessed["assessed failed"] == counts["files refused"]
    assert assessed["assessed ok"] > 10


def test_malformed_tables_are_read_row_by_row_or_refused(tmp_path: Path) -> None:
    counts = fuzz_tables(30, 7, tmp_path)
    assert not [what for what in counts if what.startswith("FAILED")]
    assert min(counts["tables read"], counts["tables refused"], counts["rows ok"]) > 3
