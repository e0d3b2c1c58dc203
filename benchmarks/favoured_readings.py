"""What it would bring to move predicted ages to the readings that readers favour: the plates of the atlas.

    python -m benchmarks.favoured_readings --env rsna --others rsna_start

Readers who compare with an atlas say the age of a plate, so most of the read ages lie on a few values. With the
readings of other children as what is known before, and a normal distribution of ``sd`` months about the predicted
age, the median of what a reader would say errs least. Errors are mean absolute ones, in months, of the network that
`ptl_regression` has trained, on cases that it has not learnt from; the test part is not looked at.
"""

import argparse

import numpy as np
import pandas as pd
from benchmarks.shipped import open_catalog

PARTS = {"folds gone without": ["train", "validation"], "calibration": ["calibration"]}
DEVIATIONS_MONTHS = (1, 2, 3, 4, 5, 6, 8, 10)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--env", required=True)
    parser.add_argument("--others", required=True, help="environment of other children's readings")
    arguments = parser.parse_args()
    predictions = open_catalog(arguments.env).load("ptl_predictions")
    others = open_catalog(arguments.others).load("cases")
    others = others[~others["id"].isin(predictions["id"])]
    print(f"{'':20}" + "".join(f"{part:>30}" for part in PARTS) + "   (change, standard error)")
    for sd_months in (None, *DEVIATIONS_MONTHS):
        cells = [
            describe(predictions[predictions["split"].isin(splits)], others, sd_months)
            for splits in PARTS.values()
        ]
        print(f"{'as predicted' if sd_months is None else f'{sd_months} months':20}" + "".join(cells))


def describe(cases: pd.DataFrame, others: pd.DataFrame, sd_months: float | None) -> str:
    read, predicted = (cases[key].to_numpy(float) for key in ("bone_age_months", "predicted_months"))
    before = np.abs(predicted - read)
    if sd_months is None:
        return f"{before.mean():30.2f}"
    change = np.abs(favoured(cases, others, sd_months) - read) - before
    error = change.std(ddof=1) / len(change) ** 0.5
    return f"{(before + change).mean():14.2f} ({change.mean():+.2f}, {error:.2f})"


def favoured(cases: pd.DataFrame, others: pd.DataFrame, sd_months: float) -> np.ndarray:
    """The median of what readers would say of each case, in months (n,)."""
    said = np.empty(len(cases))
    for sex, part in others.groupby("sex"):
        readings, counts = np.unique(part["bone_age_months"].to_numpy(float), return_counts=True)
        chosen = (cases["sex"] == sex).to_numpy()
        off = (cases.loc[chosen, "predicted_months"].to_numpy()[:, None] - readings) / sd_months
        likely = counts * np.exp(-0.5 * off**2)  # (n, K)
        passed = likely.cumsum(1) >= likely.sum(1, keepdims=True) / 2
        said[chosen] = readings[passed.argmax(1)]
    return said


if __name__ == "__main__":
    main()
