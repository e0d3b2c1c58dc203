"""How large an error is to be expected of a predicted age, from what is known when the child's true age is not."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

_MOST_STEPS = 100
_CLOSE_ENOUGH = 1e-8


@dataclass(frozen=True)
class Difficulty:
    """The expected absolute error as a smooth function of predicted age and sex.

    Its logarithm is a quadratic in age and differs by a constant between the sexes: with so few parameters a hundred
    cases tell it.

    Attributes:
        level_months: mean absolute error of the cases that it was fitted on.
        youngest, oldest: their predicted ages in months; ages outside count as these.
        weights: of the features, in the order of `_features`.
    """

    level_months: float
    youngest: float
    oldest: float
    weights: tuple[float, ...]

    @classmethod
    def fit(cls, cases: pd.DataFrame, ridge_cases: float) -> Self:
        """Fit to cases with ``sex, bone_age_months, predicted_months``.

        A Poisson regression, which needs no more than the form of the mean to be right, with a ridge penalty.

        Args:
            ridge_cases: how strongly weights are drawn to 0, that is, to the same error for all; 0 not at all.
        """
        ages = cases["predicted_months"].to_numpy(float)
        error = np.abs(ages - cases["bone_age_months"].to_numpy(float))
        plain = cls(
            level_months=max(float(error.mean()), 1e-6),
            youngest=float(ages.min()),
            oldest=max(float(ages.max()), float(ages.min()) + 1e-6),
            weights=(),
        )
        weights = _fit_poisson(plain._features(cases), error / plain.level_months, ridge_cases)
        return cls(**{**asdict(plain), "weights": tuple(weights.tolist())})

    def expect(self, cases: pd.DataFrame) -> np.ndarray:
        """Expected absolute errors in months, (n,) above 0, of cases with ``sex, predicted_months``."""
        return self.level_months * np.exp(self._features(cases) @ np.array(self.weights))

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {**asdict(self), "weights": list(self.weights)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """What `as_dict` gave.

        Raises:
            ValueError: it is of an earlier version, which could take uncertainties into account, and did.
        """
        if values.get("typical_uncertainty") is not None:
            raise ValueError(
                "the intervals were calibrated with uncertainties, which this version does not read; calibrate them "
                "again with kedro run --pipelines=ptl_regression"
            )
        return cls(
            **{name: values[name] for name in ("level_months", "youngest", "oldest")},
            weights=tuple(values["weights"]),
        )

    def _features(self, cases: pd.DataFrame) -> np.ndarray:
        """(n, 4): one, age from -1 to 1, its square, and sex."""
        ages = np.clip(cases["predicted_months"].to_numpy(float), self.youngest, self.oldest)
        place = 2 * (ages - self.youngest) / (self.oldest - self.youngest) - 1
        sex = np.where(cases["sex"] == "M", 0.5, -0.5)
        return np.stack([np.ones(len(cases)), place, place**2, sex], axis=1)


def _fit_poisson(features: np.ndarray, target: np.ndarray, ridge: float) -> np.ndarray:
    """Weights w that minimise sum(exp(Xw) - y Xw) + ridge / 2 |w|^2, the first weight free of the penalty.

    Args:
        features: (n, k), the first column ones.
        target: (n,) of mean 1, so that the start, w = 0, is near.
    """
    penalty = np.full(features.shape[1], max(ridge, 1e-6))  # never singular
    penalty[0] = 0
    weights = np.zeros(features.shape[1])
    for _ in range(_MOST_STEPS):
        mean = np.exp(features @ weights)
        slope = features.T @ (mean - target) + penalty * weights
        curvature = (features * mean[:, None]).T @ features + np.diag(penalty)
        step = np.linalg.solve(curvature, slope)
        step /= max(
            1.0, float(np.abs(features @ step).max())
        )  # no prediction changes by more than a factor e
        weights = weights - step
        if np.abs(step).max() < _CLOSE_ENOUGH:
            break
    return weights
