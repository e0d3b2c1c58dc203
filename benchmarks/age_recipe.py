"""What each part of the recipe for ages brings: the first fold's network, trained with one thing changed at a time.

    python -m benchmarks.age_recipe --env rsna [--arms "as it is" "no EMA"] [--seeds 1 2]

Every row is a network that learnt from the same children. Errors are mean absolute ones, in months, of the part
`calibration`, from which no network learns and by which no epoch is chosen; the test part is not looked at. The
training of an arm is kept beside the checkpoint of `ptl_regression`, so that more arms and seeds can be added. The
last arm starts from weights that the base environment has left: copy its `fine_tune_weights.safetensors` and
`fine_tune_settings.json` to `data/06_models/pretrained` as `phantom_ages`.
"""

import argparse
import copy
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from benchmarks.shipped import open_catalog

from boneage_kedro.provenance import fingerprint
from boneage_kedro.training.ages.folds import deal_folds, own_settings
from boneage_kedro.training.ages.regression import predict_table, select_cohort, train_age_regressor

PART = "calibration"
MANY_CHANGES = {"crop_probability": 0.5, "window_probability": 0.5, "blur_px": 0.8, "noise_sd": 0.04}
RATE_FROM_IMAGENET = (
    0.002  # of all stages: small rates, which keep what a start knows, would leave ImageNet's behind
)

ARMS: dict[str, dict[str, Any]] = {
    "as it is": {},
    "from ImageNet's weights": {"initial_weights": "pretrained"},
    "from ImageNet's weights, rate 0.002": {"initial_weights": "pretrained", "rate": RATE_FROM_IMAGENET},
    "all layers at once": {"strategy": "fine_tune_stages"},
    "RMSprop": {"fit": {"optimiser": "rmsprop"}},
    "as many pictures of each year": {"balance_band_months": 12},
    "not mirrored": {"augment": {"flip_probability": 0}},
    "blurred pictures": {"augment": {"blur_px": 0.8}},
    "crops, windows, blur and noise": {"augment": MANY_CHANGES},
    "no EMA": {"fit": {"ema_decay": 0}},
    "expectation head": {"head": {"kind": "expectation"}},
    "squared error": {"fit": {"loss": "l2"}},
    "twice as long": {"longer": 2},
    "160 px": {"input_px": 160},
    "224 px": {"input_px": 224},
    "girls alone": {"cohort": "F"},
    "boys alone": {"cohort": "M"},
    "from a network of phantoms, rate 0.002": {"initial_weights": "phantom_ages", "rate": RATE_FROM_IMAGENET},
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--env", default="base")
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=list(ARMS), metavar="ARM")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1])
    arguments = parser.parse_args()
    catalog = open_catalog(arguments.env)
    print(f"{'':40}" + "".join(f"{title:>18}" for title in ("all", "girls", "boys", "bias", "seeds")))
    for arm in arguments.arms:
        found = pd.concat([errors(catalog, arm, seed).assign(seed=seed) for seed in arguments.seeds])
        print(f"{arm:40}" + "".join(f"{text:>18}" for text in describe(found)), flush=True)


def errors(catalog: Any, arm: str, seed: int) -> pd.DataFrame:
    """Sex and error in months of every case of the part, by a network that is trained first."""
    params = changed(catalog.load("params:ptl_regression"), ARMS[arm])
    params["fit"]["seed"] = seed
    labelled = select_cohort(catalog.load("cases"), catalog.load("splits"), params["cohort"])
    store, checkpoint = catalog.load("image_store"), catalog.load("ptl_checkpoint")
    model, described, _ = train_age_regressor(
        store,
        deal_folds(labelled, params["folds"])[0],
        catalog.load("pretrained_weights"),
        checkpoint.beside(f"recipe_{fingerprint(arm)[:12]}_{seed}"),
        own_settings(params, {}, fold=1),
        params["stages"],
    )
    cases = labelled[labelled["split"] == PART]
    table = predict_table(store, cases, model.state_dict(), described, params["fit"])
    return table.assign(error=table["predicted_months"] - table["bone_age_months"])[["sex", "error"]]


def changed(params: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters with the changes of an arm.

    ``strategy`` names the stages, ``rate`` is that of all of them, and they are as many times ``longer``.
    """
    ours = copy.deepcopy(dict(params))
    for name, value in changes.items():
        ours[name] = ours[name] | value if isinstance(value, dict) else value
    longer = changes.get("longer", 1)
    ours["stages"] = [
        {
            **stage,
            "learning_rate": changes.get("rate", stage["learning_rate"]),
            "max_epochs": longer * stage["max_epochs"],
            "patience": longer * stage["patience"],
        }
        for stage in ours[changes.get("strategy", "ptl_stages")]
    ]
    return ours


def describe(found: pd.DataFrame) -> list[str]:
    """Mean and standard deviation over seeds of the MAE of all, girls and boys, and of the bias."""
    groups = {"all": found, "girls": found[found["sex"] == "F"], "boys": found[found["sex"] == "M"]}
    texts = [
        _spread(group["error"].abs().groupby(group["seed"]).mean().to_numpy()) for group in groups.values()
    ]
    return [*texts, _spread(found.groupby("seed")["error"].mean().to_numpy()), str(found["seed"].nunique())]


def _spread(values: np.ndarray) -> str:
    if not len(values):
        return "-"
    return f"{values.mean():.2f}" + (f" ± {values.std(ddof=1):.2f}" if len(values) > 1 else "")


if __name__ == "__main__":
    main()
