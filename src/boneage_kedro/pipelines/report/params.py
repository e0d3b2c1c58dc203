"""Parameters of `report`."""

from typing_extensions import TypedDict


class Params(TypedDict):
    """What the page says about its data; ``command`` is what runs pipelines of this environment."""

    title: str
    notice: str
    command: str
