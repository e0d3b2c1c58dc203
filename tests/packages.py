"""Packages of untrained networks."""

from typing import Any

import numpy as np
import torch

from boneage_kedro.evaluation.ages.intervals import IntervalCalibration
from boneage_kedro.evaluation.ages.mondrian import Group
from boneage_kedro.handover.package import ModelPackage, Network
from boneage_kedro.models.feature_distance import FeatureDistance
from boneage_kedro.models.regressor import AgeRegressor, RegressorConfig
from boneage_kedro.reading.reliability import fingerprint_network
from boneage_kedro.training.ages.pacing import Images


def package_of(network: AgeRegressor, preparation: Any, views: Any, images: Images = "whole") -> ModelPackage:
    """An untrained network with an interval of 15 months to either side, to which no picture is unknown."""
    settings = {
        "regressor": network.config.as_dict(),
        "cohort": "all",
        "weights_from": "random",
        "preparation": preparation,
        "age_range_months": [6.0, 216.0],
        "views": views,
        "images": images,
    }
    age = Network(network.state_dict(), settings)
    named = {"network": fingerprint_network(*age)}
    detector = FeatureDistance(network.head.in_features, rank=2)
    detector.threshold.fill_(np.inf)
    calibration = IntervalCalibration(0.9, 100, None, (Group("all", 0.0, 100, 15.0),))
    return ModelPackage(age, Network(detector.state_dict(), named), calibration.as_dict() | named)


def untrained(preparation: Any, images: Images = "whole", **config: Any) -> ModelPackage:
    """A small network that tells pictures apart, which a fresh head hardly does."""
    torch.manual_seed(0)
    usual = {"backbone": "test_efficientnet", "input_px": 64, "age_mean_months": 100.0, "age_sd_months": 40.0}
    network = AgeRegressor(RegressorConfig(**(usual | {"dropout": 0.0} | config)))
    torch.nn.init.normal_(network.head.weight)
    return package_of(network.eval(), preparation, {"flip": False, "rotations_deg": [0]}, images)
