"""``siamfc average``: the mean of several networks' weights."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from siamfc.cli.console import output, say


def average(
    sources: Annotated[
        list[str],
        typer.Argument(metavar="CHECKPOINT...", help="Shipped models or checkpoints, two or more."),
    ],
    target: Annotated[Path, typer.Option("--output", "-o", help="The checkpoint to write; ends in .safetensors.")],
    half: Annotated[
        bool, typer.Option("--half", help="Store in half precision; batch norm's statistics stay in float32.")
    ] = False,
    description: Annotated[str, typer.Option(help="One sentence for 'siamfc models' and the file.")] = "",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file if it is there.")] = False,
) -> None:
    """Average the weights of runs that began with the same ones, seeds of one --init; nothing is learned.

    The mean can be better than each, for it has less of what one run's luck taught it. Settings for the tracker are
    the first one's. The score has to be calibrated anew: 'siamfc calibrate'.

    Example: siamfc average seed0/model.safetensors seed1/model.safetensors -o mean.safetensors
    """
    from siamfc.averaging import average_weights, distance
    from siamfc.checkpoint import load_model, save_checkpoint
    from siamfc.errors import ConfigError
    from siamfc.provenance import combined_provenance
    from siamfc.versions import package_version

    models = [load_model(source, device="cpu") for source in sources]
    infos = [model.info for model in models if model.info is not None]
    if len({info.sha256 for info in infos}) < len(infos):
        raise ConfigError("the same checkpoint is given more than once")
    mean = average_weights(models)
    info = save_checkpoint(
        target,
        mean,
        provenance=combined_provenance(infos, description=description, made_with=f"siamfc {package_version()} average"),
        # A threshold of matching is of one network's features.
        settings={name: values for name, values in infos[0].settings.items() if name != "match"},
        half_precision=half,
        overwrite=overwrite,
    )
    if any(info.settings.get("tracker") != infos[0].settings.get("tracker") for info in infos):
        say(f"their settings for the tracker differ: kept are those of {sources[0]}")
    alike = f"whose layers differ by {distance(models)[0]:.0%} of their size at most"
    size = f"{info.size_bytes / 1e6:.2f} MB, sha256 {info.short_hash}"
    output.print(f"wrote {info.path}, the mean of {len(models)}, {alike}, {size}", markup=False, soft_wrap=True)
    scored = f"siamfc calibrate --weights {info.path} --data LAYOUT:PATH -o scored.safetensors"
    output.print(f"next: {scored}", markup=False, soft_wrap=True)
