"""Nodes of `package`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from boneage_kedro.pipelines.gan_enhance.methods import enhancer_in_use
from boneage_kedro.pipelines.package.params import Params
from boneage_kedro.pipelines.ptl_regression.params import Params as TrainingParams

if TYPE_CHECKING:
    from torch import Tensor

    from boneage_kedro.handover.package import ModelPackage
    from boneage_kedro.imaging.store import ImageStore

Weights = dict[str, "Tensor"]
Settings = dict[str, Any]


def export_age_network(
    store: ImageStore,
    cases: pd.DataFrame,
    splits: pd.DataFrame,
    weights: Weights,
    settings: Settings,
    params: Params,
) -> tuple[bytes, dict[str, float]]:
    """Write the network that reads the age as ONNX, and hold that against it on some test pictures.

    Returns:
        the file, and ``cases, age_months, map_months``: how many pictures, and the greatest differences on them.

    Raises:
        ArithmeticError: ONNX Runtime gives other ages or maps than torch.
        ValueError: the pictures are not those the network was trained on.
    """
    from boneage_kedro.handover.onnx_export import export_onnx, measure_parity
    from boneage_kedro.handover.package import Network
    from boneage_kedro.training.ages.regression import check_pictures, select_cohort, select_samples

    network = Network(weights, settings)
    labelled = select_cohort(cases, splits, settings["cohort"])
    check_pictures(store, labelled["id"].tolist(), settings)
    chosen = labelled[labelled["split"] == "test"].head(params["parity_cases"])
    exported = export_onnx(network)
    parity = measure_parity(
        exported, network, select_samples(store, chosen, settings["regressor"]["input_px"])
    )
    if not max(parity) <= params["parity_tolerance_months"]:
        raise ArithmeticError(
            f"the ONNX file differs from the network by {max(parity):.2g} months, more than "
            f"package.parity_tolerance_months ({params['parity_tolerance_months']:g}) allows"
        )
    return exported, {"cases": len(chosen), **parity._asdict()}


def pack_model(
    weights: Weights,
    settings: Settings,
    intervals: Settings,
    familiarity_weights: Weights,
    familiarity_settings: Settings,
    finger_weights: Weights | None,
    finger_settings: Settings | None,
    hand_weights: Weights | None,
    hand_settings: Settings | None,
    dru_weights: Weights | None,
    dru_settings: Settings | None,
    *enhancer: Any,
) -> ModelPackage:
    """Put together all that reads a bone age; networks for masks come along if they have been trained.

    Args:
        enhancer: what `enhancer_in_use` takes, where ages are read from enhanced hands.

    Raises:
        ValueError: the pictures that the network reads cannot be made without a network that is missing.
    """
    from boneage_kedro.handover.package import ModelPackage, Network

    masked_by = {
        "phalanx": (finger_weights, finger_settings),
        "hand": (hand_weights, hand_settings),
        "dru": (dru_weights, dru_settings),
    }
    package = ModelPackage(
        age=Network(weights, settings),
        familiarity=Network(familiarity_weights, familiarity_settings),
        intervals=intervals,
        masks={
            kind: Network(its_weights, its_settings)
            for kind, (its_weights, its_settings) in masked_by.items()
            if its_weights is not None and its_settings is not None
        },
        enhancer=Network(*enhancer_in_use(*enhancer)) if enhancer else None,
    )
    package.check()
    return package


def describe_model(
    package: ModelPackage,
    cases: pd.DataFrame,
    splits: pd.DataFrame,
    test: pd.DataFrame,
    parity: dict[str, float],
    source: str,
    notice: str,
    training: TrainingParams,
) -> str:
    """The model card as Markdown: data, figures by age band and sex, limits.

    Args:
        test: the test part with predicted ages and intervals.
    """
    from boneage_kedro.handover.card import count_cases, measure_performance, write_card
    from boneage_kedro.training.ages.regression import images_in, select_cohort

    settings, band = package.age.settings, training["age_band_months"]
    facts = {
        "source": source,
        "notice": notice,
        "parity": parity,
        "network": package.network,
        "masks": list(package.masks),
        "images": images_in(settings),
        "folds": settings.get("folds"),
        "data": settings.get("data", []),  # none of a network from before this was kept
        "coverage": package.intervals["coverage"],
        "calibration_cases": package.intervals["cases"],
        "false_alarms": package.familiarity.settings["false_alarms"],
        **{key: settings[key] for key in ("regressor", "cohort", "weights_from", "age_range_months")},
    }
    labelled = select_cohort(cases, splits, settings["cohort"])
    performance = measure_performance(test, band, training["fit"]["seed"])
    return write_card(facts, count_cases(labelled, band), performance)


def add_documents(package: ModelPackage, card: str, onnx: bytes) -> ModelPackage:
    """The package with its model card and the ONNX file."""
    return replace(package, documents={"README.md": card.encode(), "age.onnx": onnx})
