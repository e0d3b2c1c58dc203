"""Ranges that parameters must keep; pydantic checks them at start-up."""

from dataclasses import dataclass
from math import inf
from typing import Annotated, Any


@dataclass(frozen=True)
class Within:
    """An annotation: the value lies from ``low`` to ``high``, both included.

    It imports pydantic only when pydantic asks, so that training settings need no pydantic where training runs alone.
    """

    low: float
    high: float = inf

    def check(self, value: float) -> float:
        """The value itself.

        Raises:
            ValueError: it lies outside.
        """
        if not self.low <= value <= self.high:
            most = f" and at most {self.high:g}" if self.high < inf else ""
            raise ValueError(f"must be at least {self.low:g}{most}")
        return value

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema  # noqa: PLC0415

        return core_schema.no_info_after_validator_function(self.check, handler(source))


Count = Annotated[int, Within(1)]
PixelSide = Annotated[int, Within(16)]
Share = Annotated[float, Within(0, 1)]
NotNegative = Annotated[float, Within(0)]
Positive = Annotated[float, Within(1e-12)]
Percentile = Annotated[float, Within(0, 100)]
