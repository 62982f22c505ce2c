"""Writing a checkpoint that was made of several."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from siamfc.cli.console import output

if TYPE_CHECKING:
    from siamfc.model import SiamFC
    from siamfc.provenance import CheckpointInfo


def write_combined(
    target: Path,
    model: SiamFC,
    parts: Sequence[CheckpointInfo],
    *,
    command: str,
    told: str,
    description: str,
    half: bool,
    overwrite: bool,
) -> None:
    """Write a model with the first part's settings and the origin of all, and tell what it is and what comes next.

    Args:
        target: The file.
        model: What was made.
        parts: Of what.
        command: By which command of ``siamfc``.
        told: Of the model, between the file's name and its size.
        description: As the command takes it; ``half`` and ``overwrite``, too.
        half: As there.
        overwrite: As there.
    """
    from siamfc.checkpoint import save_checkpoint
    from siamfc.provenance import combined_provenance
    from siamfc.versions import package_version

    made_with = f"siamfc {package_version()} {command}"
    info = save_checkpoint(
        target,
        model,
        provenance=combined_provenance(parts, description=description, made_with=made_with),
        # A threshold of matching is of one network's features.
        settings={name: values for name, values in parts[0].settings.items() if name != "match"},
        half_precision=half,
        overwrite=overwrite,
    )
    size = f"{info.size_bytes / 1e6:.2f} MB, sha256 {info.short_hash}"
    output.print(f"wrote {info.path}, {told}, {size}", markup=False, soft_wrap=True)
    scored = f"siamfc calibrate --weights {info.path} --data LAYOUT:PATH -o scored.safetensors"
    output.print(f"next: {scored}", markup=False, soft_wrap=True)
