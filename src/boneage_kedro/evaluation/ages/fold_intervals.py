"""Intervals of a network, from the errors on cases that it, or a part of it, has not learnt from."""

import pandas as pd

from boneage_kedro.evaluation.ages.intervals import (
    IntervalCalibration,
    IntervalSettings,
    calibrate,
    ensemble_factor,
)

MEMBER_COLUMNS = "member_{}_months"
"""Ages by each network of an ensemble, empty for the cases that it has learnt from."""


def ages_by_member(predictions: pd.DataFrame) -> pd.DataFrame:
    """The `MEMBER_COLUMNS` of a table; none of a network without folds."""
    return predictions.filter(regex="^" + MEMBER_COLUMNS.format(r"\d+") + "$")


def calibrate_network(predictions: pd.DataFrame, settings: IntervalSettings) -> IntervalCalibration:
    """Intervals from the calibration part; of an ensemble of folds from all cases but those of the test part.

    A case of a fold has an age by the network that went without it. Such errors are those of one network. On the
    calibration part, from which none has learnt, all are compared with the mean of them, and the intervals are
    narrowed by as much.

    Args:
        predictions: ``split, sex, bone_age_months, predicted_months`` and, of an ensemble, `MEMBER_COLUMNS`.

    Raises:
        ValueError: as `boneage_kedro.evaluation.ages.intervals.calibrate`; or an ensemble without a calibration part.
    """
    members = ages_by_member(predictions)
    kept_out = predictions["split"] == "calibration"
    if members.empty:
        return calibrate(predictions[kept_out], settings)
    if not kept_out.any():
        raise ValueError(
            "an ensemble of folds needs a calibration part, to tell how much better it is than its networks; see "
            "data_prep.splits.fractions"
        )
    truth, together = (predictions.loc[kept_out, key] for key in ("bone_age_months", "predicted_months"))
    factor = ensemble_factor(truth.to_numpy(), together.to_numpy(), members[kept_out].to_numpy())
    folds = predictions[predictions["split"].isin(["train", "validation"])]
    return calibrate(folds, settings).scaled(factor)
