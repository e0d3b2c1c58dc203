"""Parameters of `assess`."""

from boneage_kedro.training.settings import AssessSettings


class Params(AssessSettings):
    """How new cases are read."""
