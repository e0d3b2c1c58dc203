"""Where the attention of a network lies: its shares by region of the hand, against the shares of the area."""

from collections.abc import Sequence

import cv2
import numpy as np
import pandas as pd

from boneage_kedro.evaluation.attention.hand_regions import REGIONS

_QUARTILES = {"q1": 0.25, "median": 0.5, "q3": 0.75}


def attention_by_region(
    maps: np.ndarray, regions: Sequence[np.ndarray] | np.ndarray, ids: Sequence[str]
) -> pd.DataFrame:
    """Count the attention of each case by region.

    A place of a map that covers several regions is shared among them by area, so nothing is gained or lost: the
    months of a case add up to the mean of its map. What a network sees as one cell is much larger than a small bone,
    so shares of small regions are drawn towards those of what surrounds them.

    Args:
        maps: (n, h, w) months, laid on the picture (`boneage_kedro.evaluation.attention.placing.place_maps`).
        regions: of each case (H, W) uint8, codes of `boneage_kedro.evaluation.attention.hand_regions.REGIONS`, in the
            frame of the picture that the map explains.
        ids: of the cases.

    Returns:
        a row a case and region: ``id, region``; ``attention``, the share of the absolute attention, and ``area``,
        that of the picture, 0 to 1; ``enrichment``, the one over the other, nan where the region has no area; and
        ``months`` that the region adds to the age.

    Raises:
        ValueError: there are not as many of each, or a map is 0 everywhere.
    """
    if not len(maps) == len(regions) == len(ids):
        raise ValueError(
            f"{len(maps)} maps, {len(regions)} region maps and {len(ids)} ids do not belong together"
        )
    parts = [_one_case(*case) for case in zip(maps, regions, ids, strict=True)]
    return pd.concat(parts, ignore_index=True)


def summarise_regions(by_case: pd.DataFrame, cohorts: Sequence[str] = ()) -> pd.DataFrame:
    """Median and quartiles over cases of the share of attention, of the enrichment and of the months, by region.

    Args:
        by_case: as `attention_by_region` gives it, with further columns of the cohorts.
        cohorts: columns to tell apart, such as ``sex``.

    Returns:
        a row a cohort and region, in the order of `REGIONS`: the cohorts, ``region, cases``, ``area`` on average, and
        ``attention, enrichment, months``, each with ``_median, _q1, _q3``; and ``above_area``, the share of the cases
        whose attention to the region is above its area.
    """
    keys = [*cohorts, "region"]
    groups = by_case.assign(
        region=pd.Categorical(by_case["region"], REGIONS, ordered=True),
        above_area=(by_case["attention"] > by_case["area"]).astype(float),
    ).groupby(keys, observed=True)
    summary = groups.agg(cases=("id", "size"), area=("area", "mean"), above_area=("above_area", "mean"))
    for measure in ("attention", "enrichment", "months"):
        for name, quantile in _QUARTILES.items():
            summary[f"{measure}_{name}"] = groups[measure].quantile(quantile)
    return summary.reset_index().astype({"region": str})


def _one_case(months: np.ndarray, regions: np.ndarray, key: str) -> pd.DataFrame:
    total = np.abs(months).sum()
    if not total:
        raise ValueError(f"case {key}: the map is 0 everywhere, so it has no shares")
    covered = _coverage(regions, months.shape)  # (regions, h, w)
    attention = (covered * np.abs(months)).sum((1, 2)) / total
    area = covered.mean((1, 2))
    return pd.DataFrame(
        {
            "id": key,
            "region": REGIONS,
            "attention": attention,
            "area": area,
            "enrichment": np.divide(attention, area, out=np.full(len(area), np.nan), where=area > 0),
            "months": (covered * months).mean((1, 2)),
        }
    )


def _coverage(regions: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Share of each cell of a coarse grid that each region covers, (regions, h, w) float64."""
    size = (shape[1], shape[0])
    layers = [(regions == code).astype(np.float64) for code in range(len(REGIONS))]
    return np.stack([cv2.resize(layer, size, interpolation=cv2.INTER_AREA) for layer in layers])
