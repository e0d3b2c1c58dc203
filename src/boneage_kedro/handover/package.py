"""All that reads a bone age, and its folder to hand over: safetensors and JSON, under a manifest of hashes."""

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import version
from math import nan
from pathlib import Path, PurePath
from typing import Any, NamedTuple

import torch
from pydantic import TypeAdapter, ValidationError
from safetensors.torch import load, save
from torch import Tensor
from typing_extensions import TypedDict

from boneage_kedro.evaluation.clinical.case_result import CaseResult
from boneage_kedro.reading.age_pictures import check_picture_networks
from boneage_kedro.reading.assessment import Assessor
from boneage_kedro.reading.case_opening import Reading
from boneage_kedro.reading.forearm_reader import ForearmReader
from boneage_kedro.reading.hand_reader import HandReader
from boneage_kedro.reading.mask_readers import MaskReader, PhalanxReader
from boneage_kedro.reading.reliability import Reliability, fingerprint_network
from boneage_kedro.reading.settings import AssessSettings
from boneage_kedro.training.ages.regression import images_in
from boneage_kedro.training.device import device_of

MANIFEST = "package.json"
FORMAT = 2
"""Of the folder; one more for each change that an older program cannot read. Networks of 1 read whole pictures."""

READERS: Mapping[str, type[PhalanxReader] | type[HandReader] | type[ForearmReader]] = {
    reader.kind: reader for reader in (PhalanxReader, HandReader, ForearmReader)
}
"""What can be masked, by the kind that names its files."""


class UnusablePackage(ValueError):
    """A folder that is no whole package of a model; the message names it and says what to do."""


class Network(NamedTuple):
    """A trained network: its weights, and the settings that build it again, as JSON holds them."""

    weights: Mapping[str, Tensor]
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class ModelPackage:
    """A model that reads bone ages, with all that its readings depend on.

    Attributes:
        age: the network that reads the age; its settings hold the preparation of pictures.
        familiarity: the state of its `boneage_kedro.models.feature_distance.FeatureDistance`, and figures of it.
        intervals: its calibration, as `boneage_kedro.evaluation.ages.intervals.IntervalCalibration` describes itself.
        masks: networks by what they mask, a key of `READERS`.
        enhancer: with its tiles and its guard, for a network that reads enhanced hands.
        documents: files that come along and that no reading needs, by name: the model card, ONNX.
        mlflow_run: the run that packed it; empty when there was none.
    """

    age: Network
    familiarity: Network
    intervals: Mapping[str, Any]
    masks: Mapping[str, Network] = field(default_factory=dict)
    enhancer: Network | None = None
    documents: Mapping[str, bytes] = field(default_factory=dict)
    mlflow_run: str = ""

    @cached_property
    def network(self) -> str:
        """The fingerprint of the network that reads the age."""
        return fingerprint_network(*self.age)

    @cached_property
    def reliability(self) -> Reliability:
        """What is known of the network.

        Raises:
            ValueError: intervals or familiarity belong to another one.
        """
        return Reliability.of(
            *self.age, self.intervals, dict(self.familiarity.weights), self.familiarity.settings
        )

    def check(self) -> None:
        """See that its parts belong together.

        Raises:
            ValueError: intervals or familiarity belong to another network, or it lacks what makes its pictures.
        """
        _ = self.reliability
        check_picture_networks(self.age.settings, self.masks, self.enhancer)

    def assessor(self, settings: AssessSettings) -> Assessor:
        """Build the networks, ready to read.

        Raises:
            ValueError: as `check`.
        """
        readers = self._readers(device_of(settings["accelerator"]))
        return Assessor(*self.age, self.reliability, settings, readers, self.enhancer)

    def result(self, reading: Reading) -> CaseResult:
        """A reading of its `assessor` in the form that is handed out."""
        return CaseResult(
            id=reading.id,
            sex=reading.sex,
            bone_age_months=reading.bone_age_months,
            lower_months=reading.lower_months,
            upper_months=reading.upper_months,
            coverage=self.intervals["coverage"],
            chronological_age_months=reading.chronological_age_months,
            status=str(reading.status),
            warnings=tuple(reading.warnings),
            hand_score=reading.scores.get("hand", nan),
            model_run_id=self.mlflow_run,
        )

    def _readers(self, device: torch.device) -> list[MaskReader]:
        return [READERS[kind](*network, device) for kind, network in self.masks.items()]


class _File(TypedDict):
    bytes: int
    sha256: str


class _Manifest(TypedDict):
    format: int
    network: str
    mlflow_run: str
    made_with: dict[str, str]
    masks: list[str]
    documents: list[str]
    files: dict[str, _File]


