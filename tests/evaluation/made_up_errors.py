"""Predictions whose errors are known: small for young and old children, three times as large in the middle."""

import numpy as np
import pandas as pd


def predictions(count: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    predicted = rng.uniform(12, 216, count)
    return pd.DataFrame(
        {
            "sex": rng.choice(["F", "M"], count),
            "predicted_months": predicted,
            "bone_age_months": predicted + error_sd(predicted) * rng.standard_normal(count),
        }
    )


def error_sd(predicted: np.ndarray) -> np.ndarray:
    return np.where((predicted > 72) & (predicted < 144), 12.0, 4.0)
