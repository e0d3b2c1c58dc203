from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from boneage_kedro.masks.crf_settings import CrfSettings
from boneage_kedro.masks.dense_crf import refine, refine_exactly
from boneage_kedro.masks.dense_crf.grid import mean_field

Make = Callable[..., tuple[Tensor, Tensor]]
BACKENDS = ("torch", "pydensecrf")


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("classes", [2, 4, 32])
def test_agrees_with_exact_mean_field(
    make_case: Make, settings: CrfSettings, backend: Any, classes: int
) -> None:
    settings["backend"] = backend
    for seed in range(2):
        probabilities, images = make_case(classes, seed)
        exact = refine_exactly(probabilities[0], images[0], settings)
        refined = refine(probabilities, images, settings, ["a"])[0]
        assert (exact - probabilities[0]).abs().max() > 0.2, "the CRF must have something to do"
        assert (refined - exact).abs().mean() < 0.002
        assert (refined.argmax(0) == exact.argmax(0)).float().mean() > 0.95


def test_torch_is_no_further_from_exact_than_pydensecrf(
    phantom_pieces: list[tuple[Tensor, Tensor]], settings: CrfSettings
) -> None:
    errors: dict[str, list[Tensor]] = {backend: [] for backend in BACKENDS}
    for probabilities, images in phantom_pieces:
        exact = refine_exactly(probabilities[0], images[0], settings)
        for backend, found in errors.items():
            refined = refine(probabilities, images, {**settings, "backend": backend}, ["a"])[0]  # type: ignore
            found.append((refined - exact).abs())
    ours, theirs = (torch.stack(errors[backend]) for backend in BACKENDS)
    assert ours.mean() <= theirs.mean()
    assert ours.max() <= theirs.max()


@pytest.mark.parametrize(
    "changes",
    [
        {"bilateral_sigma_px": 1.0, "bilateral_sigma_gray": 0.8},
        {"bilateral_sigma_px": 4.0, "gaussian_sigma_px": 0.5},
        {"bilateral_sigma_px": 60.0, "bilateral_sigma_gray": 100.0, "gaussian_sigma_px": 20.0},
    ],
)
def test_any_reach_agrees_with_exact(
    make_case: Make, settings: CrfSettings, changes: dict[str, float]
) -> None:
    settings.update(changes)  # type: ignore
    settings["steps"] = 5
    probabilities, images = make_case(3, size=(30, 41))
    exact = refine_exactly(probabilities[0], images[0], settings)
    refined = refine(probabilities, images, settings, ["a"])[0]
    assert (refined - exact).abs().max() < 0.05


def test_one_pixel_of_two_is_worked_out_by_hand(settings: CrfSettings) -> None:
    """Two far pixels: each kernel is the identity, so one step adds both weights times Q to the log odds."""
    settings.update(bilateral_sigma_px=1e-3, gaussian_sigma_px=1e-3, steps=1)
    probabilities = torch.tensor([[[[0.6, 0.5]], [[0.4, 0.5]]]])
    refined = refine_exactly(probabilities[0], torch.tensor([[0, 255]], dtype=torch.uint8), settings)
    odds = torch.tensor(0.6 / 0.4).log() + 6 * (0.6 - 0.4)
    assert refined[0, 0, 0] == pytest.approx(float(odds.sigmoid()), abs=1e-6)
    assert refined[0, 0, 1] == pytest.approx(0.5)


@pytest.mark.parametrize("backend", BACKENDS)
def test_zero_weights_give_back_the_input(make_case: Make, settings: CrfSettings, backend: Any) -> None:
    settings.update(backend=backend, bilateral_weight=0.0, gaussian_weight=0.0)
    probabilities, images = make_case(4)
    torch.testing.assert_close(
        refine(probabilities, images, settings, ["a"]), probabilities, atol=1e-5, rtol=0
    )


@pytest.mark.parametrize("backend", BACKENDS)
def test_output_is_a_distribution(make_case: Make, settings: CrfSettings, backend: Any) -> None:
    settings["backend"] = backend
    probabilities, images = make_case(5, size=(17, 70))
    refined = refine(probabilities, images, settings, ["a"])
    assert refined.shape == probabilities.shape
    assert refined.dtype == torch.float32
    assert refined.min() >= 0
    torch.testing.assert_close(refined.sum(1), torch.ones(1, 17, 70))


