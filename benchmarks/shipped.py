"""The settings that the project ships, so that benchmarks measure what users run."""

from pathlib import Path

import yaml

from boneage_kedro.imaging.preparation import PreparationSettings

CONF = Path(__file__).resolve().parents[1] / "conf" / "base"


def preparation(canvas_px: int) -> PreparationSettings:
    """The preparation of ``conf/base`` on another canvas."""
    block = yaml.safe_load((CONF / "parameters_data_prep.yml").read_text(encoding="utf-8"))
    settings: PreparationSettings = block["data_prep"]["preparation"]
    return {**settings, "canvas_px": canvas_px}
