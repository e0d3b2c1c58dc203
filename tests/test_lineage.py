"""The record of how results were made."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from boneage_kedro.lineage import ABSENT, Lineage, Making, changes_since, stamp_files

CUT = Making("cut", {"params:crop": "small"}, {})
LEARNT = Making("learn", {"params:fit": "short"}, {"cut": CUT.stamp})
READ = Making("read", {}, {"learnt": LEARNT.stamp, "labels.csv": "external"})
MADE = {"cut": CUT, "learnt": LEARNT, "read": READ}
NOW = {"params:crop": "small", "params:fit": "short"}


def test_a_record_is_read_as_it_was_written_and_forgets_one_place(tmp_path: Path) -> None:
    record = Lineage(tmp_path / "deep" / "lineage.json")
    assert record.read() == {}
    record.add({"cut": CUT})
    record.add({"learnt": LEARNT, "read": READ})
    record.forget("cut")
    record.forget("never made")
    assert Lineage(tmp_path / "deep" / "lineage.json").read() == {"learnt": LEARNT, "read": READ}


def test_what_runs_side_by_side_enter_is_kept(tmp_path: Path) -> None:
    def enter(run: int) -> None:
        record = Lineage(tmp_path / "lineage.json")
        for number in range(20):
            record.add({f"{run} {number}": CUT})

    with ThreadPoolExecutor(4) as runs:
        list(runs.map(enter, range(4)))
    assert len(Lineage(tmp_path / "lineage.json").read()) == 80


def test_a_stamp_follows_node_parameters_and_inputs_alone() -> None:
    assert Making("cut", {"params:crop": "small"}, {}).stamp == CUT.stamp
    others = [Making("carve", CUT.parameters, {}), Making("cut", {"params:crop": "large"}, {})]
    assert len({CUT.stamp, *(other.stamp for other in others)}) == 3
    assert Making("learn", LEARNT.parameters, {"cut": others[1].stamp}).stamp != LEARNT.stamp


def test_causes_are_found_however_far_back() -> None:
    assert changes_since("read", MADE, NOW) == set()
    assert changes_since("read", MADE, NOW | {"params:crop": "large"}) == {"params:crop"}
    assert changes_since("cut", MADE, NOW | {"params:fit": "long"}) == set()
    assert changes_since("learnt", MADE, {"params:crop": "small"}) == {"params:fit"}  # it is gone
    again = MADE | {"cut": Making("cut", {"params:crop": "large"}, {})}
    assert changes_since("read", again, NOW | {"params:crop": "large"}) == {"cut"}


def test_files_are_known_by_content_and_folders_by_names_sizes_and_times(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "inner" / "file.txt"
    assert stamp_files(file) == ABSENT
    file.parent.mkdir(parents=True)
    file.write_text("one")
    of_file, of_folder = stamp_files(file), stamp_files(tmp_path / "folder")
    os.utime(file, (1, 1))
    assert stamp_files(file) == of_file
    assert stamp_files(tmp_path / "folder") != of_folder
    file.write_text("two")
    assert stamp_files(file) != of_file
