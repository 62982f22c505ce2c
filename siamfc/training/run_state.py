"""Everything that a run needs to go on as if it had never stopped, in one safetensors file; nothing is unpickled."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from siamfc.errors import CheckpointError
from siamfc.files import write_whole

_VERSION = 1


class RunState(NamedTuple):
    """A run between two steps.

    Attributes:
        step: Steps done.
        model: The network's state as it is trained.
        average: Running mean of its weights; empty where there is none.
        optimiser: ``torch.optim.Optimizer.state_dict()["state"]``: tensors by parameter number and name.
        notes: All else, as JSON: settings, figures so far.
    """

    step: int
    model: dict[str, Tensor]
    average: dict[str, Tensor]
    optimiser: dict[int, dict[str, Tensor]]
    notes: dict[str, Any]


def save_state(path: Path, state: RunState) -> None:
    """Write a state whole, over the one before, which stays if this fails.

    Raises:
        OutputError: It cannot be written.
    """
    tensors = {f"model/{name}": value for name, value in state.model.items()}
    tensors |= {f"average/{name}": value for name, value in state.average.items()}
    for number, values in state.optimiser.items():
        tensors |= {f"optimiser/{number}/{name}": torch.as_tensor(value) for name, value in values.items()}
    plain = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    header = json.dumps({"version": _VERSION, "step": state.step, "notes": state.notes}, sort_keys=True)
    with write_whole(path, overwrite=True) as temporary:
        temporary.write_bytes(save(plain, metadata={"siamfc-run": header}))


def load_state(path: Path) -> RunState:
    """The state that `save_state` wrote.

    Raises:
        CheckpointError: The file cannot be read, or is no run's state.
    """
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
        header = json.loads(metadata["siamfc-run"])
        if header["version"] != _VERSION:
            raise CheckpointError(f"{path} is of another version of siamfc: start the run anew")
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise CheckpointError(f"{path} is not the state of a training run, or broken ({error})") from None
    optimiser: dict[int, dict[str, Tensor]] = {}
    for name, value in _part(tensors, "optimiser").items():
        number, _, key = name.partition("/")
        optimiser.setdefault(int(number), {})[key] = value
    return RunState(
        header["step"], _part(tensors, "model"), _part(tensors, "average"), optimiser, dict(header["notes"])
    )


def _part(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    start = f"{prefix}/"
    return {name.removeprefix(start): value for name, value in tensors.items() if name.startswith(start)}
