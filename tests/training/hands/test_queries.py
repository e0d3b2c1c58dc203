from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from boneage_kedro.training.hands.committee import CommitteeScore
from boneage_kedro.training.hands.queries import choose_queries, draw_queries, spread_out

RULES = ["qbc", "random", "entropy", "dice_disagreement"]


def score(
    dissimilarity: float, entropy: float = 0, disagreement: float = 0, at: list[float] | None = None
) -> CommitteeScore:
    embedding = None if at is None else torch.tensor(at, dtype=torch.float16)
    return CommitteeScore(dissimilarity, entropy, disagreement, 0.1, embedding)


SCORES = {
    "d": score(0.5, 0.1, 0.3),
    "b": score(0.9, 0.2, 0.3),
    "c": score(0.5, 0.4, 0.1),
    "a": score(0.1, 0.3, 0.2),
}


@pytest.mark.parametrize(
    ("rule", "wanted"),
    [
        ("qbc", ["b", "c", "d", "a"]),
        ("entropy", ["c", "a", "b", "d"]),
        ("dice_disagreement", ["b", "d", "a", "c"]),
    ],
)
def test_a_rule_ranks_by_its_own_score_and_breaks_ties_by_id(rule: str, wanted: list[str]) -> None:
    for count in range(6):
        assert choose_queries(SCORES, rule, count, 0, 1, 1.0) == wanted[:count]


few = st.floats(0, 1).map(lambda value: round(value, 1))  # so that ties are common
pools = st.dictionaries(
    st.text("abc0", min_size=1, max_size=4),
    st.builds(score, few, few, few, st.lists(st.floats(-1, 1), min_size=2, max_size=2)),
    min_size=1,
    max_size=20,
)


@settings(max_examples=60, deadline=None)
@given(pools, st.sampled_from(RULES), st.integers(1, 25), st.integers(0, 5), st.sampled_from([1.0, 1.5, 4.0]))
def test_whatever_the_pool(
    pool: dict[str, CommitteeScore], rule: str, count: int, seed: int, factor: float
) -> None:
    chosen = choose_queries(pool, rule, count, seed, 1, factor)
    assert len(chosen) == len(set(chosen)) == min(count, len(pool))
    assert set(chosen) <= set(pool)
    reordered = dict(sorted(pool.items(), reverse=True))
    assert choose_queries(reordered, rule, count, seed, 1, factor) == chosen


@pytest.mark.parametrize("rule", RULES)
def test_every_picture_is_asked_for_in_the_end(rule: str) -> None:
    left = {f"p{i}": score(i % 3, i % 2, i % 5, [i, -i]) for i in range(23)}
    asked: list[str] = []
    for number in range(1, 6):
        chosen = choose_queries(left, rule, 5, 0, number, 2.0)
        asked += chosen
        left = {key: value for key, value in left.items() if key not in chosen}
    assert sorted(asked) == sorted(f"p{i}" for i in range(23))


def test_random_draws_follow_seed_and_round_and_nothing_else() -> None:
    draws = {(s, n): tuple(draw_queries(SCORES, 2, s, n)) for s in range(4) for n in range(4)}
    assert len(set(draws.values())) > 4
    other = {key: score(1.0, at=[1.0, 2.0]) for key in reversed(SCORES)}
    for (seed, number), drawn in draws.items():
        for factor in (1.0, 3.0):
            assert choose_queries(other, "random", 2, seed, number, factor) == list(drawn)


def test_random_draws_prefer_none() -> None:
    counts = Counter(key for seed in range(2000) for key in draw_queries("abcdefgh", 2, seed, 1))
    assert set(counts) == set("abcdefgh")
    assert max(abs(count - 500) for count in counts.values()) < 100  # five standard deviations


def test_spread_out_takes_the_first_and_then_the_farthest() -> None:
    points = torch.tensor([[0.0], [1.0], [10.0], [5.0], [0.0]])
    assert spread_out(points, 3) == [0, 2, 3]
    assert spread_out(points, 9) == [0, 2, 3, 1, 4]
    assert spread_out(torch.zeros(3, 2), 3) == [0, 1, 2]
    assert spread_out(torch.empty(0, 2), 3) == []


def test_diversity_leaves_out_the_twin_of_the_best() -> None:
    pool = {
        "best": score(1.0, at=[0, 0]),
        "twin": score(0.9, at=[0, 0]),
        "other": score(0.8, at=[1, 0]),
        "far": score(0.1, at=[9, 9]),
    }
    assert choose_queries(pool, "qbc", 2, 0, 1, 1.0) == ["best", "twin"]
    assert choose_queries(pool, "qbc", 2, 0, 1, 1.5) == ["best", "other"]  # of the best three
    assert choose_queries(pool, "qbc", 2, 0, 1, 2.0) == ["best", "far"]


def test_bad_options_are_refused() -> None:
    with pytest.raises(ValueError, match="query rule 'margin' is not one of random, qbc, entropy"):
        choose_queries(SCORES, "margin", 2, 0, 1, 1.0)
    with pytest.raises(ValueError, match="4 of 4 scores have no embedding"):
        choose_queries(SCORES, "qbc", 2, 0, 1, 2.0)
