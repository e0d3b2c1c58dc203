import pytest

from boneage_kedro.evaluation.studies.paired_tests import holm, mcnemar_p


@pytest.mark.parametrize(
    ("gained", "lost", "p"),
    [
        (0, 0, 1),
        (1, 0, 1),
        (3, 3, 1),
        (5, 0, 2 / 32),
        (0, 6, 2 / 64),
        (7, 1, 2 * (1 + 8) / 256),
        (2, 8, 2 * (1 + 10 + 45) / 1024),
    ],
)
def test_mcnemar_by_hand(gained: int, lost: int, p: float) -> None:
    assert mcnemar_p(gained, lost) == pytest.approx(p)
    assert mcnemar_p(lost, gained) == mcnemar_p(gained, lost)


def test_mcnemar_holds_its_level_and_takes_large_counts() -> None:
    assert mcnemar_p(700, 200) < 1e-60
    with pytest.raises(ValueError, match="cannot be negative: -1 gained, 2 lost"):
        mcnemar_p(-1, 2)


def test_holm_by_hand() -> None:
    # 0.01 x 4, 0.02 x 3, 0.03 x 2, and 0.5
    assert holm([0.03, 0.01, 0.5, 0.02]) == pytest.approx([0.06, 0.04, 0.5, 0.06])
    assert holm([0.02, 0.015]) == pytest.approx([0.03, 0.03])  # none below one that was smaller
    assert holm([0.6, 0.9]) == [1, 1]
    assert holm([]) == []
