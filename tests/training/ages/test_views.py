import numpy as np
import pytest
import torch

from boneage_kedro.models.age_ensemble import AgeEnsemble
from boneage_kedro.models.regressor import AgeRegressor, RegressorConfig
from boneage_kedro.training.ages.attention_maps import AttentionMapper, map_attention
from boneage_kedro.training.ages.familiarity import pool
from boneage_kedro.training.ages.predict import predict_ages
from boneage_kedro.training.ages.settings import ViewSettings
from boneage_kedro.training.ages.views import PLAIN, View, views_of
from tests.training.age_setup import BACKBONE, network, samples

CPU = torch.device("cpu")
FOUR = dict(flip=True, rotations_deg=[0, 15])


def test_all_views_are_made() -> None:
    assert views_of(FOUR) == [View(False, 0), View(False, 15), View(True, 0), View(True, 15)]
    assert views_of(dict(flip=False, rotations_deg=[0])) == [View(False, 0)]
    for angles in ([], [5, 5]):
        with pytest.raises(ValueError, match=r"views.rotations_deg is \[.*\]; give at least one angle"):
            views_of(dict(flip=True, rotations_deg=angles))


def test_a_picture_is_mirrored_first_and_turned_clockwise() -> None:
    image = torch.zeros(1, 1, 5, 5)
    image[0, 0, 0, 1] = 1  # at the top, left of the middle
    assert View(False, 0).of(image) is image
    assert View(True, 0).of(image)[0, 0].nonzero().tolist() == [[0, 3]]
    turned = View(False, 90).of(image)[0, 0].round()
    assert turned.nonzero().tolist() == [[1, 4]]
    assert View(True, 90).of(image)[0, 0].round().nonzero().tolist() == [[3, 4]]


@pytest.mark.parametrize("view", views_of(dict(flip=True, rotations_deg=[0, 90, -20])))
def test_a_map_comes_back_to_its_place_with_its_mean(view: View) -> None:
    smooth = torch.zeros(2, 1, 21, 21)
    smooth[:, 0, 4:9, 11:16] = torch.tensor([3.0, -1.0])[:, None, None]
    seen = view.of(smooth)[:, 0]
    back = view.back(seen + 0.5)
    torch.testing.assert_close(back.mean((1, 2)), seen.mean((1, 2)) + 0.5)
    weight = (back - back.median()).abs()[0]
    rows, columns = (weight.sum(axis) for axis in (1, 0))
    place = torch.arange(21.0)
    assert (rows[2:-2] * place[2:-2]).sum() / rows[2:-2].sum() == pytest.approx(6, abs=1)
    assert (columns[2:-2] * place[2:-2]).sum() / columns[2:-2].sum() == pytest.approx(13, abs=1)


def test_the_age_is_the_mean_over_the_views_and_does_not_care_for_a_mirrored_picture() -> None:
    model, part = network(), samples(5, 3)
    torch.nn.init.normal_(model.head.weight)
    mirrored = type(part)(
        part.pixels[:, :, ::-1].copy(),
        *[getattr(part, n) for n in ("rows", "ids", "is_male", "age_months", "input_px")],
    )
    flips = dict(flip=True, rotations_deg=[0])
    plain = [predict_ages(model, some, 4, CPU) for some in (part, mirrored)]
    both = [predict_ages(model, some, 4, CPU, flips) for some in (part, mirrored)]
    assert np.abs(plain[0] - plain[1]).max() > 1e-3
    np.testing.assert_allclose(both[0], np.mean(plain, 0), rtol=1e-5)
    np.testing.assert_allclose(both[0], both[1], rtol=1e-5)


@pytest.mark.parametrize("bin_months", [None, 10.0])
def test_averaged_maps_still_add_up_to_the_averaged_age(bin_months: float | None) -> None:
    model, part = network(bin_months), samples(5, 3)
    torch.nn.init.normal_(model.head.weight)
    maps, rests = map_attention(model, part, 2, CPU, FOUR)
    np.testing.assert_allclose(maps.mean((1, 2)) + rests, predict_ages(model, part, 2, CPU, FOUR), atol=1e-3)


def test_the_map_of_a_picture_that_is_its_own_mirror_image_is_so_too() -> None:
    """The first cell of this network looks at the edge, the last one does not."""
    torch.manual_seed(0)
    model = AgeRegressor(RegressorConfig(BACKBONE, 96, 120.0, 60.0, 0.0))
    torch.nn.init.normal_(model.head.weight)
    half = torch.rand(2, 1, 96, 48, generator=torch.Generator().manual_seed(0))
    picture, is_male = torch.cat([half, half.flip(-1)], -1), torch.tensor([True, False])
    with torch.inference_mode():
        raw = model.eval().activation_map(picture, is_male).maps
        both = AttentionMapper(model, dict(flip=True, rotations_deg=[0]))(picture, is_male).maps
    assert (raw - raw.flip(-1)).abs().mean() > 0.01
    torch.testing.assert_close(both, both.flip(-1), atol=1e-4, rtol=0)


@pytest.mark.parametrize("members", [0, 2])
@pytest.mark.parametrize(
    ("views", "passes"), [(PLAIN, 1), (FOUR, 4), (dict(flip=False, rotations_deg=[-5, 5]), 3)]
)
def test_features_are_those_of_the_picture_as_it_is_and_cost_no_pass_of_their_own_if_that_is_a_view(
    members: int, views: ViewSettings, passes: int
) -> None:
    model = AgeEnsemble([network() for _ in range(members)]) if members else network()
    images, is_male = torch.rand(3, 1, 32, 32, generator=torch.Generator().manual_seed(0)), torch.ones(3) > 0
    calls: list[object] = []
    counting = model.backbone.register_forward_hook(lambda *_: calls.append(None))
    mapper = AttentionMapper(model.eval(), views)
    calls.clear()  # it has looked where the cells lie
    features = mapper(images, is_male).features
    counting.remove()
    assert len(calls) == passes
    torch.testing.assert_close(features, pool(model, images), atol=1e-5, rtol=0)
