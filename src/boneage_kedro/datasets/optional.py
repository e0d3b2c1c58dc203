"""Kedro dataset for what may be missing."""

from typing import Any, NoReturn

from kedro.io import AbstractDataset, DatasetError


class OptionalDataset(AbstractDataset[Any, Any]):
    """Another dataset, read-only, which is None as long as it does not exist.

    Example:
        .. code-block:: yaml

            settings_if_any:
              type: boneage_kedro.datasets.OptionalDataset
              dataset: { type: json.JSONDataset, filepath: data/06_models/settings.json }
    """

    def __init__(self, dataset: dict[str, Any], metadata: dict[str, Any] | None = None) -> None:
        self._dataset: AbstractDataset[Any, Any] = AbstractDataset.from_config("optional", dataset)
        self.metadata = metadata

    def load(self) -> Any:
        """What the dataset holds, or None."""
        return self._dataset.load() if self._dataset.exists() else None

    def save(self, data: Any) -> NoReturn:
        """Raises: it is written under its own name."""
        raise DatasetError("an optional dataset is only read; save to the dataset it stands for")

    def _describe(self) -> dict[str, Any]:
        return {"dataset": self._dataset}
