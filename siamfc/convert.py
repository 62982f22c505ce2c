"""Checkpoints from other projects' weight files, read without executing anything they may hold."""

from __future__ import annotations

import pickle
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from siamfc.config import ModelConfig
from siamfc.errors import CheckpointError
from siamfc.model import SiamFC, build_model

_READABLE = (
    "siamfc convert reads a torchvision MobileNetV2 state dict (nested or flat names) and a "
    "huanglianghua/siamfc-pytorch state dict (backbone.convN.M.*)"
)
_MOBILENET_FIRST = "features.0.0.weight"
_ALEXNET_FIRST = "backbone.conv1.0.weight"
# Channels at width 1.0; those of the first blocks are the same from 0.9 to 1.1, since they are rounded to 8.
_MOBILENET_CHANNELS = {_MOBILENET_FIRST: 32, "features.7.conv.2.weight": 64}
# Score of a standardised exemplar with itself is about 1: one over channels x cells of a 127 px exemplar.
_MOBILENET_GAIN = 1 / (192 * 9 * 9)


class Conversion(NamedTuple):
    """A converted model, and what the file held that the network has no place for."""

    model: SiamFC
    layout: str
    dropped: list[str]


def convert_weights(path: Path, *, last_block: int = 7) -> Conversion:
    """The model that a foreign weight file holds.

    Args:
        path: The file.
        last_block: Where MobileNetV2 is cut; its first figures were measured with 7.

    torchvision's MobileNetV2 gets ``first_search`` standardisation, since its features were not trained for
    correlation; the layers behind the cut are dropped. huanglianghua's AlexNet keeps that port's numbers: batch norm
    with 1e-6, the correlation times 1e-3, no bias.

    Raises:
        CheckpointError: The file cannot be read as plain tensors, or is of a layout that is not known.
    """
    weights = _read_tensors(path)
    if _ALEXNET_FIRST in weights:
        return _convert_alexnet(weights, path)
    if _MOBILENET_FIRST in weights:
        return _convert_mobilenet(weights, path, last_block)
    some = ", ".join(list(weights)[:3]) or "nothing"
    raise CheckpointError(f"{path} holds {some}, ..., which is no layout known here. {_READABLE}.")


def _read_tensors(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise CheckpointError(f"no file {path}")
    try:
        # From an open file: given a name, torch chooses the reader by its suffix. It warns of some pickle protocols.
        with path.open("rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            content = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # noqa: BLE001 - an unpickler raises anything on bytes that are no pickle
        # torch's own text for this advises to load it unsafely.
        unpickling = isinstance(error, (pickle.UnpicklingError, LookupError))
        reason = "it holds more than tensors, or is no file of torch's" if unpickling else str(error).partition("\n")[0]
        raise CheckpointError(
            f"{path} cannot be read as plain tensors ({reason}). {_READABLE}; pickled modules, TorchScript and MATLAB "
            "files are not read, since they can run code or hold another network: save a state_dict instead."
        ) from None
    for key in ("state_dict", "model"):
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    if not isinstance(content, Mapping) or not all(isinstance(value, Tensor) for value in content.values()):
        raise CheckpointError(f"{path} holds a {type(content).__name__}, not a state dict of tensors. {_READABLE}.")
    return {str(name).removeprefix("module."): tensor for name, tensor in content.items()}


def _convert_alexnet(weights: Mapping[str, Tensor], path: Path) -> Conversion:
    model = build_model(ModelConfig(backbone="alexnet", batch_norm_eps=1e-6))
    renamed = {name.removeprefix("backbone."): tensor for name, tensor in weights.items()}
    dropped = _fill(model, renamed, path)
    return Conversion(model, "huanglianghua/siamfc-pytorch AlexNet", dropped)


def _convert_mobilenet(weights: Mapping[str, Tensor], path: Path, last_block: int) -> Conversion:
    is_flat = "features.1.conv.0.weight" in weights
    renamed = {_nested_name(name) if is_flat else name: tensor for name, tensor in weights.items()}
    for name, channels in _MOBILENET_CHANNELS.items():
        came = renamed[name].shape[0] if name in renamed else channels
        if came != channels:
            raise CheckpointError(
                f"{path} is a MobileNetV2 of width {came / channels:g} ({name} has {came} channels); only width 1.0 "
                f"({channels} channels) is read"
            )
    config = ModelConfig(
        backbone="mobilenetv2", last_block=last_block, standardisation="first_search", gain=_MOBILENET_GAIN
    )
    model = build_model(config)
    dropped = _fill(model, renamed, path)
    return Conversion(model, f"torchvision MobileNetV2, {'flat' if is_flat else 'nested'} names", dropped)


def _nested_name(name: str) -> str:
    """Torchvision's name for a parameter whose block counts convolutions, norms and activations in one row.

    Example:
        >>> _nested_name("features.2.conv.4.bias"), _nested_name("features.1.conv.3.weight")
        ('features.2.conv.1.1.bias', 'features.1.conv.1.weight')
    """
    match = re.fullmatch(r"features\.(\d+)\.conv\.(\d+)\.(\w+)", name)
    if match is None:
        return name
    block, layer, kind = int(match[1]), int(match[2]), match[3]
    triples = 1 if block == 1 else 2  # convolution, norm, activation; then the projection: convolution, norm
    inner = f"{layer // 3}.{layer % 3}" if layer < 3 * triples else f"{layer - 2 * triples}"
    return f"features.{block}.conv.{inner}.{kind}"


def _fill(model: SiamFC, weights: Mapping[str, Tensor], path: Path) -> list[str]:
    """Copy what the backbone wants; the names of the layers left over, whole blocks by their own name."""
    wanted = model.backbone.state_dict()
    missing = [name for name in wanted if name not in weights and not name.endswith("num_batches_tracked")]
    wrong = [name for name in wanted if name in weights and weights[name].shape != wanted[name].shape]
    if missing or wrong:
        name = (missing or wrong)[0]
        came = (
            "is missing" if missing else f"has the shape {tuple(weights[name].shape)}, not {tuple(wanted[name].shape)}"
        )
        raise CheckpointError(f"{path} does not fit {model.config.backbone}: {name} {came}. {_READABLE}.")
    model.backbone.load_state_dict({name: weights.get(name, tensor) for name, tensor in wanted.items()})
    kept = {_block(name) for name in wanted}
    left = (name for name in weights if name not in wanted)
    dropped = {name.rpartition(".")[0] if _block(name) in kept else _block(name) for name in left}
    return sorted(dropped, key=_by_number)


def _block(name: str) -> str:
    """The part of a network that a parameter is in.

    Example:
        >>> _block("features.18.0.weight")
        'features.18'
    """
    return ".".join(name.split(".")[:2])


def _by_number(name: str) -> list[int | str]:
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]
