"""From a preset and the size of its pictures to the settings of one training."""

from collections.abc import Mapping, Sequence

from boneage_kedro.training.forearm.settings import ForearmPreset
from boneage_kedro.training.optimisers import rate_for_mean_loss
from boneage_kedro.training.segmentation.settings import NetworkChanges, SegmentationSettings
from boneage_kedro.training.settings import StageSettings


def pick_preset(presets: Mapping[str, ForearmPreset], name: str, where: str) -> ForearmPreset:
    """The preset of a name.

    Args:
        where: the key that names it, for the message.

    Raises:
        ValueError: there is none.
    """
    if name not in presets:
        raise ValueError(
            f"{where} is {name!r}, which is none of dru_segmentation.presets: {', '.join(presets)}; "
            "correct the name or add the preset"
        )
    return presets[name]


def settings_of(
    preset: ForearmPreset, input_px: int, changes: NetworkChanges, seed: int | None = None
) -> tuple[SegmentationSettings, Sequence[StageSettings]]:
    """Network and stages, with rates for a loss that is a mean over pixels.

    Args:
        input_px: side of the pictures.
        changes: keys of the network that differ.
        seed: instead of the preset's.
    """
    network, stages = preset["network"], preset["stages"]
    fit = network["fit"] if seed is None else {**network["fit"], "seed": seed}
    if preset["rates_are_for"] == "summed_loss":
        pixels = fit["batch_size"] * input_px**2
        rates = [rate_for_mean_loss(stage["learning_rate"], fit["weight_decay"], pixels) for stage in stages]
        stages = [
            {**stage, "learning_rate": rate.learning_rate} for stage, rate in zip(stages, rates, strict=True)
        ]
        fit = {**fit, "weight_decay": rates[0].weight_decay}
    return {**network, **changes, "input_px": input_px, "fit": fit}, stages
