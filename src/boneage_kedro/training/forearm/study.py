"""Networks for radius and ulna held against each other, and on fewer training pictures (paper 002, section 4)."""

from collections.abc import Iterator, Mapping, Sequence

import pandas as pd

from boneage_kedro.imaging.store import ImageStore
from boneage_kedro.training.checkpoint import CheckpointFile
from boneage_kedro.training.forearm.presets import pick_preset, settings_of
from boneage_kedro.training.forearm.settings import ForearmArm, ForearmPreset
from boneage_kedro.training.forearm.training import score_on_test, train_forearm_segmenter
from boneage_kedro.training.segmentation.lesson import MaskedData
from boneage_kedro.training.study import run_cells


def run_forearm_study(
    data: MaskedData,
    images: ImageStore,
    presets: Mapping[str, ForearmPreset],
    input_px: int,
    arms: Sequence[ForearmArm],
    seeds: Sequence[int],
    checkpoint: CheckpointFile,
) -> Iterator[pd.DataFrame]:
    """Train every arm with every seed; a cell that was finished before is not trained again.

    Args:
        data: ``images`` are cut to the forearm.
        images: whole.

    Raises:
        ValueError: as `run_cells`, or an arm names no preset.

    Yields:
        after each cell the table so far: ``arm, seed`` and a row an epoch (`train_forearm_segmenter`); the last row
        of a cell has what the kept network scores on the test part, too (`score_on_test`).
    """
    for arm in arms:
        pick_preset(presets, arm["preset"], f"the preset of the arm {arm['name']} of dru_study.arms")

    def run(arm: ForearmArm, seed: int, cell: CheckpointFile) -> pd.DataFrame:
        network, stages = settings_of(presets[arm["preset"]], input_px, arm.get("network", {}), seed)
        model, _, table = train_forearm_segmenter(data, network, stages, arm["labelled"], cell)
        scores = pd.DataFrame(
            [score_on_test(model, images, data.images, data.test, network["fit"])], index=table.index[-1:]
        )
        return table.join(scores)

    yield from run_cells("dru_study", arms, seeds, checkpoint, run)
