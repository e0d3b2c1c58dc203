"""Fingerprints of code: what they cover."""

from pathlib import Path

import pytest

from boneage_kedro import provenance


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "fit" / "ages").mkdir(parents=True)
    (tmp_path / "fit" / "loop.py").write_text("1")
    (tmp_path / "fit" / "ages" / "task.py").write_text("2")
    monkeypatch.setattr(provenance, "files", lambda _: tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("package", "changed", "counts"),
    [
        ("fit", "fit/ages/task.py", True),
        ("fit", "fit/loop.py", True),
        ("fit/*", "fit/loop.py", True),
        ("fit/*", "fit/ages/task.py", False),
        ("fit/ages", "fit/ages/task.py", True),
        ("fit/ages", "fit/loop.py", False),
    ],
)
def test_code_of_a_package_counts_with_or_without_what_is_in_it(
    project: Path, package: str, changed: str, counts: bool
) -> None:
    fingerprint_code = (
        provenance.fingerprint_code.__wrapped__
    )  # what is kept for a run is not to be kept here
    before = fingerprint_code(package)
    (project / changed).write_text("changed")
    assert (fingerprint_code(package) != before) == counts
