"""What several views, the mean of the folds' networks or of their weights, and a line against bias are worth.

    python -m benchmarks.age_options --env rsna

Takes the network that `ptl_regression` has trained in that environment. Errors are mean absolute ones, in months.
What to use is chosen on the calibration part, from which nothing was learnt; the test part only says how it came out.
"""

import argparse
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from benchmarks.shipped import open_catalog

from boneage_kedro.evaluation.ages.bias_correction import fit_bias_correction
from boneage_kedro.evaluation.ages.fold_intervals import ages_by_member
from boneage_kedro.models.age_ensemble import AgeEnsemble, merge
from boneage_kedro.training.ages.predict import predict_ages
from boneage_kedro.training.ages.regression import CohortReader, check_cohort, select_cohort
from boneage_kedro.training.ages.settings import ViewSettings

PARTS = ("calibration", "test")


class Trained(NamedTuple):
    """What `ptl_regression` has left."""

    reader: CohortReader
    cases: pd.DataFrame
    predictions: pd.DataFrame
    began_alike: bool


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--env", default="base")
    parser.add_argument("--turn-deg", type=float, default=8, help="of the turned views, to both sides")
    arguments = parser.parse_args()
    trained = load(arguments.env)
    views: dict[str, ViewSettings] = {
        "as it is": {"flip": False, "rotations_deg": [0]},
        "and mirrored": {"flip": True, "rotations_deg": [0]},
        "and turned": {"flip": True, "rotations_deg": [0, -arguments.turn_deg, arguments.turn_deg]},
    }
    ages = {name: by_member(trained.reader, choice) for name, choice in views.items()}
    print(
        f"{'':52}" + "".join(f"{part} ({(trained.cases['split'] == part).sum()})".rjust(20) for part in PARTS)
    )
    for title, predicted in rows(ages, trained):
        errors = np.abs(predicted - trained.cases["bone_age_months"].to_numpy()[:, None]).mean(1)
        print(
            f"{title:52}"
            + "".join(f"{errors[trained.cases['split'] == part].mean():20.2f}" for part in PARTS)
        )


def rows(ages: Mapping[str, np.ndarray], trained: Trained) -> Iterator[tuple[str, np.ndarray]]:
    """A title and predicted ages (n, k): of k networks, of which the errors are averaged, or of one."""
    for name, of_members in ages.items():
        if of_members.shape[1] > 1:
            yield f"one of {of_members.shape[1]} networks, picture {name}", of_members
        yield f"their mean, picture {name}", of_members.mean(1, keepdims=True)
    model = trained.reader.model
    if isinstance(model, AgeEnsemble) and trained.began_alike:  # others have no mean of their weights
        merged = trained.reader._replace(
            model=merge(model).eval().to(trained.reader.device), views={"flip": True, "rotations_deg": [0]}
        )
        yield "one network of their mean weights, picture and mirrored", predict_ages(*merged)[:, None]
    together = ages["and mirrored"].mean(1)
    for by_sex in (False, True):
        line = fit_bias_correction(unseen_in_training(trained), by_sex)
        corrected = line.apply(trained.cases["sex"].to_numpy(), together)
        yield f"their mean, picture and mirrored, line {'a sex' if by_sex else 'for all'}", corrected[:, None]


def unseen_in_training(trained: Trained) -> pd.DataFrame:
    """Cases of the folds, which the network that reads them has not learnt from; without folds of the calibration."""
    without_folds = ages_by_member(trained.predictions).empty
    part = ["calibration"] if without_folds else ["train", "validation"]
    return trained.predictions[trained.predictions["split"].isin(part)]


def by_member(reader: CohortReader, views: ViewSettings) -> np.ndarray:
    """Ages (n, k) in months by each network."""
    model = reader.model
    members = model.regressors if isinstance(model, AgeEnsemble) else [model]
    return np.stack([predict_ages(*reader._replace(model=each, views=views)) for each in members], axis=1)


def load(env: str) -> Trained:
    catalog = open_catalog(env)
    params, settings = catalog.load("params:ptl_regression"), catalog.load("ptl_settings")
    labelled = select_cohort(catalog.load("cases"), catalog.load("splits"), params["cohort"])
    check_cohort(labelled, settings)
    cases = labelled[labelled["split"].isin(PARTS)].reset_index(drop=True)
    store, weights = catalog.load("image_store"), catalog.load("ptl_weights")
    reader = CohortReader.of(store, cases, weights, settings, params["fit"])
    variants = settings.get("folds", {}).get("variants", [])
    began_alike = not any("initial_weights" in variant for variant in variants)
    return Trained(reader, cases, catalog.load("ptl_predictions"), began_alike)


if __name__ == "__main__":
    main()
