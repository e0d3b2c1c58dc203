"""What can be set about the study of BoNet; the values live in ``conf/*/parameters_*.yml``."""

from typing import Annotated

from typing_extensions import TypedDict

from boneage_kedro.limits import Positive, Within
from boneage_kedro.models.blocks import Block
from boneage_kedro.training.settings import RegressorChanges


class CrossValidation(TypedDict):
    """Training and validation part together are cut into ``folds``, by patient, within sex and age band."""

    folds: Annotated[int, Within(2)]
    age_band_months: Positive
    seed: int


class BonetArm(TypedDict):
    """One way of learning: the network, its start, and the blocks that learn; all else is shared."""

    name: str
    network: RegressorChanges
    free: list[Block]
