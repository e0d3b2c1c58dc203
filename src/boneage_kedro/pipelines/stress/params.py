"""Parameters of `stress`."""

from typing_extensions import TypedDict

from boneage_kedro.evaluation.clinical.determination import Centre
from boneage_kedro.imaging.changes.stress import StressSettings
from boneage_kedro.limits import Count


class Params(TypedDict):
    """How radiographs are changed, and how what comes of it is judged.

    ``centre`` is what an SD score is 0 at; ``cases`` of the test part at most are changed, drawn by the seed of the
    transformations; ``workers`` threads read and prepare them.
    """

    centre: Centre
    cases: Count
    batch_size: Count
    workers: Count
    sheet_columns: Count
    transformations: StressSettings
