import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

from boneage_kedro.cohort.sex import Sex
from boneage_kedro.cohort.tables import read_case_table
from boneage_kedro.handover.package import (
    MANIFEST,
    ModelPackage,
    Network,
    UnusablePackage,
    load_package,
    write_package,
)
from boneage_kedro.imaging.sources import MemorySource, Radiographs
from boneage_kedro.masks.drawn.answers import encode_png
from boneage_kedro.phantom import fabricate_hand
from boneage_kedro.reading.case_opening import Reading


@pytest.fixture
def folder(tmp_path: Path, package: ModelPackage) -> Path:
    write_package(
        tmp_path / "package", replace(package, documents={"README.md": b"# A model"}, mlflow_run="7")
    )
    return tmp_path / "package"


def read_one(package: ModelPackage, parameters: dict[str, Any]) -> Reading:
    cases = read_case_table(pd.DataFrame({"id": ["h"], "sex": ["M"]}, dtype=str))
    hand = MemorySource("h.png", encode_png(fabricate_hand(100, Sex.MALE, 1, 160).image))
    ((reading,),) = package.assessor(parameters["assess"]).read(cases, Radiographs([hand], "memory"))
    return reading


def test_a_package_comes_back_as_it_was_written_and_reads_the_same_age(
    folder: Path, package: ModelPackage, parameters: dict[str, Any]
) -> None:
    loaded = load_package(folder)
    assert loaded.network == package.network
    assert loaded.age.settings == package.age.settings
    assert loaded.intervals == package.intervals
    assert loaded.documents == {"README.md": b"# A model"}
    assert loaded.mlflow_run == "7"
    assert loaded.familiarity.weights.keys() == package.familiarity.weights.keys()
    for name, value in loaded.familiarity.weights.items():
        assert torch.equal(value, package.familiarity.weights[name])
    ages = [model.result(read_one(model, parameters)).row()["bone_age_months"] for model in (loaded, package)]
    assert ages[0] == ages[1]


def test_the_folder_holds_safetensors_json_and_documents_alone(folder: Path) -> None:
    assert sorted(file.name for file in folder.iterdir()) == [
        "README.md",
        "age.json",
        "age.safetensors",
        "familiarity.json",
        "familiarity.safetensors",
        "intervals.json",
        "package.json",
    ]


def test_a_later_package_takes_the_place_of_an_earlier_one(folder: Path, package: ModelPackage) -> None:
    write_package(folder, package)
    assert load_package(folder).documents == {}
    assert not (folder / "README.md").exists()
    assert [other.name for other in folder.parent.iterdir()] == ["package"]


def test_a_folder_of_other_things_is_not_written_over(tmp_path: Path, package: ModelPackage) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(FileExistsError, match="holds other files than a package"):
        write_package(tmp_path, package)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_a_missing_and_a_changed_file_are_both_named(folder: Path) -> None:
    (folder / "age.json").unlink()
    content = bytearray((folder / "familiarity.safetensors").read_bytes())
    content[-1] ^= 1
    (folder / "familiarity.safetensors").write_bytes(content)
    with pytest.raises(UnusablePackage) as error:
        load_package(folder)
    assert "age.json is missing; familiarity.safetensors is not as it was written; copy" in str(error.value)


def edit(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], object]:
    def of_manifest(file: Path) -> None:
        manifest = json.loads(file.read_text())
        change(manifest)
        file.write_text(json.dumps(manifest))

    return of_manifest


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (Path.unlink, "holds no package of a model .package.json is missing.; make one"),
        (lambda file: file.write_text("{"), "package.json is damaged .Invalid JSON"),
        (edit(lambda m: m.pop("files")), "package.json is damaged .Field required"),
        (edit(lambda m: m.update(format=3)), "knows no format 3; bring it up to date"),
        (edit(lambda m: m.update(masks=["wing"])), "knows no masks of wing"),
        (edit(lambda m: m["files"].pop("age.json")), "does not list 'age.json'"),
        (
            edit(lambda m: m["files"].update({"../age.json": m["files"]["intervals.json"]})),
            "../age.json is not as",
        ),
        (edit(lambda m: m.update(network="another")), "is that of another network than the weights"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(
    folder: Path, damage: Callable[[Path], object], reason: str
) -> None:
    damage(folder / MANIFEST)
    with pytest.raises(UnusablePackage, match=reason):
        load_package(folder)


def test_what_is_known_of_another_network_is_not_packed(tmp_path: Path, package: ModelPackage) -> None:
    other = {**package.age.weights, "head.bias": torch.ones(2)}
    mixed = replace(package, age=Network(other, package.age.settings))
    with pytest.raises(ValueError, match="ptl_intervals belongs to another network"):
        write_package(tmp_path / "package", mixed)
    assert not (tmp_path / "package").exists()
