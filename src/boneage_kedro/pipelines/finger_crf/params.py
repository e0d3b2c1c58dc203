"""Parameters of `finger_crf`."""

from typing import Literal

from typing_extensions import TypedDict


class Params(TypedDict):
    """Where to look for better settings than those of `finger_selftrain`, and on which masks."""

    part: Literal["train", "validation"]
    grid: dict[str, list[float]]
