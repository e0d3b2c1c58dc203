"""Kedro dataset for a model that is handed over."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mlflow
from kedro.io import AbstractDataset
from mlflow.exceptions import MlflowException

if TYPE_CHECKING:
    from boneage_kedro.handover.package import ModelPackage

_ARTIFACTS = "package"


class ModelPackageDataset(AbstractDataset["ModelPackage", "ModelPackage"]):
    """The folder of a packed model; see `boneage_kedro.handover.package`.

    Within an MLflow run the folder is also kept as an artifact of the run and, under ``registered_as``, as a new
    version in the model registry, from where ``mlflow artifacts download -u models:/NAME/VERSION`` brings it.

    Example:
        .. code-block:: yaml

            model_package:
              type: boneage_kedro.datasets.ModelPackageDataset
              path: data/06_models/package
              registered_as: boneage
    """

    def __init__(
        self, path: str, registered_as: str | None = None, metadata: dict[str, Any] | None = None
    ) -> None:
        self._path, self._registered_as = Path(path), registered_as
        self.metadata = metadata

    @property
    def folder(self) -> Path:
        """Where the package lies."""
        return self._path

    def load(self) -> "ModelPackage":
        """The package, every file held against its manifest."""
        from boneage_kedro.handover.package import load_package  # noqa: PLC0415  (brings torch)

        return load_package(self._path)

    def save(self, data: "ModelPackage") -> None:
        """Write it in the place of an earlier one, then record and register it if there is a run."""
        from boneage_kedro.handover.package import write_package  # noqa: PLC0415  (brings torch)

        run = mlflow.active_run()
        write_package(self._path, replace(data, mlflow_run=run.info.run_id) if run else data)
        if run:
            mlflow.log_artifacts(str(self._path), _ARTIFACTS)
            if self._registered_as:
                _register(self._registered_as, run.info.run_id, data.network)

    def _exists(self) -> bool:
        return (self._path / "package.json").exists()

    def _describe(self) -> dict[str, Any]:
        return {"path": str(self._path), "registered_as": self._registered_as}


def _register(name: str, run_id: str, network: str) -> None:
    """Add a version to the registry, whose source is the artifact of the run."""
    client = mlflow.MlflowClient()
    try:
        client.get_registered_model(name)
    except MlflowException:  # there is none yet; if the registry fails, so does the next call
        client.create_registered_model(name)
    source = mlflow.get_artifact_uri(_ARTIFACTS)
    client.create_model_version(name, source, run_id, tags={"network": network})
