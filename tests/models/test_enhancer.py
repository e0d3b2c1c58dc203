import numpy as np
import pytest
import torch

from boneage_kedro.models.discriminator import DISCRIMINATORS, build_discriminator
from boneage_kedro.models.enhancer import Enhancer, EnhancerConfig


def enhancer(width: int = 4, depth: int = 2) -> Enhancer:
    torch.manual_seed(0)
    return Enhancer(EnhancerConfig(width, depth))


def stirred() -> Enhancer:
    """One that no longer returns its input."""
    model = enhancer()
    with torch.no_grad():
        for parameter in model.network.head.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)))
    return model.eval()


def every_gray_level() -> torch.Tensor:
    return torch.arange(256).view(1, 1, 16, 16) / 255


@pytest.mark.parametrize("training", [True, False])
def test_untrained_it_returns_its_input(training: bool) -> None:
    levels = every_gray_level()
    made = enhancer().train(training)(levels)
    torch.testing.assert_close(made, levels, atol=0.2501 / 255, rtol=0)
    assert torch.equal((made * 255).round(), (levels * 255).round())


@pytest.mark.parametrize("shape", [(1, 1), (5, 7), (8, 8), (33, 18)])
def test_any_size_comes_back_in_range(shape: tuple[int, int]) -> None:
    made = stirred()(torch.rand(2, 1, *shape, generator=torch.Generator().manual_seed(2)))
    assert made.shape == (2, 1, *shape)
    assert made.min() >= 0
    assert made.max() <= 1


def test_a_size_off_the_stride_is_that_of_the_picture_with_its_edge_repeated() -> None:
    image = torch.rand(1, 1, 10, 11, generator=torch.Generator().manual_seed(2))
    filled = torch.from_numpy(np.pad(image[0, 0].numpy(), ((0, 2), (0, 1)), mode="edge"))[None, None]
    model = stirred()
    with torch.no_grad():
        torch.testing.assert_close(model(image), model(filled)[..., :10, :11])


def test_black_and_white_can_be_changed_and_pass_on_a_gradient() -> None:
    model = stirred().train()
    extremes = torch.cat([torch.zeros(1, 1, 8, 8), torch.ones(1, 1, 8, 8)])
    made = model(extremes)
    grads = torch.autograd.grad(made.sum(), model.network.head.bias, retain_graph=True)
    assert grads[0].isfinite().all()
    assert grads[0] > 0
    for picture in made:
        (each,) = torch.autograd.grad(picture.sum(), model.network.head.bias, retain_graph=True)
        assert each > 0


def test_config_builds_the_same_network_again() -> None:
    model = stirred()
    twin = Enhancer(EnhancerConfig(**model.config.as_dict()))
    twin.load_state_dict(model.state_dict())
    images = torch.rand(2, 1, 12, 12, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        assert torch.equal(twin.eval()(images), model(images))


def pair(side: int = 48) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(4)
    return torch.rand(3, 1, side, side, generator=generator), torch.rand(
        3, 1, side, side, generator=generator
    )


@pytest.mark.parametrize(("name", "shape"), [("paper", (3, 1)), ("patch", (3, 1, 4, 4))])
def test_a_discriminator_gives_logits_of_each_pair(name: str, shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    logits = build_discriminator(name, 4)(*pair())
    assert logits.shape == shape
    assert logits.min() < 1  # no probabilities


def test_the_paper_has_three_convolutions_and_one_fully_connected_layer() -> None:
    kinds = [type(module).__name__ for module in build_discriminator("paper", 4).modules()]
    assert sum("Conv2d" in kind for kind in kinds) == 3
    assert sum("Linear" in kind for kind in kinds) == 1


def test_a_patch_is_70_px_wide() -> None:
    torch.manual_seed(0)
    judge = build_discriminator("patch", 2)
    x, y = (image.requires_grad_() for image in pair(128))
    judge(x, y)[0, 0, 7, 7].backward()
    for image in (x, y):
        assert image.grad is not None
        seen = image.grad[0, 0].abs() > 0
        assert (seen.any(0).sum(), seen.any(1).sum()) == (70, 70)


@pytest.mark.parametrize("name", DISCRIMINATORS)
def test_it_depends_on_both_and_on_their_order(name: str) -> None:
    torch.manual_seed(0)
    judge, (x, y) = build_discriminator(name, 4).eval(), pair()
    with torch.no_grad():
        assert not torch.allclose(judge(x, y), judge(y, x))
        assert not torch.allclose(judge(x, y), judge(x, y.flip(0)))


@pytest.mark.parametrize("name", DISCRIMINATORS)
def test_its_answer_changes_no_faster_than_spectral_norms_allow(name: str) -> None:
    """Weights blown up a hundredfold give the same answers."""
    torch.manual_seed(0)
    judge, (x, y) = build_discriminator(name, 4).eval(), pair()
    with torch.no_grad():
        before = judge(x, y)
        for key, parameter in judge.named_parameters():
            if key.endswith("original"):
                parameter.mul_(100)
        torch.testing.assert_close(judge(x, y), before, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("name", DISCRIMINATORS)
def test_it_learns_to_tell_pairs_apart(name: str) -> None:
    torch.manual_seed(0)
    judge, (x, y) = build_discriminator(name, 4), pair()
    optimiser = torch.optim.Adam(judge.parameters(), 1e-2)
    for _ in range(30):
        loss = judge(x, 0.5 * y).mean() - judge(x, y).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    with torch.no_grad():
        assert judge(x, y).mean() > judge(x, 0.5 * y).mean() + 0.1


def test_an_unknown_discriminator_is_refused() -> None:
    with pytest.raises(ValueError, match="discriminator 'pixel' is not one of paper, patch"):
        build_discriminator("pixel", 4)
