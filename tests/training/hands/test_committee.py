import math
from itertools import combinations

import numpy as np
import pytest
import torch

from boneage_kedro.models.segmenter import Segmenter, SegmenterConfig
from boneage_kedro.training.checkpoint import CheckpointFile
from boneage_kedro.training.hands.committee import (
    CommitteeScore,
    Opinions,
    committee_dissimilarity,
    consult,
    dice_disagreement,
    pooled_embedding,
    predictive_entropy,
    score_committee,
    score_opinions,
    sine_dissimilarity,
)
from boneage_kedro.training.segmentation.samples import PictureBatch, Pictures
from tests.training.squares import SIDE

CPU = torch.device("cpu")


def member(seed: int, width: int = 2) -> Segmenter:
    torch.manual_seed(seed)
    return Segmenter(SegmenterConfig("fc_densenet", SIDE, 2, width, 2, 1, growth=2, layers=2))


@pytest.fixture(scope="module")
def members() -> list[Segmenter]:
    return [member(seed) for seed in range(3)]


def pictures(count: int) -> Pictures:
    pixels = np.random.default_rng(0).integers(0, 256, (count, SIDE, SIDE), dtype=np.uint8)
    return Pictures(pixels, np.arange(count), [f"p{i:03d}" for i in range(count)], SIDE)


def scored(
    members: list[Segmenter], count: int, batch_size: int, embed: bool = True
) -> dict[str, CommitteeScore]:
    found: dict[str, CommitteeScore] = {}
    for part in score_committee(members, pictures(count), batch_size, CPU, embed):
        assert not found.keys() & part.keys()
        found |= part
    return found


def test_sine_dissimilarity_by_hand() -> None:
    first = torch.tensor([[1.0, 0.0], [1.0, 0.0], [1.0, 1.0], [3.0, 4.0], [1.0, 2.0]])
    second = torch.tensor([[0.0, 5.0], [2.0, 0.0], [1.0, 0.0], [-6.0, -8.0], [2.0, 1.0]])
    # right angle, same, 45 degrees, opposite, cosine 4 / 5
    found = sine_dissimilarity(first, second)
    assert found.tolist() == pytest.approx([1, 0, 0.5, 0, 1 - 16 / 25], abs=1e-15)
    assert sine_dissimilarity(1e-20 * first, 1e15 * second).tolist() == pytest.approx(
        found.tolist(), abs=1e-12
    )


@pytest.mark.parametrize("angle", [1e-3, 1e-6, 1e-7])
def test_small_angles_keep_their_digits(angle: float) -> None:
    first = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    second = torch.tensor([[math.cos(angle), math.sin(angle)]], dtype=torch.float64)
    assert sine_dissimilarity(first, second).item() == pytest.approx(math.sin(angle) ** 2, rel=1e-6)


def test_vectors_of_zeros_agree_with_each_other_alone() -> None:
    first = torch.tensor([[0.0, 0.0], [0.0, 0.0], [1.0, 1.0]])
    second = torch.tensor([[0.0, 0.0], [1.0, 1.0], [0.0, 0.0]])
    assert sine_dissimilarity(first, second).tolist() == [0, 1, 1]


def test_it_is_equation_5_of_random_features_whatever_their_layout() -> None:
    random = torch.Generator().manual_seed(0)
    first, second = torch.randn(2, 5, 4, 6, 6, generator=random, dtype=torch.float64)
    u, v = first.flatten(1), second.flatten(1)
    wanted = 1 - (u * v).sum(1) ** 2 / (u.square().sum(1) * v.square().sum(1))
    torch.testing.assert_close(sine_dissimilarity(first, second), wanted)
    torch.testing.assert_close(sine_dissimilarity(second, first), wanted)
    strided = first.to(memory_format=torch.channels_last)
    torch.testing.assert_close(sine_dissimilarity(strided, second), wanted)


def test_a_committees_dissimilarity_is_the_sum_over_its_pairs() -> None:
    features = [torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]]), torch.tensor([[1.0, 1.0]])]
    assert committee_dissimilarity(features).tolist() == pytest.approx([1 + 0.5 + 0.5])
    assert committee_dissimilarity(features[::-1]).tolist() == pytest.approx([2.0])


def test_entropy_by_hand() -> None:
    foreground = torch.tensor([[[0.5, 0.5]], [[0.0, 1.0]], [[0.5, 1.0]]])
    shares = torch.stack([1 - foreground, foreground], 1)
    assert predictive_entropy(shares).tolist() == pytest.approx([math.log(2), 0, math.log(2) / 2])


def test_dice_disagreement_by_hand() -> None:
    masks = torch.tensor([[1.0, 1, 0, 0], [1, 1, 0, 0], [0, 1, 1, 0]]).view(3, 1, 1, 4)
    shares = [torch.stack([1 - mask, mask], 1) for mask in masks]
    # Dice of the pairs: 1, 1/2, 1/2
    assert dice_disagreement(shares).tolist() == pytest.approx([1 - 2 / 3])
    nothing = torch.stack([torch.ones(1, 2, 2), torch.zeros(1, 2, 2)], 1)
    assert dice_disagreement([nothing, nothing]).tolist() == [0]


