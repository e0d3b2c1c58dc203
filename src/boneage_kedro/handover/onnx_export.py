"""The age network as ONNX, for programs that have no torch."""

from typing import Any, NamedTuple, cast

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor, nn
from torch.export import Dim

from boneage_kedro.handover.package import Network
from boneage_kedro.models.age_ensemble import AgeNetwork
from boneage_kedro.reading.reliability import fingerprint_network
from boneage_kedro.training.ages.attention_maps import AttentionMapper, map_attention
from boneage_kedro.training.ages.regression import build_regressor, views_in
from boneage_kedro.training.ages.settings import ViewSettings
from boneage_kedro.training.batches import AgeSamples

INPUTS = ("image", "is_male")
OUTPUTS = ("age_months", "map_months")


class Parity(NamedTuple):
    """Greatest differences of ONNX Runtime from torch over some pictures, of ages and of cells of maps, in months."""

    age_months: float
    map_months: float


class _AgeAndMap(nn.Module):
    """What `assess` takes from a network: the map, mean over the views, and the age that it adds up to."""

    def __init__(self, network: AgeNetwork, views: ViewSettings) -> None:
        super().__init__()
        self.mapper = AttentionMapper(network, views)

    def forward(self, image: Tensor, is_male: Tensor) -> tuple[Tensor, Tensor]:
        seen = self.mapper(image, is_male)
        return seen.ages, seen.maps


def export_onnx(network: Network) -> bytes:
    """The network with its views as an ONNX file.

    Inputs are ``image`` (B, 1, P, P) float32 from 0 to 1, prepared as the settings say, and ``is_male`` (B,) bool;
    outputs are ``age_months`` (B,) and ``map_months`` (B, k, k), the months that each place adds, in cells that share
    the picture evenly, both float32.
    """
    model = build_regressor(dict(network.weights), dict(network.settings))
    side = model.config.input_px
    example = torch.zeros(2, 1, side, side), torch.tensor([False, True])
    # both have the same number of rows; a second axis of the name would be warned of
    shapes: dict[str, dict[int, Any]] = {"image": {0: Dim("batch")}, "is_male": {0: Dim.AUTO}}
    program = torch.onnx.export(
        _AgeAndMap(model.eval(), views_in(network.settings)).eval(),
        example,
        input_names=INPUTS,
        output_names=OUTPUTS,
        dynamic_shapes=shapes,
        dynamo=True,
        verbose=False,
    )
    exported = cast(torch.onnx.ONNXProgram, program).model_proto
    _forget_sources(exported)
    onnx.helper.set_model_props(exported, {"network": fingerprint_network(*network), "input_px": str(side)})
    return exported.SerializeToString()


def measure_parity(model: bytes, network: Network, samples: AgeSamples) -> Parity:
    """Hold an ONNX file against the network that it was made of."""
    cpu = torch.device("cpu")
    built = build_regressor(dict(network.weights), dict(network.settings))
    maps, rests = map_attention(built, samples, len(samples), cpu, views_in(network.settings))
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    (batch,) = samples.batches(len(samples), cpu)
    values = batch.images.numpy(), batch.is_male.numpy()
    ages, own_maps = session.run(OUTPUTS, dict(zip(INPUTS, values, strict=True)))
    return Parity(
        float(np.abs(ages - (maps.mean((1, 2)) + rests)).max()), float(np.abs(own_maps - maps).max())
    )


def _forget_sources(model: Any) -> None:
    """Take out where in which source file each node comes from: paths of the machine that it was made on."""
    for part in (*model.graph.node, *model.graph.value_info, *model.functions):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    for function in model.functions:
        for node in function.node:
            node.ClearField("metadata_props")
