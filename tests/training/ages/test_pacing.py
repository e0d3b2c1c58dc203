import pytest

from boneage_kedro.training.ages.pacing import PacingSettings, Strategy, paced_stages, pacing_arms

PTL = Strategy(name="PTL", learns_after={"head": 0, "exit": 0.17, "middle": 0.33, "entry": 0.5})


def test_blocks_are_freed_from_the_top_down_and_stay_free() -> None:
    stages = paced_stages(PTL, 6, 0.002, "study")
    assert [(s["name"], s["max_epochs"]) for s in stages] == [
        ("head", 1),
        ("exit", 1),
        ("middle", 1),
        ("entry", 3),
    ]
    assert [s["free"] for s in stages] == [
        ["head"],
        ["head", "exit"],
        ["head", "exit", "middle"],
        ["head", "exit", "middle", "entry"],
    ]
    assert all(s["learning_rate"] == 0.002 for s in stages)


def test_shares_are_of_however_many_epochs_there_are() -> None:
    assert [s["max_epochs"] for s in paced_stages(PTL, 12, 1e-3, "study")] == [2, 2, 2, 6]
    few = paced_stages(PTL, 2, 1e-3, "study")
    assert [(s["name"], s["max_epochs"]) for s in few] == [("head+exit", 1), ("middle+entry", 1)]


@pytest.mark.parametrize("epochs", range(2, 20))
def test_no_stage_ends_before_its_time_so_that_all_strategies_have_the_same_epochs(epochs: int) -> None:
    stages = paced_stages(PTL, epochs, 1e-3, "study")
    assert sum(s["max_epochs"] for s in stages) == epochs
    assert all(s["patience"] >= s["max_epochs"] for s in stages)


def test_a_block_that_is_not_named_never_learns() -> None:
    (stage,) = paced_stages(Strategy(name="middle", learns_after={"middle": 0, "head": 0}), 4, 1e-3, "study")
    assert stage["free"] == ["head", "middle"]
    assert stage["max_epochs"] == 4


@pytest.mark.parametrize(
    ("learns_after", "message"),
    [
        (
            {},
            r"study\.strategies: of odd the blocks begin to learn after \{\} of 4 epochs; the first must begin at 0",
        ),
        ({"head": 0.5}, r"after \{'head': 2\} of 4"),
        ({"head": 0, "exit": 1}, r"'exit': 4\} of 4 epochs; .* all before the last epoch"),
    ],
)
def test_a_strategy_that_does_not_fill_the_epochs_is_refused(
    learns_after: dict[str, float], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        paced_stages(Strategy(name="odd", learns_after=learns_after), 4, 1e-3, "study")


def test_every_strategy_meets_every_cohort() -> None:
    settings = PacingSettings(
        strategies=[PTL, Strategy(name="FC", learns_after={"head": 0})],
        cohorts=["all", "M"],
        seeds=[1],
        epochs=2,
        learning_rate=1e-3,
        network={},
    )
    names = [arm["name"] for arm in pacing_arms(settings)]
    assert names == ["PTL, all", "FC, all", "PTL, M", "FC, M"]
    more = pacing_arms(settings, ["whole", "enhanced"])
    assert [arm["name"] for arm in more[:4]] == names  # so that finished cells are found again
    assert [arm["name"] for arm in more[4:]] == [f"{name}, enhanced" for name in names]
    assert [arm["images"] for arm in more] == ["whole"] * 4 + ["enhanced"] * 4
