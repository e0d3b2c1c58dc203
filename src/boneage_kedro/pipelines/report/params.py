"""Parameters of `report`."""

from typing_extensions import TypedDict


class Params(TypedDict):
    """What the page says about its data."""

    title: str
    notice: str
