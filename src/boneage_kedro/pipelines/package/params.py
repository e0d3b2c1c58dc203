"""Parameters of `package`."""

from typing_extensions import TypedDict

from boneage_kedro.limits import Count, Positive


class Params(TypedDict):
    """How the ONNX file is held against the network: on so many test pictures, and how far it may differ."""

    parity_cases: Count
    parity_tolerance_months: Positive
