"""Whether an age that a network has read can be relied on, by what was learnt about that very network."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import pandas as pd
from torch import Tensor

from boneage_kedro.evaluation.ages.age_range import range_reasons, range_warning
from boneage_kedro.evaluation.ages.intervals import IntervalCalibration
from boneage_kedro.models.feature_distance import FeatureDistance
from boneage_kedro.models.weights import fingerprint_weights
from boneage_kedro.provenance import fingerprint
from boneage_kedro.training.ages.familiarity import unfamiliar_reason


class Verdict(NamedTuple):
    """Why an age must not be relied on, a sentence each, and what else is to be said of it."""

    reasons: list[str]
    warnings: list[str]


@dataclass(frozen=True)
class Reliability:
    """What is known of one network: how far it errs, which pictures it knows, and which ages.

    Attributes:
        intervals: from its errors on children that it did not learn from.
        familiarity: from its features, with a threshold.
        age_range: youngest and oldest bone age that it learnt from, months.
    """

    intervals: IntervalCalibration
    familiarity: FeatureDistance
    age_range: Sequence[float]

    @classmethod
    def of(
        cls,
        weights: Mapping[str, Tensor],
        settings: Mapping[str, Any],
        intervals: Mapping[str, Any],
        familiarity_weights: dict[str, Tensor],
        familiarity_settings: Mapping[str, Any],
    ) -> Self:
        """Put together what `ptl_regression` has kept of a network.

        Raises:
            ValueError: intervals or familiarity are those of another network.
        """
        network = fingerprint_network(weights, settings)
        kept = {"ptl_intervals": intervals, "ptl_familiarity_settings": familiarity_settings}
        for name, values in kept.items():
            if values["network"] != network:
                raise ValueError(
                    f"{name} belongs to another network than ptl_weights, so it says nothing of its ages; make it "
                    "again, with the same --env: kedro run --pipelines=ptl_regression "
                    "--from-nodes=calibrate_ages,learn_familiarity"
                )
        detector = FeatureDistance.of(familiarity_weights)
        return cls(IntervalCalibration.from_dict(intervals), detector, settings["age_range_months"])

    def interval(self, sex: str, age: float) -> tuple[float, float]:
        """Lower and upper end in months, about a predicted age."""
        lower, upper = self.intervals.interval(pd.DataFrame({"sex": [sex], "predicted_months": [age]}))
        return float(lower[0]), float(upper[0])

    def judge(
        self, age: float, interval: tuple[float, float], chronological_age: float, distance: float
    ) -> Verdict:
        """What speaks against an age, and what else is to be said of it.

        Args:
            interval: in months.
            age, distance: see `reasons`.
            chronological_age: in months, nan where it is not given.
        """
        beyond = range_reasons(age, chronological_age, self.age_range)
        warning = "" if beyond else range_warning(*interval, self.age_range)
        return Verdict([*beyond, *self._strange(distance)], [*filter(None, [warning])])

    def reasons(self, age: float, distance: float) -> list[str]:
        """Why an age of a child of unknown age must not be relied on, a sentence each.

        Args:
            age: in months.
            distance: of the picture from those in training, by ``familiarity``.
        """
        return [*range_reasons(age, math.nan, self.age_range), *self._strange(distance)]

    def _strange(self, distance: float) -> list[str]:
        return [*filter(None, [unfamiliar_reason(distance, float(self.familiarity.threshold))])]


def fingerprint_network(weights: Mapping[str, Tensor], settings: Mapping[str, Any]) -> str:
    """Names a trained network with all that its ages depend on, such as the preparation of pictures and the views."""
    return fingerprint(fingerprint_weights(weights), dict(settings))
