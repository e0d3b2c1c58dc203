"""The ordered map: order, bounds, errors and an early end."""

import threading
import time
from collections.abc import Iterator

import pytest

from boneage_kedro.imaging.parallel import map_ordered


def test_results_come_in_order_though_early_items_take_longest() -> None:
    def slow_first(item: int) -> int:
        time.sleep(0.02 if item % 4 == 0 else 0)
        return item * item

    assert list(map_ordered(slow_first, range(20), workers=4, ahead=8)) == [i * i for i in range(20)]


@pytest.mark.parametrize("items", [[], [5], [5, 6]])
def test_fewer_items_than_workers(items: list[int]) -> None:
    assert list(map_ordered(str, items, workers=3, ahead=5)) == [str(item) for item in items]


def test_items_are_drawn_no_further_than_ahead() -> None:
    drawn = []

    def items() -> Iterator[int]:
        for item in range(1000):
            drawn.append(item)
            yield item

    results = map_ordered(lambda item: item, items(), workers=2, ahead=4)
    assert drawn == []
    for taken in range(1, 11):
        assert next(results) == taken - 1
        assert len(drawn) == taken + 4
    results.close()


def test_workers_run_at_the_same_time() -> None:
    everyone = threading.Barrier(3, timeout=10)
    assert len(list(map_ordered(lambda _: everyone.wait(), range(6), workers=3, ahead=3))) == 6


def test_exception_is_raised_at_the_place_of_its_item() -> None:
    def check(item: int) -> int:
        if item == 3:
            raise LookupError("item 3")
        return item

    results = map_ordered(check, range(8), workers=2, ahead=8)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(LookupError, match="item 3"):
        next(results)
    assert list(results) == []


def test_closing_drops_what_has_not_begun_and_leaves_no_thread() -> None:
    begun = []

    def work(item: int) -> int:
        begun.append(item)
        time.sleep(0.01)
        return item

    threads = threading.active_count()
    results = map_ordered(work, range(1000), workers=2, ahead=50)
    assert next(results) == 0
    results.close()
    assert len(begun) < 10
    assert threading.active_count() == threads


def test_results_are_not_kept_once_handed_out() -> None:
    alive = set()

    class Result:
        def __init__(self, item: int) -> None:
            self.item = item
            alive.add(item)

        def __del__(self) -> None:
            alive.discard(self.item)

    for result in map_ordered(Result, range(100), workers=2, ahead=4):
        assert len(alive) <= 4 + 2, result.item
    del result
    assert alive == set()


@pytest.mark.parametrize(
    ("workers", "ahead", "message"), [(0, 4, "workers is 0"), (4, 3, "ahead is 3, less than the 4 workers")]
)
def test_bounds_that_make_no_sense_are_refused_at_once(workers: int, ahead: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        map_ordered(str, [], workers=workers, ahead=ahead)
