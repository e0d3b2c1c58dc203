"""Grades of the checks of attention maps: likeness under random weights, and areas of deletion and insertion."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from typing_extensions import TypedDict

from boneage_kedro.evaluation.ages.metrics import mean_interval
from boneage_kedro.limits import Count, Positive


class DeletionSettings(TypedDict):
    """How pictures are blurred away: in so many ``steps`` of equal area, to a Gaussian of ``blur``, its standard
    deviation as a share of the side.
    """

    steps: Count
    blur: Positive


class CheckSettings(TypedDict):
    """How maps are checked: on so many ``cases`` at most, spread over the ages; layers are made random in so many
    ``random_steps`` for each of ``random_seeds``; ``seed`` is of random orders and of bootstraps.
    """

    cases: Count
    deletion: DeletionSettings
    random_steps: Count
    random_seeds: list[int]
    seed: int


class Randomised(NamedTuple):
    """Maps (n, h, w) of a network whose last ``layers`` layers, the share ``depth`` of all, ``seed`` made random."""

    layers: int
    depth: float
    seed: int
    maps: np.ndarray


def rank_correlation(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Spearman's correlation over the places of each pair of maps, (n,), -1 to 1; nan where a map is flat.

    Args:
        first, second: (n, h, w) of the same cases.
    """
    ranks = [pd.DataFrame(maps.reshape(len(maps), -1)).rank(axis=1).to_numpy() for maps in (first, second)]
    one, other = (rank - rank.mean(1, keepdims=True) for rank in ranks)
    sizes = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    return np.divide((one * other).sum(1), sizes, out=np.full(len(one), np.nan), where=sizes > 0)


def likeness_by_depth(maps: np.ndarray, cascade: Iterable[Randomised], ids: Sequence[str]) -> pd.DataFrame:
    """How alike the maps of the trained network and of those with random layers are.

    A likeness that stays shows that the map depends on the picture alone, not on what was learnt. It is told by
    ranks, since random layers change the scale; the structural similarity needs windows, for which a coarse map has
    no room.

    Args:
        maps: (n, h, w) of the trained network.
        cascade: of the same cases.
        ids: of the cases.

    Returns:
        a row a case, seed and depth: ``layers, depth, seed, id``; ``signed`` and ``absolute``, Spearman's correlation
        of the maps and of their absolute values.
    """
    rows = [
        pd.DataFrame(
            {
                "layers": random.layers,
                "depth": random.depth,
                "seed": random.seed,
                "id": ids,
                "signed": rank_correlation(maps, random.maps),
                "absolute": rank_correlation(np.abs(maps), np.abs(random.maps)),
            }
        )
        for random in cascade
    ]
    return pd.concat(rows, ignore_index=True)


def random_orders(shape: tuple[int, int, int], rng: np.random.Generator) -> np.ndarray:
    """Places in random order (n, h, w), as many as a network has cells: single pixels would make another noise."""
    return rng.standard_normal(shape)


def centre_orders(shape: tuple[int, int, int]) -> np.ndarray:
    """Places from the middle of the picture outwards (n, h, w): what a map must beat to know more than that."""
    _, height, width = shape
    rows, columns = (np.arange(side) / side + 0.5 / side - 0.5 for side in (height, width))
    return np.broadcast_to(-np.hypot(rows[:, None], columns), shape).copy()


def changes_by_share(curves: Mapping[str, tuple[np.ndarray, np.ndarray]], ids: Sequence[str]) -> pd.DataFrame:
    """Change of the age over the share of the picture that was deleted or inserted.

    Args:
        curves: by order, such as attention, random, centre: deletion and insertion, each (n, steps + 1) ages in
            months (`boneage_kedro.training.ages.attention_checks.delete_and_insert`).
        ids: of the cases.

    Returns:
        a row an order, test, case and step: ``order``; ``test``, deletion or insertion; ``id, share``; and
        ``change_months``, the distance from the age of the whole picture. Under deletion it should rise early, under
        insertion fall early.
    """
    parts = []
    for order, pair in curves.items():
        for test, ages, whole in zip(("deletion", "insertion"), pair, (0, -1), strict=True):
            change = np.abs(ages - ages[:, [whole]])
            count, steps = change.shape
            columns = {
                "order": order,
                "test": test,
                "id": np.repeat(list(ids), steps),
                "share": np.tile(np.linspace(0, 1, steps), count),
                "change_months": change.ravel(),
            }
            parts.append(pd.DataFrame(columns))
    return pd.concat(parts, ignore_index=True)


def compare_orders(changes: pd.DataFrame, against: Sequence[str], seed: int) -> pd.DataFrame:
    """Areas under the curves of each order, and how far they are from other orders on the same cases.

    Args:
        changes: as `changes_by_share` gives it.
        against: orders to hold the others against, such as random and centre.
        seed: of the bootstrap over cases.

    Returns:
        a row a test and order: ``test, order, cases``; ``area`` in months, the mean change over all shares, its
        standard deviation over cases ``area_sd``, and the 95% interval of its mean ``area_low, area_high``; for each
        ``against``: the mean of the paired difference from it ``minus_<order>`` with ``_low`` and ``_high``.
        Attention is worth something where it is above 0 under deletion and below 0 under insertion.
    """
    areas = changes.groupby(["test", "order", "id"])[["share", "change_months"]].apply(_area).unstack("id")
    rows = []
    for test, order in changes[["test", "order"]].drop_duplicates().itertuples(index=False):
        own = areas.loc[(test, order)]
        row: dict[str, object] = {"test": test, "order": order, "cases": len(own)}
        row |= {"area": own.mean(), "area_sd": own.std()}
        row["area_low"], row["area_high"] = mean_interval(own.to_numpy(), seed)
        for other in against:
            difference = (own - areas.loc[(test, other)]).to_numpy()
            row[f"minus_{other}"] = difference.mean()
            row[f"minus_{other}_low"], row[f"minus_{other}_high"] = mean_interval(difference, seed)
        rows.append(row)
    return pd.DataFrame(rows)


def _area(curve: pd.DataFrame) -> float:
    return float(np.trapezoid(curve["change_months"], curve["share"]))
