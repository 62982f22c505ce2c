"""Device, precision and processes of a run, by Lightning Fabric; several processes where torchrun starts them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from siamfc.devices import choose_device
from siamfc.errors import ConfigError, EnvironmentProblem

if TYPE_CHECKING:
    from lightning_fabric import Fabric

PRECISIONS = ("32-true", "bf16-mixed")


def build_fabric(device: str = "auto", precision: str = "32-true") -> Fabric:
    """Fabric for this process, joined with the others where torchrun started several.

    Args:
        device: ``auto``, ``cpu``, ``cuda:0``, ..., ``mps``; under torchrun the kind alone counts, and each process of
            a machine takes the GPU of its own number.
        precision: Of `PRECISIONS`.

    Raises:
        EnvironmentProblem: The extra ``train`` is not installed, or the device is not there.
        ConfigError: No such precision.
    """
    try:
        from lightning_fabric import Fabric
    except ImportError as error:
        raise EnvironmentProblem(f'training needs the extra "train": pip install "siamfc[train]" ({error})') from error
    if precision not in PRECISIONS:
        raise ConfigError(f"precision is one of {', '.join(PRECISIONS)}, not {precision!r}")
    chosen = choose_device(device)
    processes, here = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    if processes > 1:
        fabric = Fabric(
            accelerator=chosen.type,
            devices=here,
            num_nodes=processes // here,
            strategy="ddp",
            precision=precision,  # type: ignore[arg-type]
        )
    else:
        devices = [chosen.index or 0] if chosen.type == "cuda" else 1
        fabric = Fabric(accelerator=chosen.type, devices=devices, precision=precision)  # type: ignore[arg-type]
    fabric.launch()
    return fabric
