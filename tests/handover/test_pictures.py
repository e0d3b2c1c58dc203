"""One age for a radiograph, whole, cut to the hand or enhanced, whether pipelines read it or a package does."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from boneage_kedro.cohort.tables import read_case_table
from boneage_kedro.datasets.resumable_partitions import PartsState
from boneage_kedro.handover.package import MANIFEST, ModelPackage, Network, load_package, write_package
from boneage_kedro.imaging.ingest import ingest, store_header
from boneage_kedro.imaging.sources import MemorySource, RadiographFolder
from boneage_kedro.imaging.store import ImageStore, ImageStoreWriter, StoreChunk, StoreState
from boneage_kedro.pipelines.gan_enhance.methods import enhancer_in_use
from boneage_kedro.pipelines.gan_enhance.nodes import enhance_hands, store_cut_masks
from boneage_kedro.pipelines.hand_active_learning.nodes import predict_hand_masks, store_hands
from boneage_kedro.pipelines.package.nodes import pack_model
from boneage_kedro.pipelines.stress.nodes import run_stress_test
from boneage_kedro.training.ages.pacing import Images
from boneage_kedro.training.ages.regression import check_pictures, predict_cohort
from boneage_kedro.training.checkpoint import CheckpointFile
from tests.conftest import read_parameters
from tests.hand_networks import committee, enhancer
from tests.imaging.files import encoded
from tests.packages import untrained
from tests.ten_files import new_hands, write_files
from tests.training.age_setup import FIT


def _write(folder: Path, chunks: Iterator[StoreChunk]) -> ImageStore:
    for chunk in chunks:
        with ImageStoreWriter(folder, chunk.header) as writer:
            writer.append(chunk.entries)
            if chunk.last:
                writer.finish()
    return ImageStore(folder)


class Pipelines:
    """Ten phantoms as the pipelines make their pictures, by the very nodes, with tiny networks."""

    def __init__(self, folder: Path, parameters: dict[str, Any]) -> None:
        self.folder, self.parameters = folder, deepcopy(parameters)
        self.hands = new_hands()
        self.sources = {
            key: MemorySource(f"{key}.png", encoded(hand, ".png")) for key, hand in self.hands.items()
        }
        (folder / "files").mkdir()
        self.cases = write_files(folder / "files", self.hands).assign(bone_age_months=np.nan)
        self.preparation = parameters["data_prep"]["preparation"]
        chunks = ingest(list(self.hands), self.sources, self.preparation, workers=1)
        header = store_header(self.preparation)
        whole = _write(folder / "images", (replace(chunk, header=header) for chunk in chunks))
        self.stores: dict[Images, ImageStore] = {"whole": whole}
        self._cut()
        self._enhance()

    def _cut(self) -> None:
        params, whole = self.parameters["hand_active_learning"], self.stores["whole"]
        self.committee = committee(self.preparation, params["threshold"], params["limits"])
        *_, (_, quality) = self._masks(params)
        doubts = np.sort(quality.loc[quality["trusted"], "disagreement"])
        params["limits"]["most_disagreement"] = float(doubts[-3:-1].mean())  # some hands are not trusted
        parts = list(self._masks(params))
        masks = {key: mask for part, _ in parts for key, mask in part.items.items()}
        self.predicted = {key: (lambda mask=mask: mask) for key, mask in masks.items()}
        made_by = PartsState(parts[-1][0].made_by)
        self.quality = parts[-1][1]
        chunks = store_hands(self.sources, whole, self.predicted, made_by, self.quality, StoreState(), params)
        self.stores["hand"] = _write(self.folder / "hands", chunks)
        chunks = store_cut_masks(self.stores["hand"], self.predicted, made_by, StoreState())
        self.cut_masks = _write(self.folder / "cut_masks", chunks)

    def _masks(self, params: Any) -> Iterator[Any]:
        return predict_hand_masks(self.stores["whole"], *self.committee, PartsState(), None, params)

    def _enhance(self) -> None:
        params, hands = self.parameters["gan_enhance"], self.stores["hand"]
        limits = params["guard"]["limits"]
        network = enhancer(hands.header.preparation, params["pairs"]["tone"])
        steps = list(enhance_hands(hands, self.cut_masks, *network, limits, StoreState(), None, params))
        self.stores["enhanced"] = _write(self.folder / "enhanced", (chunk for chunk, _ in steps))
        self.fidelity = steps[-1][1]
        self.enhancing = [*network, limits, params]

    def networks(self, images: Images) -> tuple[list[Any], list[Any]]:
        """Those that make such pictures: the arguments of nodes for the committee, and for the enhancer."""
        return [*self.committee] if images != "whole" else [], self.enhancing if images == "enhanced" else []

    def judged_network(self, images: Images) -> list[Any]:
        """A network that reads such pictures, and what is known of its ages: the arguments of nodes."""
        age = untrained(self.stores[images].header.preparation, images)
        return [*age.age, age.intervals, *age.familiarity]

    def package(self, images: Images) -> ModelPackage:
        """A network that reads such pictures, as the node packs it."""
        hand, enhancing = self.networks(images)
        return pack_model(
            *self.judged_network(images), None, None, *(hand or [None, None]), None, None, *enhancing
        )

    def ages(self, images: Images) -> np.ndarray:
        """By the network of `package`, as `ptl_regression` predicts them."""
        age = self.package(images).age
        return predict_cohort(self.stores[images], self.cases, dict(age.weights), dict(age.settings), FIT)


@pytest.fixture(scope="module")
def pipelines(tmp_path_factory: pytest.TempPathFactory) -> Pipelines:
    return Pipelines(tmp_path_factory.mktemp("pictures"), read_parameters())


def test_the_pictures_are_three_kinds_with_some_that_are_not_trusted(pipelines: Pipelines) -> None:
    hands = pipelines.stores["hand"]
    cut = [key for key in hands.ids if hands.record(key)["cut"]]
    assert 3 <= len(cut) < len(hands.ids)
    for key in cut:
        height, width = hands.record(key)["source_shape"]
        part = hands.record(key)["crop"]
        assert (part["right"] - part["left"]) * (part["bottom"] - part["top"]) < 0.9 * height * width
    assert pipelines.fidelity["used"].any()
    ages = np.stack([pipelines.ages(images) for images in pipelines.stores])
    assert np.abs(np.diff(ages, axis=0)).max(1).min() > 1
    assert np.ptp(ages, axis=1).min() > 1


@pytest.mark.parametrize("images", ["whole", "hand", "enhanced"])
def test_new_files_have_the_ages_of_the_batch_evaluation(
    pipelines: Pipelines, images: Images, tmp_path: Path
) -> None:
    write_package(tmp_path / "package", pipelines.package(images))
    assessor = load_package(tmp_path / "package").assessor(pipelines.parameters["assess"] | {"batch_size": 4})
    cases = read_case_table(pipelines.cases[["id", "sex"]])
    readings = [
        one for batch in assessor.read(cases, RadiographFolder(pipelines.folder / "files")) for one in batch
    ]
    assert [one.id for one in readings] == list(pipelines.hands)
    np.testing.assert_allclose([one.bone_age_months for one in readings], pipelines.ages(images), atol=0.01)


@pytest.mark.parametrize("images", ["whole", "hand", "enhanced"])
def test_an_unchanged_picture_under_stress_has_that_age_too(
    pipelines: Pipelines, images: Images, tmp_path: Path
) -> None:
    hand, enhancing = pipelines.networks(images)
    network, checkpoint = pipelines.judged_network(images), CheckpointFile(tmp_path / "stress.pt")
    params = pipelines.parameters["stress"]
    tables = run_stress_test(
        pipelines.cases, pipelines.sources, *network, checkpoint, FIT, params, *hand, *enhancing
    )
    np.testing.assert_allclose(next(tables)["predicted_months"], pipelines.ages(images), atol=0.01)


@pytest.mark.parametrize(("images", "number"), [("whole", 1), ("hand", 2), ("enhanced", 2)])
def test_only_a_package_that_older_programs_would_misread_is_of_the_later_format(
    pipelines: Pipelines, images: Images, number: int, tmp_path: Path
) -> None:
    write_package(tmp_path / "package", pipelines.package(images))
    assert f'"format": {number},' in (tmp_path / "package" / MANIFEST).read_text()
    assert (tmp_path / "package" / "enhancer.safetensors").exists() == (images == "enhanced")


def test_a_package_lacks_nothing_that_its_pictures_need(pipelines: Pipelines, tmp_path: Path) -> None:
    whole = pipelines.package("enhanced")
    without_hands, without_enhancer = replace(whole, masks={}), replace(whole, enhancer=None)
    other = Network({**whole.enhancer.weights, "network.head.bias": torch.ones(1)}, whole.enhancer.settings)
    for package, reason in (
        (
            without_hands,
            "reads pictures of the kind enhanced.* no networks that mask hands.*hand_active_learning",
        ),
        (
            without_enhancer,
            "no enhancer; set ptl_regression.images: enhanced and run the pipeline gan_enhance",
        ),
        (replace(whole, enhancer=other), "the enhancer or its guard is another than when it learnt"),
    ):
        with pytest.raises(ValueError, match=reason):
            write_package(tmp_path / "package", package)
        with pytest.raises(ValueError, match=reason):
            package.assessor(pipelines.parameters["assess"])
    assert not (tmp_path / "package").exists()


def test_another_guard_makes_another_enhancer(pipelines: Pipelines) -> None:
    weights, settings, limits, params = pipelines.enhancing
    strict = enhancer_in_use(weights, settings, {**limits, "least_structure": 0.99}, params)
    with pytest.raises(ValueError, match="the enhancer or its guard is another"):
        replace(pipelines.package("enhanced"), enhancer=Network(*strict)).check()


def test_stress_is_not_run_on_pictures_of_another_kind(pipelines: Pipelines, tmp_path: Path) -> None:
    network, checkpoint = pipelines.judged_network("hand"), CheckpointFile(tmp_path / "stress.pt")
    tables = run_stress_test(
        pipelines.cases, pipelines.sources, *network, checkpoint, FIT, pipelines.parameters["stress"]
    )
    with pytest.raises(ValueError, match=r"no networks that mask hands; set ptl_regression\.images: hand"):
        next(tables)


def test_a_network_is_not_given_pictures_of_another_kind(pipelines: Pipelines) -> None:
    ids = list(pipelines.hands)
    settings = {"images": "hand", "data_fingerprint": pipelines.stores["hand"].fingerprint(ids)}
    check_pictures(pipelines.stores["hand"], ids, settings)
    with pytest.raises(ValueError, match="other pictures than these, of the kind hand; name that kind"):
        check_pictures(pipelines.stores["whole"], ids, settings)
