import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from boneage_kedro.imaging.store import (
    ImageStore,
    ImageStoreWriter,
    StoreEntry,
    StoreHeader,
    StoreInUse,
    StoreMissing,
    read_state,
)

HEADER = StoreHeader(8, {"crop": True})


def picture(value: int) -> np.ndarray:
    return np.full((8, 8), value, np.uint8)


def write(folder: Path, *entries: StoreEntry, header: StoreHeader = HEADER, finish: bool = True) -> None:
    with ImageStoreWriter(folder, header) as writer:
        writer.append(entries)
        if finish:
            writer.finish()


def test_pictures_records_and_failures_come_back(tmp_path: Path) -> None:
    write(
        tmp_path,
        StoreEntry("b", "1-1", picture(2), {"inverted": True}),
        StoreEntry("bad", "1-2", failure="not a picture", record={"file": "x/bad.png"}),
        StoreEntry("a", "1-3", picture(1), {"inverted": False}),
    )
    store = ImageStore(tmp_path)
    assert store.ids == ["a", "b"]
    assert (store.pixels[store.rows(["b", "a"])] == np.stack([picture(2), picture(1)])).all()
    assert store.index["inverted"].tolist() == [False, True]
    assert store.failures.values.tolist() == [["bad", "not a picture", "x/bad.png"]]
    assert not store.pixels.flags.writeable


def test_rows_names_the_missing_ids_and_the_pipeline(tmp_path: Path) -> None:
    write(tmp_path, StoreEntry("a", "1", picture(1)))
    store = ImageStore(tmp_path)
    for asked in (store.rows, store.fingerprint):
        with pytest.raises(LookupError, match=r"1 of 2 cases .*'zz'.* data_prep"):
            asked(["a", "zz"])


def test_a_changed_file_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    write(tmp_path, StoreEntry("a", "1", picture(1)))
    assert read_state(tmp_path).sources == {"a": "1"}
    write(tmp_path, StoreEntry("a", "2", picture(9)))
    store = ImageStore(tmp_path)
    assert store.pixels[store.rows(["a"])].max() == 9
    assert len(store) == 1


def test_other_settings_begin_the_store_anew(tmp_path: Path) -> None:
    write(tmp_path, StoreEntry("a", "1", picture(1)))
    other = StoreHeader(8, {"crop": False})
    assert read_state(tmp_path).header == HEADER
    write(tmp_path, StoreEntry("b", "1", picture(2)), header=other)
    assert ImageStore(tmp_path).ids == ["b"]


def test_an_unfinished_store_is_not_read_but_its_state_is(tmp_path: Path) -> None:
    with pytest.raises(StoreMissing, match="no finished image store"):
        ImageStore(tmp_path)
    write(tmp_path, StoreEntry("a", "1", picture(1)), finish=False)
    with pytest.raises(StoreMissing):
        ImageStore(tmp_path)
    assert read_state(tmp_path).sources == {"a": "1"}


def test_reopening_a_finished_store_unfinishes_it(tmp_path: Path) -> None:
    write(tmp_path, StoreEntry("a", "1", picture(1)))
    write(tmp_path, StoreEntry("b", "1", picture(1)), finish=False)
    with pytest.raises(StoreMissing):
        ImageStore(tmp_path)


@pytest.mark.parametrize(
    "torn", ['{"id": "b", "row"', '{"id": "b", "source": "1", "row": 1, "digest": "x"}\n']
)
def test_what_a_kill_left_half_done_is_cut_off(tmp_path: Path, torn: str) -> None:
    """A torn line, and a whole line whose pixels never reached the disk."""
    write(tmp_path, StoreEntry("a", "1", picture(1)), finish=False)
    with (tmp_path / "ledger.jsonl").open("a") as ledger:
        ledger.write(torn)
    with (tmp_path / "pixels.u8").open("ab") as pixels:
        pixels.write(b"\x07" * 10)
    write(tmp_path, StoreEntry("b", "1", picture(2)))
    store = ImageStore(tmp_path)
    assert store.ids == ["a", "b"]
    assert store.pixels.shape == (2, 8, 8)
    assert store.pixels[store.rows(["b"])].min() == 2


