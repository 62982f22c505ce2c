"""``siamfc convert``: a checkpoint from another project's weight file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from siamfc.cli.console import output


def convert(
    source: Annotated[
        Path,
        typer.Argument(help="The file to read: a torchvision MobileNetV2 or huanglianghua/siamfc-pytorch .pth."),
    ],
    target: Annotated[Path, typer.Argument(help="The checkpoint to write; ends in .safetensors.")],
    half: Annotated[
        bool, typer.Option("--half", help="Store in half precision; batch norm's statistics stay in float32.")
    ] = False,
    last_block: Annotated[
        int, typer.Option(min=7, max=10, help="The block of a MobileNetV2 whose expansion ends the network.")
    ] = 7,
    description: Annotated[str, typer.Option(help="One sentence for 'siamfc models' and the file.")] = "",
    trained_on: Annotated[str, typer.Option(help="What the weights learned from.")] = "not stated",
    licence: Annotated[str, typer.Option(help="What binds those who use or pass on the weights.")] = "not stated",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace TARGET if it is there.")] = False,
) -> None:
    """Turn another project's weights into a checkpoint, without running anything the file may hold.

    Reads state dicts of torchvision's MobileNetV2 (nested or flat names, width 1.0; layers behind the cut are
    dropped and named) and of huanglianghua/siamfc-pytorch's AlexNet. Pickled modules, TorchScript and MATLAB files
    are refused.

    Example: siamfc convert mobilenet_v2-b0353104.pth mobilenet.safetensors --half
    """
    from siamfc.checkpoint import save_checkpoint
    from siamfc.convert import convert_weights
    from siamfc.files import sha256_of
    from siamfc.provenance import Provenance
    from siamfc.versions import package_version

    conversion = convert_weights(source, last_block=last_block)
    info = save_checkpoint(
        target,
        conversion.model,
        provenance=Provenance(
            description=description,
            source=f"{source.name}, sha256 {sha256_of(source)[:12]}, {conversion.layout}",
            trained_on=trained_on,
            licence=licence,
            made_with=f"siamfc {package_version()} convert",
        ),
        half_precision=half,
        overwrite=overwrite,
    )
    output.print(f"read     {conversion.layout}", markup=False)
    if conversion.dropped:
        names = ", ".join(conversion.dropped)
        output.print(f"dropped  what the network has no place for: {names}", markup=False, soft_wrap=True)
    output.print(
        f"wrote    {info.path}, {info.size_bytes / 1e6:.2f} MB, sha256 {info.short_hash}",
        markup=False,
        soft_wrap=True,
    )