@pytest.mark.parametrize("tolerance", [0.0, 1e-3])
def test_batch_equals_single(make_case: Make, settings: CrfSettings, tolerance: float) -> None:
    settings["tolerance"] = tolerance
    cases = [make_case(3, seed) for seed in range(3)]
    batch = refine(
        torch.cat([p for p, _ in cases]), torch.cat([i for _, i in cases]), settings, ["a", "b", "c"]
    )
    for index, (probabilities, images) in enumerate(cases):
        assert torch.equal(batch[index], refine(probabilities, images, settings, ["a"])[0])


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("tolerance", [0.0, 1e-3, 0.3])
def test_pictures_taken_at_once_are_those_taken_one_by_one(
    make_case: Make, settings: CrfSettings, tolerance: float, classes: int
) -> None:
    """As a GPU does it; with a tolerance each comes to rest at a step of its own."""
    settings["tolerance"] = tolerance
    cases = [make_case(classes, seed, size=(37, 30)) for seed in range(3)]
    together = mean_field(torch.cat([p for p, _ in cases]), torch.cat([i for _, i in cases]), settings)
    alone = torch.cat([mean_field(p, i, settings) for p, i in cases])
    torch.testing.assert_close(together, alone, atol=1e-4, rtol=0)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_a_gpu_gives_what_a_cpu_gives(make_case: Make, settings: CrfSettings) -> None:
    probabilities, images = make_case(3)
    on_gpu = refine(probabilities.cuda(), images.cuda(), settings, ["a"])
    torch.testing.assert_close(
        on_gpu.cpu(), refine(probabilities, images, settings, ["a"]), atol=1e-3, rtol=0
    )


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("classes", [2, 4])
def test_order_of_classes_does_not_matter(
    make_case: Make, settings: CrfSettings, backend: Any, classes: int
) -> None:
    settings.update(backend=backend, steps=10)
    probabilities, images = make_case(classes)
    order = torch.arange(classes).roll(1)
    torch.testing.assert_close(
        refine(probabilities[:, order], images, settings, ["a"]),
        refine(probabilities, images, settings, ["a"])[:, order],
        atol=1e-4,
        rtol=0,
    )


@pytest.mark.parametrize("axis", [1, 2])
def test_mirror_image_gives_mirrored_result(make_case: Make, settings: CrfSettings, axis: int) -> None:
    settings["steps"] = 10
    probabilities, images = make_case(3, size=(33, 27))  # whole blocks of pixels
    mirrored = refine(probabilities.flip(axis + 1), images.flip(axis), settings, ["a"])
    refined = refine(probabilities, images, settings, ["a"])
    torch.testing.assert_close(mirrored.flip(axis + 1), refined, atol=1e-4, rtol=0)


@pytest.mark.parametrize("backend", BACKENDS)
def test_tolerance_stops_early_near_the_end(make_case: Make, settings: CrfSettings, backend: Any) -> None:
    settings["backend"] = backend
    probabilities, images = make_case(2)
    full = refine(probabilities, images, settings, ["a"])
    early = refine(probabilities, images, {**settings, "tolerance": 1e-3}, ["a"])
    after_one = refine(probabilities, images, {**settings, "tolerance": 1.0}, ["a"])
    assert not torch.equal(early, full)
    torch.testing.assert_close(early, full, atol=0.02, rtol=0)
    torch.testing.assert_close(after_one, refine(probabilities, images, {**settings, "steps": 1}, ["a"]))


def test_certain_pixels_are_not_ruled_out(make_case: Make, settings: CrfSettings) -> None:
    """A wrong pixel of probability 1 in the midst of another class is turned over."""
    probabilities = torch.zeros(1, 2, 32, 32)
    probabilities[:, 0] = 1
    probabilities[0, :, 16, 16] = torch.tensor([0.0, 1.0])
    settings.update(bilateral_weight=20.0)
    refined = refine(probabilities, torch.full((1, 32, 32), 90, dtype=torch.uint8), settings, ["a"])
    assert refined[0, 0, 16, 16] > 0.99


def _with(probabilities: Tensor, value: float) -> Tensor:
    changed = probabilities.clone()
    changed[1, 0, 3, 4] = value
    return changed


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (float("nan"), "b: probabilities hold NaN or infinity"),
        (float("inf"), "b: probabilities hold NaN or infinity"),
        (-0.5, "b: probabilities go down to -0.5"),
        (5.0, "b: probabilities do not sum to 1"),
    ],
)
def test_bad_probabilities_are_named(
    make_case: Make, settings: CrfSettings, value: float, message: str
) -> None:
    probabilities, images = (each.expand(2, *each.shape[1:]) for each in make_case(2))
    with pytest.raises(ValueError, match=message):
        refine(_with(probabilities, value), images, settings, ["a", "b"])


@pytest.mark.parametrize(
    ("classes", "message"), [(1, "a: one class leaves nothing"), (33, "a: 33 classes, at most 32")]
)
def test_bad_number_of_classes(settings: CrfSettings, classes: int, message: str) -> None:
    probabilities = torch.full((1, classes, 8, 8), 1 / classes)
    with pytest.raises(ValueError, match=message):
        refine(probabilities, torch.zeros(1, 8, 8, dtype=torch.uint8), settings, ["a"])


def test_sizes_and_types_must_match(make_case: Make, settings: CrfSettings) -> None:
    probabilities, images = make_case(2)
    with pytest.raises(ValueError, match=r"a: images must be uint8 \(1, 32, 28\)"):
        refine(probabilities, images[:, :-1], settings, ["a"])
    with pytest.raises(ValueError, match="a: images must be uint8"):
        refine(probabilities, images.float(), settings, ["a"])
    with pytest.raises(ValueError, match=r"a: probabilities must be floating point \(B, K, H, W\)"):
        refine(probabilities[0], images, settings, ["a"])
    with pytest.raises(ValueError, match="a, b: 2 ids for 1 pictures"):
        refine(probabilities, images, settings, ["a", "b"])


def test_unknown_backend(make_case: Make, settings: CrfSettings) -> None:
    with pytest.raises(ValueError, match="CRF backend 'simple' is not one of torch, pydensecrf"):
        refine(*make_case(2), {**settings, "backend": "simple"}, ["a"])  # type: ignore
