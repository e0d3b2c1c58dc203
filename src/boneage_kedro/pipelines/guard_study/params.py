"""Parameters of `guard_study`."""

from typing_extensions import TypedDict

from boneage_kedro.evaluation.enhancement.fidelity_study import FidelityStudy
from boneage_kedro.limits import Count
from boneage_kedro.pipelines.fabricate.params import Params as Phantoms


class Params(TypedDict):
    """Phantoms of their own, what is planted in them, and how often their table is saved."""

    phantoms: Phantoms
    study: FidelityStudy
    save_every: Count