def test_the_embedding_holds_each_members_mean_features_at_length_one() -> None:
    first = torch.tensor([3.0, 4.0]).view(1, 2, 1, 1).expand(1, 2, 3, 3)
    second = torch.tensor([[0.0, 2.0], [0.0, 0.0]]).view(1, 2, 1, 2)  # means 1 and 0
    embedding = pooled_embedding([first, second])
    assert embedding.dtype == torch.float16
    assert embedding[0].tolist() == pytest.approx([0.6, 0.8, 1, 0], abs=1e-3)


def test_scores_of_a_batch_by_hand() -> None:
    masks = [torch.tensor([[[0.9, 0.2]]]), torch.tensor([[[0.3, 0.2]]])]
    shares = [torch.stack([1 - mask, mask], 1) for mask in masks]  # mean 0.6 and 0.2
    features = [torch.tensor([[[[1.0]], [[0.0]]]]), torch.tensor([[[[1.0]], [[1.0]]]])]
    batch = PictureBatch(["a"], torch.zeros(1, 1, 1, 2))
    score = score_opinions(Opinions(batch, shares, features), embed=False)["a"]
    entropy = -sum(p * math.log(p) + (1 - p) * math.log(1 - p) for p in (0.6, 0.2)) / 2
    assert score == CommitteeScore(pytest.approx(0.5), pytest.approx(entropy), 1.0, 0.5, None)


@pytest.mark.parametrize(("count", "batch_size"), [(1, 4), (4, 4), (7, 3), (60, 2)])
def test_no_picture_is_skipped(members: list[Segmenter], count: int, batch_size: int) -> None:
    assert list(scored(members, count, batch_size)) == pictures(count).ids


def test_an_empty_pool_has_no_scores(members: list[Segmenter]) -> None:
    assert list(score_committee(members, pictures(0), 4, CPU, embed=True)) == []


def test_parts_come_while_the_pool_is_scored(members: list[Segmenter]) -> None:
    parts = list(score_committee(members, pictures(60), 2, CPU, embed=False))
    assert [len(part) for part in parts] == [50, 10]


def test_neither_batches_nor_the_order_of_members_matter(members: list[Segmenter]) -> None:
    one, other = scored(members, 5, 5), scored(members[::-1], 5, 2)
    for key, score in one.items():
        assert score[:4] == pytest.approx(other[key][:4], abs=1e-5)
        assert score.dissimilarity > 0.01  # members of different seeds differ


def test_members_that_are_the_same_agree() -> None:
    twins = [member(0), member(0)]
    for score in scored(twins, 3, 2).values():
        assert score.dissimilarity == pytest.approx(0, abs=1e-12)
        assert score.dice_disagreement == 0


def test_each_member_sees_each_batch_once(members: list[Segmenter]) -> None:
    calls: list[int] = []
    handles = [
        m.network.first.register_forward_hook(lambda *_, i=i: calls.append(i)) for i, m in enumerate(members)
    ]
    scored(members, 5, 2)
    for handle in handles:
        handle.remove()
    assert calls == [0, 1, 2] * 3


def test_scores_survive_a_checkpoint(members: list[Segmenter], tmp_path) -> None:
    scores = scored(members, 3, 2)
    file = CheckpointFile(tmp_path / "scores.pt")
    file.save({"scores": {key: list(score) for key, score in scores.items()}})
    loaded = file.load()
    assert loaded is not None
    for key, values in loaded["scores"].items():
        assert CommitteeScore(*values)[:4] == scores[key][:4]
        assert torch.equal(values[4], scores[key].embedding)


def test_values_that_are_not_finite_are_told_with_the_case() -> None:
    pool = pictures(3)
    broken = member(1)
    with torch.no_grad():
        broken.network.head.bias[0] = torch.nan
    with pytest.raises(FloatingPointError, match="not finite for the cases p000, p001;"):
        next(consult([member(0), broken], pool, 2, CPU))


def test_a_committee_needs_two_members_of_one_kind(members: list[Segmenter]) -> None:
    with pytest.raises(ValueError, match="a committee of 1 cannot disagree"):
        scored(members[:1], 2, 2)
    with pytest.raises(ValueError, match="all members of a committee need the same architecture"):
        scored([member(0), member(1, width=4)], 2, 2)


def test_pairs_are_counted_once(members: list[Segmenter]) -> None:
    opinions = next(consult(members, pictures(2), 2, CPU))
    pairs = [sine_dissimilarity(a, b) for a, b in combinations(opinions.features, 2)]
    torch.testing.assert_close(committee_dissimilarity(opinions.features), pairs[0] + pairs[1] + pairs[2])
