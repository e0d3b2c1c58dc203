"""Kedro dataset for pretrained weights of backbones."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from kedro.io import AbstractDataset, DatasetError

if TYPE_CHECKING:
    from boneage_kedro.models.weights import PretrainedWeights


class PretrainedWeightsDataset(AbstractDataset[Any, "PretrainedWeights"]):
    """The places where pretrained weights are looked for; nothing is read until a network asks.

    Example:
        .. code-block:: yaml

            pretrained_weights:
              type: boneage_kedro.datasets.PretrainedWeightsDataset
              path: data/06_models/pretrained   # may hold <backbone>.safetensors
    """

    def __init__(self, path: str, metadata: dict[str, Any] | None = None) -> None:
        self._path = Path(path)
        self.metadata = metadata

    def load(self) -> "PretrainedWeights":
        """A handle that fills a network; see `boneage_kedro.models.weights`."""
        from boneage_kedro.models.weights import PretrainedWeights  # noqa: PLC0415  (brings torch)

        return PretrainedWeights(self._path)

    def networks(self) -> set[str]:
        """Names of the networks that runs have left here, each with its settings beside its weights."""
        return {file.stem for file in self._path.glob("*.json")}

    def save(self, data: Any) -> NoReturn:
        """Raises: pretrained weights are brought by `make weights` or by hand."""
        raise DatasetError(f"pretrained weights are read-only; put a safetensors file into {self._path}")

    def _describe(self) -> dict[str, Any]:
        return {"path": str(self._path)}
