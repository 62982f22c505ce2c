"""``siamfc export``: the network as two ONNX graphs, checked against torch before they are written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from siamfc.cli import options
from siamfc.cli.console import output, say

if TYPE_CHECKING:
    from siamfc.runtimes.quantisation import QuantisationReport


def export(
    out: Annotated[Path, typer.Option("--output", "-o", metavar="FOLDER", help="Where to write.", show_default=False)],
    weights: Annotated[str | None, options.weights()] = None,
    precision: Annotated[str, typer.Option(metavar="fp32|int8", help="What the embedding computes in.")] = "fp32",
    calibrate: Annotated[
        str | None,
        typer.Option(
            metavar="VIDEO|FOLDER|LAYOUT:PATH",
            help="int8 only: frames whose crops set the ranges of the numbers; like those you will track in.",
        ),
    ] = None,
    pairs: Annotated[int, typer.Option(min=1, help="int8 only: pairs of crops to calibrate on.")] = 64,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an earlier export in FOLDER.")] = False,
) -> None:
    """Write the network as ONNX graphs, for 'siamfc track --runtime FOLDER' and for other programs.

    embedding.onnx turns images (B, 3, H, W), float 0..255 RGB, into features; correlation.onnx slides exemplars'
    features, an input, over those of searches. Batch and size are free. Both are compared with torch on the spot;
    export.json holds the differences, the weights' hash and the settings.

    int8 is faster on processors with 8-bit arithmetic and not exact: it is calibrated on your frames, and a table
    tells what it changes there. Needs this package's extra 'onnx'.

    Example: siamfc export -o mobilenet-onnx

    Example: siamfc export -o mobilenet-int8 --precision int8 --calibrate video.mp4
    """
    from siamfc.checkpoint import DEFAULT_MODEL, load_model
    from siamfc.errors import ConfigError
    from siamfc.runtimes.calibration import crop_pairs
    from siamfc.runtimes.exported import export_model

    if calibrate and precision != "int8":
        raise ConfigError("--calibrate is for --precision int8")
    model = load_model(weights or DEFAULT_MODEL, device="cpu")
    crops = crop_pairs(calibrate, pairs) if calibrate else []
    if crops:
        say(f"calibrating on {len(crops)} pairs of crops from {calibrate}")
    written = export_model(model, out, precision=precision, pairs=crops, overwrite=overwrite)
    output.print("largest differences from torch, as shares of the range:")
    for check in written.checks:
        maps = "" if check.score_maps is None else f", score maps {check.score_maps:.1e}"
        output.print(f"  {check.pictures}, {check.size} px: features {check.features:.1e}{maps}", markup=False)
    if written.quantisation:
        _show(written.quantisation)
    names = ", ".join(path.name for path in written.files)
    output.print(f"written to {out}/: {names}", markup=False, soft_wrap=True)


def _show(report: QuantisationReport) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, title=f"int8 against fp32, {report.pairs} pairs", title_justify="left")
    for heading in ("", "median", "largest"):
        table.add_column(heading, justify="right" if heading else "left")
    table.add_row("score map, share of its range", f"{report.median_deviation:.4f}", f"{report.largest_deviation:.4f}")
    table.add_row("peak moved, search px", f"{report.median_peak_shift_px:.2f}", f"{report.largest_peak_shift_px:.2f}")
    output.print(table)
    output.print(f"peaks moved by more than a stride: {report.peaks_moved:.1%}")
