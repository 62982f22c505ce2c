"""``siamfc join``: two networks in one that matches at two levels."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from siamfc.cli.combining import write_combined


def join(
    shallow: Annotated[str, typer.Argument(metavar="SHALLOW", help="A shipped model or checkpoint: a MobileNetV2.")],
    deep: Annotated[str, typer.Argument(metavar="DEEP", help="Another, cut at a later block.")],
    target: Annotated[Path, typer.Argument(metavar="TARGET", help="The checkpoint to write; ends in .safetensors.")],
    half: Annotated[
        bool, typer.Option("--half", help="Store in half precision; batch norm's statistics stay in float32.")
    ] = False,
    description: Annotated[str, typer.Option(help="One sentence for 'siamfc models' and the file.")] = "",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace TARGET if it is there.")] = False,
) -> None:
    """Put two networks into one that matches at two levels, where things are and what they are; nothing is learned.

    Its score map is the sum of theirs, its box regression and tracker settings are the shallow one's. First layers that
    are the same in both, as where training kept them (optimiser.frozen_layers), are computed once. The score has to be
    calibrated anew: 'siamfc calibrate'.

    Example: siamfc join mobilenetv2 mobilenetv2-deep both.safetensors
    """
    from siamfc.checkpoint import load_model
    from siamfc.joining import join_levels

    models = [load_model(source, device="cpu") for source in (shallow, deep)]
    joined = join_levels(*models)
    write_combined(
        target,
        joined,
        [model.info for model in models if model.info is not None],
        command="join",
        told=f"the first {joined.config.shared_layers} layers computed once",
        description=description,
        half=half,
        overwrite=overwrite,
    )
