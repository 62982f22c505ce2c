"""Which device to compute on: a name from the user, checked; or the best there is."""

from __future__ import annotations

import torch

from siamfc.errors import EnvironmentProblem


def choose_device(name: str = "auto") -> torch.device:
    """The device of this name; ``auto`` takes a CUDA GPU, then Apple's ``mps``, then the CPU.

    Raises:
        EnvironmentProblem: A device named by the user that this machine or this build of torch does not have.

    Example:
        >>> choose_device("cpu")
        device(type='cpu')
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda:0")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise EnvironmentProblem(f"no device '{name}': it is one of auto, cpu, cuda:0, cuda:1, ..., mps") from None
    usable = {"cpu": True, "mps": torch.backends.mps.is_available()}.get(device.type, False)
    if device.type == "cuda":
        usable = (device.index or 0) < torch.cuda.device_count()
    if not usable:
        raise EnvironmentProblem(
            f"device '{name}' cannot be used here: torch {torch.__version__} sees {', '.join(device_names())}"
        )
    return device


def device_names() -> list[str]:
    """Names of the devices that torch can use here."""
    names = ["cpu"] + [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    return [*names, "mps"] if torch.backends.mps.is_available() else names


def device_label(device: torch.device) -> str:
    """A device as people call it: its name, and the GPU's where there is one."""
    return f"{device} ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else str(device)