def test_only_one_may_write(tmp_path: Path) -> None:
    with ImageStoreWriter(tmp_path, HEADER), pytest.raises(StoreInUse, match="another process"):
        ImageStoreWriter(tmp_path, HEADER)
    ImageStoreWriter(tmp_path, HEADER).close()


def test_a_picture_of_another_size_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"case a: the store takes \(8, 8\) uint8"):
        write(tmp_path, StoreEntry("a", "1", np.zeros((9, 8), np.uint8)))
    with pytest.raises(ValueError, match="float32"):
        write(tmp_path, StoreEntry("a", "1", np.zeros((8, 8), np.float32)))


def test_fingerprint_depends_on_pictures_alone(tmp_path: Path) -> None:
    first, second = StoreEntry("a", "1", picture(1)), StoreEntry("b", "1", picture(2))
    write(tmp_path / "x", first, second)
    write(tmp_path / "y", second, StoreEntry("a", "other time", picture(1)))
    write(tmp_path / "z", first, StoreEntry("b", "1", picture(3)))
    x, y, z = (ImageStore(tmp_path / name).fingerprint(["a", "b"]) for name in "xyz")
    assert x == y != z
    assert ImageStore(tmp_path / "z").fingerprint(["a"]) == ImageStore(tmp_path / "x").fingerprint(["a"])


def test_failures_are_tried_again_and_written_down_once(tmp_path: Path) -> None:
    for _ in range(2):
        write(tmp_path, StoreEntry("a", "1", failure="cut short"))
        assert read_state(tmp_path).sources == {}
    assert len((tmp_path / "ledger.jsonl").read_text().splitlines()) == 1
    write(tmp_path, StoreEntry("a", "2", picture(3)))
    assert ImageStore(tmp_path).ids == ["a"]
    assert ImageStore(tmp_path).failures.empty
    write(tmp_path, StoreEntry("a", "3", failure="cut short"))
    assert ImageStore(tmp_path).ids == []


def test_other_code_begins_the_store_anew(tmp_path: Path) -> None:
    write(tmp_path, StoreEntry("a", "1", picture(1)))
    write(tmp_path, StoreEntry("b", "1", picture(2)), header=StoreHeader(8, {"crop": True}, code="newer"))
    assert ImageStore(tmp_path).ids == ["b"]


def test_an_empty_store_is_whole(tmp_path: Path) -> None:
    write(tmp_path)
    store = ImageStore(tmp_path)
    assert len(store) == 0
    assert store.pixels.shape == (0, 8, 8)
    assert store.index.columns.tolist() == ["id", "row", "file"]
    assert store.failures.empty


KILLED = """
import os, signal, sys
from pathlib import Path
import numpy as np
from boneage_kedro.imaging.store import ImageStoreWriter, StoreEntry, StoreHeader, read_state
folder, count, kill_at = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
header = StoreHeader(64, {})
state = read_state(folder)
with ImageStoreWriter(folder, header) as writer:
    for i in range(count):
        if f"c{i}" in state.sources:
            continue
        if i == kill_at:
            writer._pixels.write(b"half a picture"); writer._pixels.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        writer.append([StoreEntry(f"c{i}", "s", np.full((64, 64), i, np.uint8), {"i": i})])
    writer.finish()
"""


def test_a_killed_writer_is_followed_by_one_that_ends_with_the_same_bytes(tmp_path: Path) -> None:
    def run(folder: Path, kill_at: int) -> int:
        command = [sys.executable, "-c", KILLED, str(folder), "40", str(kill_at)]
        return subprocess.run(command, check=False, env=os.environ).returncode

    assert run(tmp_path / "whole", -1) == 0
    assert run(tmp_path / "broken", 17) == -signal.SIGKILL
    assert run(tmp_path / "broken", 31) == -signal.SIGKILL
    assert run(tmp_path / "broken", -1) == 0
    for name in ("pixels.u8", "ledger.jsonl", "store.json"):
        assert (tmp_path / "broken" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert json.loads((tmp_path / "whole" / "store.json").read_text())["canvas_px"] == 64
