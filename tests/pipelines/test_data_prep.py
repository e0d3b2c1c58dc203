"""`data_prep` through Kedro's runner, on files that the test writes: good ones, broken ones, and none."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner
from kedro_datasets.pandas import ParquetDataset

from boneage_kedro.cohort.sex import Sex
from boneage_kedro.datasets import ImageStoreDataset, ImageStoreStateDataset, RadiographFolderDataset
from boneage_kedro.phantom import fabricate_hand
from boneage_kedro.pipelines.data_prep import create_pipeline
from boneage_kedro.pipelines.data_prep.nodes import split_cases

TABLES = ("cases", "splits", "image_index", "validation_findings", "validation_report@table")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twelve phantoms, a file cut in half, a text, a file without label, and the same id twice."""
    pictures = tmp_path / "pictures"
    (pictures / "again").mkdir(parents=True)
    for i in range(12):
        hand = fabricate_hand(24 + 14 * i, Sex.FEMALE if i % 2 else Sex.MALE, i, 128)
        cv2.imwrite(str(pictures / f"h{i}.png"), hand.image)
    whole = (pictures / "h0.png").read_bytes()
    (pictures / "cut.png").write_bytes(whole[: len(whole) // 2])
    (pictures / "text.png").write_text("not a picture")
    (pictures / "stranger.png").write_bytes(whole)
    (pictures / "again" / "h3.jpg").write_bytes(whole)
    return pictures


def labels() -> pd.DataFrame:
    rows = [{"id": f"h{i}", "boneage": str(24 + 14 * i), "male": str(i % 2 == 0)} for i in range(12)]
    rows += [
        {"id": "cut", "boneage": "50", "male": "True"},
        {"id": "text", "boneage": "50", "male": "False"},
        {"id": "lost", "boneage": "50", "male": "False"},
        {"id": "h1", "boneage": "99", "male": "False"},
        {"id": "old", "boneage": "900", "male": "False"},
        {"id": "h5", "boneage": rows[5]["boneage"], "male": "False"},
    ]
    rows[7]["male"] = "perhaps"
    return pd.DataFrame(rows, dtype=str)


def run(folder: Path, params: dict[str, Any], raw: pd.DataFrame) -> DataCatalog:
    store = str(folder.parent / "store")
    catalog = DataCatalog(
        {
            "raw_labels@table": MemoryDataset(raw),
            "raw_radiographs@files": RadiographFolderDataset(str(folder)),
            "image_store": ImageStoreDataset(store),
            "image_store_state": ImageStoreStateDataset(store),
            "params:data_prep": MemoryDataset(params),
            "earlier_splits": MemoryDataset(None),
            "params:data_prep.splits": MemoryDataset(params["splits"]),
            **{name: ParquetDataset(filepath=f"{folder.parent}/{name}.parquet") for name in TABLES},
        }
    )
    SequentialRunner().run(create_pipeline(), catalog)
    return catalog


def test_bad_input_is_listed_and_the_good_goes_on(folder: Path, parameters: dict[str, Any]) -> None:
    catalog = run(folder, parameters["data_prep"], labels())
    good = [f"h{i}" for i in (0, 10, 11, 2, 3, 4, 5, 6, 8, 9)]  # h1 has two ages, h7 no sex
    assert catalog.load("cases")["id"].tolist() == good
    counts = catalog.load("validation_report@table").set_index("kind")["count"].to_dict()
    expected = {
        "unreadable_file": 2,
        "unlabelled_image": 1,
        "duplicate_file": 1,
        "missing_image": 2,
        "age_out_of_range": 1,
        "unknown_sex": 1,
    }
    assert {kind: counts.get(kind) for kind in expected} == expected
    findings = catalog.load("validation_findings")
    assert set(findings.loc[findings["kind"] == "unreadable_file", "id"]) == {"cut", "text"}
    assert "h1" in set(findings.loc[findings["kind"] == "duplicate_id", "id"])
    splits = catalog.load("splits")
    assert sorted(splits["id"]) == sorted(good)
    store = catalog.load("image_store")
    side = parameters["data_prep"]["preparation"]["canvas_px"]
    assert store.pixels[store.rows(good)].shape == (10, side, side)
    assert catalog.load("image_index")["id"].tolist() == store.ids


def test_strict_stops_and_says_what_is_wrong(folder: Path, parameters: dict[str, Any]) -> None:
    params = parameters["data_prep"] | {"strict": True}
    with pytest.raises(ValueError, match=r"(?s)strict: \d+ problems .*missing_image: 2 \(lost, old\)"):
        run(folder, params, labels())
    readable = (
        labels().drop_duplicates("id", keep=False).query("id != 'lost' and id != 'old' and male != 'perhaps'")
    )
    (folder / "again" / "h3.jpg").unlink()
    for extra in ("stranger", "h1", "h5", "h7"):
        (folder / f"{extra}.png").unlink()
    with pytest.raises(ValueError, match=r"(?s)unreadable_file: 2 \(cut, text\)"):
        run(folder, params, readable)


def test_a_second_run_reads_only_what_is_new(folder: Path, parameters: dict[str, Any]) -> None:
    params = parameters["data_prep"]
    run(folder, params, labels())
    ledger = folder.parent / "store" / "ledger.jsonl"
    before = ledger.read_text()
    for file in folder.iterdir():
        file.touch()  # what counts is the content
    run(folder, params, labels())
    assert ledger.read_text() == before
    cv2.imwrite(str(folder / "cut.png"), np.full((60, 40), 90, np.uint8))
    catalog = run(folder, params, labels())
    assert "cut" in set(catalog.load("cases")["id"])
    assert ledger.read_text().startswith(before)


def test_other_settings_prepare_everything_again(folder: Path, parameters: dict[str, Any]) -> None:
    params = parameters["data_prep"]
    first = run(folder, params, labels()).load("image_store")
    before = first.fingerprint(["h0"])
    params["preparation"]["high_percentile"] = 90
    assert run(folder, params, labels()).load("image_store").fingerprint(["h0"]) != before


def test_a_file_that_could_not_be_read_once_is_tried_again(
    folder: Path, parameters: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path) -> bytes:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr(Path, "read_bytes", fail)
        with pytest.raises(ValueError, match=r"no case is left"):
            run(folder, parameters["data_prep"], labels())
    assert len(run(folder, parameters["data_prep"], labels()).load("cases")) == 10


def test_too_few_cases_for_every_part_are_refused(folder: Path, parameters: dict[str, Any]) -> None:
    raw = labels().query("id in ('h0', 'h2')")
    with pytest.raises(ValueError, match=r"2 cases leave no patient for .*fractions"):
        run(folder, parameters["data_prep"], raw)


def test_a_split_to_keep_that_is_not_there_is_asked_for(parameters: dict[str, Any]) -> None:
    settings = parameters["data_prep"]["splits"] | {"keep_from": "rsna"}
    with pytest.raises(ValueError, match="kedro run --env=rsna --pipelines=data_prep first"):
        split_cases(pd.DataFrame(), None, settings)


def test_cases_of_another_run_can_be_left_out(parameters: dict[str, Any]) -> None:
    ids = [f"h{number}" for number in range(40)]
    cases = pd.DataFrame({"id": ids, "patient_id": ids, "sex": "F", "bone_age_months": 100.0})
    earlier = pd.DataFrame({"id": ids[:3], "split": ["train", "test", "test"]})
    settings = parameters["data_prep"]["splits"] | {"keep_from": "rsna", "shared_cases": "leave_out"}
    parts = split_cases(cases, earlier, settings).set_index("id")["split"]
    assert set(parts[ids[:3]]) == {"unused"}
    assert set(parts[ids[3:]]) >= {"train", "test"}


def test_no_good_case_stops_with_a_reason(folder: Path, parameters: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"(?s)no case is left.*unreadable_file: 1 \(cut\)"):
        run(
            folder,
            parameters["data_prep"],
            pd.DataFrame({"id": ["cut"], "boneage": ["50"], "male": ["True"]}),
        )
