"""Kedro datasets that kedro-datasets lacks."""

from boneage_kedro.datasets.annotation_queue import AnnotationQueueDataset
from boneage_kedro.datasets.checkpoint import CheckpointDataset
from boneage_kedro.datasets.file_bytes import FileBytesDataset
from boneage_kedro.datasets.folder import FolderDataset
from boneage_kedro.datasets.fresh_partitions import FreshPartitionedDataset
from boneage_kedro.datasets.image_store import ImageStoreDataset, ImageStoreStateDataset
from boneage_kedro.datasets.lineage import LineageDataset
from boneage_kedro.datasets.model_package import ModelPackageDataset
from boneage_kedro.datasets.optional import OptionalDataset
from boneage_kedro.datasets.pretrained_weights import PretrainedWeightsDataset
from boneage_kedro.datasets.radiograph_folder import RadiographFolderDataset
from boneage_kedro.datasets.resumable_partitions import (
    Parts,
    PartsState,
    PartsStateDataset,
    ResumablePartitionedDataset,
)

__all__ = [
    "AnnotationQueueDataset",
    "CheckpointDataset",
    "FileBytesDataset",
    "FolderDataset",
    "FreshPartitionedDataset",
    "ImageStoreDataset",
    "ImageStoreStateDataset",
    "LineageDataset",
    "ModelPackageDataset",
    "OptionalDataset",
    "Parts",
    "PartsState",
    "PartsStateDataset",
    "PretrainedWeightsDataset",
    "RadiographFolderDataset",
    "ResumablePartitionedDataset",
]
