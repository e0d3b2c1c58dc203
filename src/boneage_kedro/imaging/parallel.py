"""Doing one thing to many items in threads, in order and with flat memory."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_ordered(
    function: Callable[[Item], Result], items: Iterable[Item], workers: int, ahead: int
) -> Iterator[Result]:
    """Yield ``function(item)`` for every item, in the order of the items, computed in threads.

    At most ``ahead`` results are held or in work besides the one handed out, and items are drawn no earlier
    than needed, so memory stays flat however many there are. An exception of ``function`` is raised when
    the turn of its item comes, and ends the iteration, as does closing the iterator: items not yet begun are
    dropped, those in work are waited for. OpenCV's own threads only get in the way of these
    (``cv2.setNumThreads(1)``).

    Raises:
        ValueError: ``workers`` is below 1, or ``ahead`` is so small that workers would idle.
    """
    if workers < 1:
        raise ValueError(f"workers is {workers}; at least 1 is needed")
    if ahead < workers:
        raise ValueError(f"ahead is {ahead}, less than the {workers} workers, so some of them would idle")
    return _map_ordered(function, items, workers, ahead)


def _map_ordered(
    function: Callable[[Item], Result], items: Iterable[Item], workers: int, ahead: int
) -> Iterator[Result]:
    pool = ThreadPoolExecutor(workers)
    submitted = (pool.submit(function, item) for item in items)
    try:
        pending = deque(islice(submitted, ahead))
        while pending:
            result = pending.popleft().result()
            pending.extend(islice(submitted, 1))
            yield result
    finally:
        pool.shutdown(cancel_futures=True)
