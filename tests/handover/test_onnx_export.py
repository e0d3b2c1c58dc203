import numpy as np
import onnx
import pytest

from boneage_kedro.handover.onnx_export import export_onnx, measure_parity
from boneage_kedro.handover.package import ModelPackage, Network
from boneage_kedro.training.ages.settings import ViewSettings
from boneage_kedro.training.batches import AgeSamples

from ..packages import untrained


@pytest.fixture
def samples() -> AgeSamples:
    """Five pictures of noise, which no layer passes by."""
    pixels = np.random.default_rng(0).integers(0, 256, (5, 64, 64), np.uint8)
    is_male = np.array([True, False, False, True, True])
    return AgeSamples(pixels, np.arange(5), list("abcde"), is_male, np.full(5, np.nan), 64)


@pytest.fixture(scope="module")
def package() -> ModelPackage:
    return untrained({})


@pytest.fixture(scope="module")
def exported(package: ModelPackage) -> bytes:
    return export_onnx(package.age)


def test_onnx_runtime_gives_the_ages_and_maps_of_torch_for_any_number_of_pictures(
    package: ModelPackage, exported: bytes, samples: AgeSamples
) -> None:
    assert max(measure_parity(exported, package.age, samples)) < 1e-2
    model = onnx.load_from_string(exported)
    assert {item.key: item.value for item in model.metadata_props}["network"] == package.network
    assert b".py" not in exported  # no path of the machine it was made on


def test_the_file_of_another_network_is_told(exported: bytes, samples: AgeSamples) -> None:
    other = untrained({}, age_mean_months=90.0)
    assert measure_parity(exported, other.age, samples).age_months == pytest.approx(10, abs=0.1)


@pytest.mark.parametrize(
    ("views", "bin_months"),
    [
        ({"flip": True, "rotations_deg": [0, 90, -15]}, 12),
        ({"flip": False, "rotations_deg": [-5, 5]}, None),
    ],
)
def test_turned_and_mirrored_views_and_a_probability_for_each_age_are_exported_too(
    samples: AgeSamples, views: ViewSettings, bin_months: float | None
) -> None:
    plain = untrained({}, bin_months=bin_months).age
    viewed = Network(plain.weights, {**plain.settings, "views": views})
    exported = export_onnx(viewed)
    assert max(measure_parity(exported, viewed, samples)) < 1e-2
    assert min(measure_parity(exported, plain, samples)) > 1e-1  # the views do change ages and maps
