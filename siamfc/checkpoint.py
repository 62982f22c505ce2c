"""Checkpoints: weights, settings, format version and provenance in one safetensors file; nothing is unpickled."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from siamfc.config import Config, ModelConfig, parse_section
from siamfc.devices import choose_device
from siamfc.errors import CheckpointError
from siamfc.files import sha256_of, write_whole
from siamfc.model import SiamFC, build_model
from siamfc.provenance import CheckpointInfo, Provenance

FORMAT_VERSION = 1
DEFAULT_MODEL = "mobilenetv2"
_METADATA_KEY = "siamfc"


def weights_folder() -> Path:
    """Where the weights lie that ship with the package."""
    return Path(__file__).parent / "weights"


def model_names() -> list[str]:
    """The shipped models' names, the default first."""
    names = sorted(path.stem for path in weights_folder().glob("*.safetensors"))
    return sorted(names, key=lambda name: name != DEFAULT_MODEL)


def load_model(source: str | Path = DEFAULT_MODEL, *, device: str | torch.device = "auto") -> SiamFC:
    """A shipped model by name, or any checkpoint by path, in evaluation mode and float32.

    Args:
        source: A name from `model_names` or a file that `save_checkpoint` or ``siamfc convert`` wrote.
        device: ``auto``, ``cpu``, ``cuda:0``, ..., ``mps``, or a torch device.

    Returns:
        The model; ``model.info`` tells its hash, settings and provenance.

    Raises:
        CheckpointError: No such model or file, not a checkpoint of this package, broken, or of another network.
        EnvironmentProblem: A device that is not there.

    Example:
        >>> load_model("mobilenetv2-imagenet", device="cpu").config.backbone
        'mobilenetv2'
    """
    chosen = choose_device(str(device))
    info = read_info(source)
    model = build_model(info.model)
    with _open(info.path) as file:
        weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    _load_weights(model, weights, info.path)
    model.info = info
    return model.eval().to(chosen)


def as_model(model: SiamFC | str | Path, *, device: str | torch.device = "auto") -> SiamFC:
    """The model given, or the one of this name or path; arguments and errors as `load_model`."""
    return model if isinstance(model, SiamFC) else load_model(model, device=device)


def read_info(source: str | Path) -> CheckpointInfo:
    """What a checkpoint holds besides its weights, without building the network; errors as `load_model`."""
    path = _find(source)
    with _open(path) as file:
        metadata = file.metadata() or {}
    if _METADATA_KEY not in metadata:
        raise CheckpointError(
            f"{path} is a safetensors file, but not a checkpoint of siamfc; 'siamfc convert' reads other formats"
        )
    try:
        header = json.loads(metadata[_METADATA_KEY])
        version = int(header["format_version"])
        if version > FORMAT_VERSION:
            raise CheckpointError(
                f"{path} has checkpoint format {version}, and this siamfc reads up to {FORMAT_VERSION}: upgrade it"
            )
        settings = header["settings"]
        parse_section(Config, settings, where=str(path))
        return CheckpointInfo(
            name=path.stem,
            path=path,
            size_bytes=path.stat().st_size,
            sha256=sha256_of(path),
            format_version=version,
            model=parse_section(ModelConfig, header["model"], where=str(path)),
            settings=settings,
            provenance=Provenance.model_validate(header["provenance"]),
        )
    except (KeyError, TypeError, ValueError) as error:  # ValueError: JSON's, pydantic's and ConfigError, too
        raise CheckpointError(f"{path} has a header that cannot be read: {' '.join(str(error).split())}") from None


def save_checkpoint(
    path: str | Path,
    model: SiamFC,
    *,
    provenance: Provenance,
    settings: Mapping[str, Any] | None = None,
    half_precision: bool = False,
    overwrite: bool = False,
) -> CheckpointInfo:
    """Write a model as one safetensors file, whole or not at all.

    Args:
        path: Ends in ``.safetensors``.
        model: The model, not folded.
        provenance: Where its weights come from: a `siamfc.provenance.Provenance`.
        settings: Settings these weights want used, such as ``{"tracker": {"window_influence": 0.2}}``.
        half_precision: Store convolutions in float16. Batch norm's statistics, the channel statistics and the gain
            stay in float32: variances on 0..255 input can pass float16's largest number.
        overwrite: Allow an existing file to be replaced.

    Raises:
        CheckpointError: A weight that is not finite, or does not fit half precision.
        OutputError: The file exists, or cannot be written.
    """
    path = Path(path).expanduser()
    if path.suffix != ".safetensors":
        raise CheckpointError(f"a checkpoint's name ends in .safetensors, not {path.name!r}")
    weights = {
        name: _stored(name, tensor.detach().cpu(), half_precision) for name, tensor in model.state_dict().items()
    }
    for name, tensor in weights.items():
        if not torch.isfinite(tensor).all():
            raise CheckpointError(f"{name} holds values that are not finite (or pass float16's range)")
    header: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "model": model.config.model_dump(),
        "settings": dict(settings or {}),
        "provenance": provenance.model_dump(),
    }
    parse_section(Config, header["settings"], where="settings")
    with write_whole(path, overwrite=overwrite) as temporary:
        # Not save_file, whose error for a full disk is no OSError.
        temporary.write_bytes(save(weights, metadata={_METADATA_KEY: json.dumps(header, sort_keys=True)}))
    return read_info(path)


def _stored(name: str, tensor: Tensor, half_precision: bool) -> Tensor:
    keep = tensor.ndim == 0 or name.rpartition(".")[2] in ("running_mean", "running_var", "mean", "deviation")
    keep = keep or name.startswith(("channel_", "score_")) or not tensor.is_floating_point()
    return tensor.contiguous() if keep or not half_precision else tensor.half().contiguous()


def _find(source: str | Path) -> Path:
    if str(source) in model_names():
        return weights_folder() / f"{source}.safetensors"
    path = Path(source).expanduser()
    if not path.is_file():
        raise CheckpointError(f"no model '{source}': neither a file nor one of the shipped {', '.join(model_names())}")
    return path


def _open(path: Path) -> safe_open:
    try:
        return safe_open(path, framework="pt", device="cpu")
    except (SafetensorError, OSError) as error:
        raise CheckpointError(
            f"{path} cannot be read as safetensors ({error}); "
            "'siamfc convert' turns torchvision and huanglianghua/siamfc-pytorch files into checkpoints"
        ) from None


def _load_weights(model: SiamFC, weights: Mapping[str, Tensor], path: Path) -> None:
    expected = model.state_dict()
    missing, unknown = sorted(expected.keys() - weights.keys()), sorted(weights.keys() - expected.keys())
    if missing or unknown:
        raise CheckpointError(
            f"{path} does not fit {model.config.backbone}: missing {missing[:3]}, unknown {unknown[:3]} "
            f"({len(missing)} and {len(unknown)} in all)"
        )
    for name, tensor in weights.items():
        if tensor.shape != expected[name].shape:
            raise CheckpointError(
                f"{path}: {name} has the shape {tuple(tensor.shape)}, the network wants {tuple(expected[name].shape)}"
            )
        if not torch.isfinite(tensor).all():
            raise CheckpointError(f"{path}: {name} holds values that are not finite; the file is broken")
    model.load_state_dict({name: tensor.to(expected[name].dtype) for name, tensor in weights.items()})
