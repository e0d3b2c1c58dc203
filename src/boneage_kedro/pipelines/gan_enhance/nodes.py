"""Nodes of `gan_enhance`. Torch is imported inside them, so that the CLI and kedro viz start quickly."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mlflow
import numpy as np
import pandas as pd
from PIL import Image
from rich.progress import track

from boneage_kedro.datasets.resumable_partitions import PartsState
from boneage_kedro.evaluation.ages.metrics import final_metrics, metric_curve
from boneage_kedro.imaging.ingest import in_chunks
from boneage_kedro.imaging.store import ImageStore, StoreChunk, StoreEntry, StoreHeader, StoreState
from boneage_kedro.masks.hand.store import WithoutBackground, ingest_hand_masks
from boneage_kedro.pipelines.gan_enhance.methods import all_methods, enhancer_in_use, gold_pairs, graded_hands
from boneage_kedro.pipelines.gan_enhance.params import Params
from boneage_kedro.pipelines.mask_steps import Predicted
from boneage_kedro.provenance import fingerprint, fingerprint_code

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from torch import Tensor

    from boneage_kedro.evaluation.enhancement.fidelity import FidelityLimits
    from boneage_kedro.imaging.contrast.enhancement import Enhancement
    from boneage_kedro.training.checkpoint import CheckpointFile
    from boneage_kedro.training.enhancement.gan import Sheet
    from boneage_kedro.training.enhancement.pairs import Pairs

logger = logging.getLogger(__name__)

_CODE = ("imaging", "models", "evaluation", "training")
_HISTORY = ("generator_loss", "discriminator_loss", "reconstruction", "validation_l1", "validation_psnr")


def store_cut_masks(
    hands: ImageStore, predicted: Predicted, masks_state: PartsState, state: StoreState
) -> Iterator[StoreChunk]:
    """Bring the masks of hands into the frame of the cut hands."""
    yield from ingest_hand_masks(hands, lambda key: np.asarray(predicted[key]()), masks_state.made_by, state)


def rate_exposure(
    hands: ImageStore, masks: ImageStore, cases: pd.DataFrame, splits: pd.DataFrame, params: Params
) -> pd.DataFrame:
    """Rate how well each hand is exposed, and choose gold (`boneage_kedro.training.enhancement.gold.rate_hands`)."""
    from boneage_kedro.training.enhancement.gold import rate_hands

    return rate_hands(hands, masks, cases.merge(splits, on="id"), params["pairs"])


def offer_hands(
    hands: ImageStore, masks: ImageStore, exposure: pd.DataFrame, params: Params
) -> dict[str, Image.Image]:
    """Hands of the training part without background, for a person to adjust (docs/tone.md)."""
    ids, bare = _training_hands(hands, exposure), WithoutBackground(hands, masks)
    drawn = np.random.default_rng(params["pairs"]["seed"]).permutation(len(ids))[: params["offered_cases"]]
    return {ids[i]: Image.fromarray(bare[ids[i]]) for i in sorted(drawn)}


def list_pair_problems(folder: Path, params: Params) -> pd.DataFrame:
    """What is wrong with pairs that a person adjusted; nothing is looked at where gold comes from physics."""
    from boneage_kedro.cohort.findings import Finding, finding_rows
    from boneage_kedro.training.enhancement.pairs import FolderPairs

    if params["pairs"]["source"] == "physics":
        return finding_rows(Finding.UNUSABLE_PAIR, [], [])
    findings = FolderPairs(folder, params["tiles"]["tile_px"]).findings
    for problem in findings["detail"]:
        logger.warning("a pair is not used: %s", problem)
    return findings


def set_guard_limits(
    hands: ImageStore, masks: ImageStore, exposure: pd.DataFrame, params: Params
) -> FidelityLimits:
    """What an enhanced picture must keep, set on hands of the training part."""
    from boneage_kedro.training.enhancement.cohort import set_limits

    ids = _training_hands(hands, exposure)
    return set_limits(hands, masks, ids, params["guard"], params["pairs"]["seed"])


def train_enhancer(
    hands: ImageStore,
    masks: ImageStore,
    exposure: pd.DataFrame,
    splits: pd.DataFrame,
    folder: Path,
    checkpoint: CheckpointFile,
    params: Params,
) -> tuple[dict[str, Tensor], dict[str, Any], pd.DataFrame]:
    """Teach the enhancer; sheets of the same validation pairs go to MLflow as it learns.

    Returns:
        its weights, the settings that build it again, and a row an epoch.
    """
    from boneage_kedro.training.enhancement.cohort import teach_enhancer

    gold = gold_pairs(hands, masks, exposure, splits, folder, params)
    pairs, gan = params["pairs"], params["gan"]
    weights, settings, history = teach_enhancer(gold, hands, pairs, gan, checkpoint, _log_sheet)
    return weights, settings, pd.DataFrame(history)


def enhance_hands(
    hands: ImageStore,
    masks: ImageStore,
    weights: dict[str, Tensor],
    settings: dict[str, Any],
    limits: FidelityLimits,
    state: StoreState,
    fidelity: pd.DataFrame | None,
    params: Params,
) -> Iterator[tuple[StoreChunk, pd.DataFrame]]:
    """Enhance every hand of the store under the guard.

    Args:
        fidelity: of an earlier run, which this one goes on with if it was killed.

    Yields:
        chunks of the enhanced store, and the table of fidelity so far.
    """
    from boneage_kedro.reading.reliability import fingerprint_network
    from boneage_kedro.training.device import device_of
    from boneage_kedro.training.enhancement.cohort import enhance_hands as enhance
    from boneage_kedro.training.enhancement.enhance import build_enhancer

    _check_preparation(settings, hands)
    _, used = enhancer_in_use(weights, settings, limits, params)
    made_by = fingerprint_network(weights, used)
    header = StoreHeader(
        hands.header.canvas_px,
        {**hands.header.preparation, "enhanced": made_by},
        fingerprint_code(*_CODE),
    )
    names = {key: fingerprint(hands.fingerprint([key]), masks.fingerprint([key])) for key in hands.ids}
    known = state.sources if state.header == header and fidelity is not None else {}
    earlier = [] if fidelity is None else fidelity.to_dict("records")
    rows: dict[str, Any] = {row["id"]: row for row in earlier}
    todo = [key for key in hands.ids if known.get(key) != names[key] or key not in rows]
    rows = {key: row for key, row in rows.items() if key in set(hands.ids) - set(todo)}
    enhanced = enhance(
        build_enhancer(weights, settings),
        hands,
        masks,
        todo,
        settings,
        used["tiles"],
        used["guard"],
        params["gan"]["batch_size"],
        device_of(params["gan"]["accelerator"]),
    )

    def entries() -> Iterator[StoreEntry]:
        for hand in track(enhanced, "enhancing hands", total=len(todo), transient=True):
            rows[hand.id] = hand.row
            record = {**hands.record(hand.id), "enhanced": bool(hand.row["used"])}
            yield StoreEntry(hand.id, names[hand.id], hand.picture, record)

    for chunk in in_chunks(header, entries()):
        yield chunk, pd.DataFrame(rows.values()).sort_values("id", ignore_index=True)


def grade_enhancement(
    hands: ImageStore,
    masks: ImageStore,
    weights: dict[str, Tensor],
    settings: dict[str, Any],
    limits: FidelityLimits,
    exposure: pd.DataFrame,
    splits: pd.DataFrame,
    folder: Path,
    source: str,
    params: Params,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame, Figure]:
    """Hold the enhancer against plain methods, on the test part: on its pairs, and on hands as they came.

    Returns:
        a row a picture and method of the pairs, with PSNR and SSIM, and one of the hands, with their tone; a row a
        method of either; and some of the pairs by each method (paper 001, figure 10).
    """
    from boneage_kedro.evaluation.enhancement.image_quality import quality_table
    from boneage_kedro.training.enhancement.cohort import grade_hands, grade_pairs

    gold = gold_pairs(hands, masks, exposure, splits, folder, params)
    methods = all_methods(gold, weights, settings, limits, params)
    of_pairs = grade_pairs(gold.test, methods)
    of_hands = grade_hands(hands, masks, graded_hands(exposure, params), methods)
    sheet = _draw_pairs(gold.test, methods, source, params)
    return of_pairs, of_hands, quality_table(of_pairs), quality_table(of_hands), sheet


def draw_enhancement(
    hands: ImageStore,
    masks: ImageStore,
    enhanced: ImageStore,
    limits: FidelityLimits,
    fidelity: pd.DataFrame,
    grades: pd.DataFrame,
    source: str,
    params: Params,
) -> tuple[Figure, Figure]:
    """Enhanced hands to look at, of those that were cut out, and how even the tones of hands are by each method."""
    from boneage_kedro.evaluation.enhancement.fidelity import structure_change
    from boneage_kedro.evaluation.enhancement.figures import fidelity_sheet, tone_spread
    from boneage_kedro.evaluation.figures import worst_first

    # of hands that were not cut out, what is around them changes most
    cut = [bool(hands.record(key)["cut"]) for key in fidelity["id"]]
    worst = worst_first(fidelity[cut].fillna({"reason": ""}), "added", params["sheet_cases"])
    bare = WithoutBackground(hands, masks)
    before, after = ([some[key].astype(np.float32) / 255 for key in worst["id"]] for some in (bare, enhanced))
    changes = [
        structure_change(picture, made, masks[key] > 0, params["guard"]["fidelity"])
        for key, picture, made in zip(worst["id"], before, after, strict=True)
    ]
    title = f"Enhanced hands with most added structure, {source}"
    doubted = fidelity_sheet(before, after, changes, worst, limits["most_fine_change"], title)
    return doubted, tone_spread(grades, f"Tone of hands as they came, {source}")


def collect_enhancement(
    history: pd.DataFrame, of_pairs: pd.DataFrame, of_hands: pd.DataFrame, fidelity: pd.DataFrame
) -> dict[str, Any]:
    """Curves of the training and final figures in the form MLflow takes."""
    metrics: dict[str, Any] = {name: metric_curve(history["epoch"], history[name]) for name in _HISTORY}
    finals = {
        **{f"test.{row['method']}.psnr": row["psnr"] for row in of_pairs.to_dict("records")},
        **{f"test.{row['method']}.ssim": row["ssim"] for row in of_pairs.to_dict("records")},
        **{f"test.{row['method']}.mean_sd": row["mean_sd"] for row in of_hands.to_dict("records")},
        **{f"test.{row['method']}.contrast_sd": row["contrast_sd"] for row in of_hands.to_dict("records")},
        "used_share": fidelity["used"].mean(),
    }
    return metrics | final_metrics(finals)


def _draw_pairs(pairs: Pairs, methods: Mapping[str, Enhancement], source: str, params: Params) -> Figure:
    from boneage_kedro.evaluation.enhancement.figures import enhancement_sheet

    shown = [pairs.pair(i, 0) for i in range(min(params["sheet_columns"], len(pairs)))]
    rows = {name: [method(pair.x, pair.inside) for pair in shown] for name, method in methods.items()}
    return enhancement_sheet(
        {**rows, "gold standard": [pair.y for pair in shown]},
        list(pairs.ids[: len(shown)]),
        f"Badly exposed hands and what each method makes of them, {source}",
    )


def _training_hands(hands: ImageStore, exposure: pd.DataFrame) -> list[str]:
    """Hands of the training part whose masks are trusted."""
    ids = exposure.loc[exposure["part"] == "train", "id"]
    return [key for key in ids if hands.record(key)["cut"]]


def _check_preparation(settings: Mapping[str, Any], hands: ImageStore) -> None:
    if settings["preparation"] != hands.header.preparation:
        raise ValueError(
            "hands are prepared or cut in another way (data_prep.preparation, hand_active_learning.crop) than those "
            "the enhancer has learnt from; run the pipeline gan_enhance as a whole"
        )


def _log_sheet(epoch: int, sheet: Sheet) -> None:
    """To MLflow, since a person should see how the pictures come while the network learns."""
    from boneage_kedro.evaluation.enhancement.figures import enhancement_sheet

    rows = {"input": sheet.pictures, "enhanced": sheet.made, "gold standard": sheet.gold}
    figure = enhancement_sheet({name: list(row) for name, row in rows.items()}, sheet.ids, f"Epoch {epoch}")
    if mlflow.active_run():
        mlflow.log_figure(figure, f"enhancer_sheets/epoch_{epoch:03d}.png")
