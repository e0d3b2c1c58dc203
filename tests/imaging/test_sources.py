import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from boneage_kedro.imaging.ingest import read_content
from boneage_kedro.imaging.radiograph import UnreadableRadiograph
from boneage_kedro.imaging.reading import MAX_FILE_BYTES
from boneage_kedro.imaging.sources import RadiographFolder


def test_nested_folders_are_searched_and_other_files_passed_over(tmp_path: Path) -> None:
    nested = tmp_path / "training" / "training"
    nested.mkdir(parents=True)
    (nested / "0012.png").write_bytes(b"x")
    (tmp_path / "13.JPG").write_bytes(b"y")
    for dicom in ("dicom_without_suffix", "1.2.840.113"):
        (tmp_path / dicom).write_bytes(b"\0" * 128 + b"DICM")
    for other in ("notes.txt", "LICENSE", "._13.jpg", ".DS_Store", "short"):
        (tmp_path / other).write_bytes(b"z")
    folder = RadiographFolder(tmp_path)
    assert list(folder) == ["0012", "1.2.840.113", "13", "dicom_without_suffix"]
    assert folder["0012"].name == "training/training/0012.png"
    assert folder["13"].read_bytes() == b"y"


def test_what_runs_have_written_below_is_passed_over(tmp_path: Path) -> None:
    for name in ("a.png", "out/overlays/a.png", "out/overlays/.written_by_runs"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    found = RadiographFolder(tmp_path)
    assert list(found) == ["a"]
    assert not found.duplicates
    assert list(RadiographFolder(tmp_path / "out" / "overlays")) == ["a"]  # who names the folder means it


def test_two_files_of_one_id_are_told(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "7.png").write_bytes(b"first")
    (tmp_path / "b" / "7.jpg").write_bytes(b"second")
    folder = RadiographFolder(tmp_path)
    assert folder.duplicates == {"7": ["7.png", "b/7.jpg"]}
    assert folder["7"].read_bytes() == b"first"
    assert RadiographFolder(tmp_path, exclude=["b"]).duplicates == {}


def test_fingerprint_changes_with_the_file(tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    file.write_bytes(b"one")
    before = RadiographFolder(tmp_path)["a"].fingerprint
    assert RadiographFolder(tmp_path)["a"].fingerprint == before
    file.touch()
    assert RadiographFolder(tmp_path)["a"].fingerprint == before
    file.write_bytes(b"two")
    assert RadiographFolder(tmp_path)["a"].fingerprint != before


def test_a_zip_archive_is_read_by_many_threads(tmp_path: Path) -> None:
    archive = tmp_path / "hands.zip"
    contents = {str(i): bytes([i]) * 50_000 for i in range(60)}
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as opened:
        for key, content in contents.items():
            opened.writestr(f"hands/{key}.jpg", content)
        opened.writestr("hands/readme.txt", "no")
    folder = RadiographFolder(archive)
    assert set(folder) == set(contents)
    with ThreadPoolExecutor(8) as pool:
        read = dict(zip(folder, pool.map(lambda key: folder[key].read_bytes(), folder), strict=True))
    assert read == contents
    unpacked = tmp_path / "unpacked"
    zipfile.ZipFile(archive).extractall(unpacked)
    assert all(folder[key].fingerprint == RadiographFolder(unpacked)[key].fingerprint for key in ("0", "59"))


def test_a_wrong_path_says_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no such folder"):
        RadiographFolder(tmp_path / "nowhere")
    (tmp_path / "labels.csv").write_text("id")
    with pytest.raises(ValueError, match="neither a folder nor a zip"):
        RadiographFolder(tmp_path / "labels.csv")


def archive_of_two(tmp_path: Path) -> tuple[Path, int]:
    """An archive of two radiographs, and where the packed bytes of the first begin."""
    archive = tmp_path / "hands.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("a.png", bytes(range(256)) * 40)
        opened.writestr("b.png", b"whole")
    return archive, 30 + len("a.png")


@pytest.mark.parametrize(
    ("at", "value"),
    [
        (0, 0xFF),  # no such kind of block: zlib.error
        (-35, 0),  # the signature before the member: BadZipFile
        (40, 0x55),  # the checksum, or a code that is none
    ],
)
def test_a_damaged_member_of_an_archive_is_refused_by_itself(tmp_path: Path, at: int, value: int) -> None:
    archive, begin = archive_of_two(tmp_path)
    data = bytearray(archive.read_bytes())
    data[begin + at] = value
    archive.write_bytes(data)
    folder = RadiographFolder(archive)
    with pytest.raises(UnreadableRadiograph, match=r"^a\.png: .*copy it again"):
        read_content(folder["a"])
    assert read_content(folder["b"]) == b"whole"


@pytest.mark.parametrize(("field", "value"), [(8, 99), (6, 1)])
def test_a_member_packed_in_an_unknown_way_or_encrypted_is_refused(
    tmp_path: Path, field: int, value: int
) -> None:
    archive, _ = archive_of_two(tmp_path)
    data = bytearray(archive.read_bytes())
    data[data.index(b"PK\x01\x02") + 2 + field] = value  # in the directory
    data[field] = value
    archive.write_bytes(data)
    with pytest.raises(UnreadableRadiograph, match=r"^a\.png: "):
        read_content(RadiographFolder(archive)["a"])


def test_a_file_too_large_for_a_radiograph_is_refused_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (tmp_path / "film.png").open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)  # takes no room on the disk
    with pytest.raises(UnreadableRadiograph, match=r"^film\.png: is 1\.1 GB, too large"):
        read_content(RadiographFolder(tmp_path)["film"])
    archive, _ = archive_of_two(tmp_path)
    monkeypatch.setattr("boneage_kedro.imaging.reading.MAX_FILE_BYTES", 100)
    folder = RadiographFolder(archive)
    with pytest.raises(UnreadableRadiograph, match=r"^a\.png: .*too large"):
        read_content(folder["a"])
    assert read_content(folder["b"]) == b"whole"
