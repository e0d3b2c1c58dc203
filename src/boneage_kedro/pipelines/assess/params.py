"""Parameters of `assess`."""

from boneage_kedro.reading.settings import AssessSettings


class Params(AssessSettings):
    """How new cases are read."""
