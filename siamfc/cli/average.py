"""``siamfc average``: the mean of several networks' weights."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from siamfc.cli.combining import write_combined
from siamfc.cli.console import say


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
    from siamfc.checkpoint import load_model
    from siamfc.errors import ConfigError

    models = [load_model(source, device="cpu") for source in sources]
    infos = [model.info for model in models if model.info is not None]
    if len({info.sha256 for info in infos}) < len(infos):
        raise ConfigError("the same checkpoint is given more than once")
    mean = average_weights(models)
    if any(info.settings.get("tracker") != infos[0].settings.get("tracker") for info in infos):
        say(f"their settings for the tracker differ: kept are those of {sources[0]}")
    write_combined(
        target,
        mean,
        infos,
        command="average",
        told=f"the mean of {len(models)}, whose layers differ by {distance(models)[0]:.0%} of their size at most",
        description=description,
        half=half,
        overwrite=overwrite,
    )