def write_package(folder: Path, package: ModelPackage) -> None:
    """Write a package, in the place of an earlier one, which goes only when all is written.

    Raises:
        ValueError: as `ModelPackage.check`.
        FileExistsError: the folder holds something else.
    """
    package.check()
    if folder.exists() and any(folder.iterdir()) and not (folder / MANIFEST).exists():
        raise FileExistsError(f"{folder} holds other files than a package of a model; name another folder")
    contents = _contents(package)
    made = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir(parents=True)
    for name, content in contents.items():
        (made / name).write_bytes(content)
    (made / MANIFEST).write_bytes(_json(_manifest(package, contents)))
    shutil.rmtree(folder, ignore_errors=True)
    made.rename(folder)


def load_package(folder: Path) -> ModelPackage:
    """Read a package, every file of which is held against the manifest.

    Raises:
        UnusablePackage: there is none, or a file of it is missing or not as it was written, or it is from a later
            version of this program.
        ValueError: as `ModelPackage.check`.
    """
    manifest = _read_manifest(folder)
    contents = _read_files(folder, manifest["files"])

    def network(part: str) -> Network:
        return Network(load(contents[f"{part}.safetensors"]), json.loads(contents[f"{part}.json"]))

    try:
        age = network("age")
        package = ModelPackage(
            age=age,
            familiarity=network("familiarity"),
            intervals=json.loads(contents["intervals.json"]),
            masks={kind: network(kind) for kind in manifest["masks"]},
            enhancer=network("enhancer") if images_in(age.settings) == "enhanced" else None,
            documents={name: contents[name] for name in manifest["documents"]},
            mlflow_run=manifest["mlflow_run"],
        )
    except KeyError as error:
        raise UnusablePackage(
            f"{folder}: {MANIFEST} does not list {error}, which a package needs; {_AGAIN}"
        ) from None
    if package.network != manifest["network"]:
        raise UnusablePackage(f"{folder}: {MANIFEST} is that of another network than the weights; {_AGAIN}")
    package.check()
    return package


_AGAIN = "copy the whole folder again, or make it with kedro run --pipelines=package"


def _contents(package: ModelPackage) -> dict[str, bytes]:
    """The files of a package but for its manifest, by name."""
    networks = {"age": package.age, "familiarity": package.familiarity, **package.masks}
    if package.enhancer:
        networks["enhancer"] = package.enhancer
    contents = dict(package.documents)
    for part, network in networks.items():
        contents[f"{part}.safetensors"] = save(
            {key: value.contiguous() for key, value in network.weights.items()}
        )
        contents[f"{part}.json"] = _json(network.settings)
    return contents | {"intervals.json": _json(package.intervals)}


def _manifest(package: ModelPackage, contents: Mapping[str, bytes]) -> _Manifest:
    return {
        "format": 1 if images_in(package.age.settings) == "whole" else FORMAT,
        "network": package.network,
        "mlflow_run": package.mlflow_run,
        "made_with": {name: version(name) for name in ("boneage-kedro", "torch", "timm")},
        "masks": list(package.masks),
        "documents": list(package.documents),
        "files": {name: _describe(content) for name, content in sorted(contents.items())},
    }


def _describe(content: bytes) -> _File:
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def _json(values: Mapping[str, Any]) -> bytes:
    return json.dumps(values, indent=2).encode() + b"\n"


def _read_manifest(folder: Path) -> _Manifest:
    try:
        found = TypeAdapter(_Manifest).validate_json((folder / MANIFEST).read_bytes(), strict=True)
    except FileNotFoundError as error:
        raise UnusablePackage(
            f"{folder} holds no package of a model ({MANIFEST} is missing); make one with kedro run "
            "--pipelines=package, or name the folder of another"
        ) from error
    except ValidationError as error:
        raise UnusablePackage(
            f"{folder}: {MANIFEST} is damaged ({error.errors()[0]['msg']}); {_AGAIN}"
        ) from error
    later = [f"masks of {kind}" for kind in found["masks"] if kind not in READERS]
    if found["format"] > FORMAT:
        later.append(f"format {found['format']}")
    if later:
        raise UnusablePackage(
            f"{folder}: this version of boneage_kedro knows no {', '.join(later)}; bring it up to date"
        )
    return found


def _read_files(folder: Path, files: Mapping[str, _File]) -> dict[str, bytes]:
    """The content of all files.

    Raises:
        UnusablePackage: says of each that is missing or changed which it is.
    """
    contents, problems = {}, []
    for name, described in files.items():
        path = folder / PurePath(name).name  # a manifest cannot lead out of its folder
        content = path.read_bytes() if path.is_file() else None
        if content is None:
            problems.append(f"{name} is missing")
        elif _describe(content) != described:
            problems.append(f"{name} is not as it was written")
        else:
            contents[name] = content
    if problems:
        raise UnusablePackage(f"{folder}: {'; '.join(problems)}; {_AGAIN}")
    return contents
