"""``siamfc bench``: how fast each stage runs here, and how near that is to the machine's limit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from siamfc.cli import options
from siamfc.cli.console import messages, output, say

if TYPE_CHECKING:
    from siamfc.bench.running import Bench


def bench(
    source: Annotated[
        str | None,
        typer.Argument(help="A video or a folder of images; without one, a clip is rendered.", show_default=False),
    ] = None,
    box: Annotated[str | None, typer.Option(metavar="X,Y,W,H", help="The target in the first frame of SOURCE.")] = None,
    runtime: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME|FOLDER",
            help="torch, onnxruntime, openvino, or a folder of 'siamfc export'; may be repeated; all that are "
            "installed if not given.",
        ),
    ] = None,
    weights: Annotated[str | None, options.weights()] = None,
    config: Annotated[str | None, options.config()] = None,
    setting: Annotated[list[str] | None, options.overrides()] = None,
    device: Annotated[str, options.device()] = "cpu",
    rounds: Annotated[int, typer.Option(min=1, help="How often each runtime takes its turn.")] = 5,
    stop: Annotated[int | None, typer.Option(min=2, help="Frame to end before; the rendered clip's length.")] = None,
    train: Annotated[
        int, typer.Option("--train", min=0, metavar="PAIRS", help="Time a training step of so many pairs, too.")
    ] = 0,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write all figures to this file.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file of --json.")] = False,
) -> None:
    """Time decoding, cropping, embedding, correlation and post-processing with every runtime installed.

    The runtimes take turns on the same video, round by round, so that a slow minute slows all of them; medians over
    the rounds are shown, and the middle half of the rounds for the whole. In between, this machine's peak is
    measured: arithmetic by a product of large float32 matrices, memory by a large copy. A stage's floor is its count
    of operations and bytes over these; "of floor" is the share of that speed which it reaches (less precise runtimes
    can pass 100 %). Close other programs first.

    Example: siamfc bench

    Example: siamfc bench video.mp4 --box 120,80,64,48 --runtime torch --runtime onnxruntime --json bench.json
    """
    import json

    from siamfc.bench.running import bench_as_json, run_bench
    from siamfc.checkpoint import DEFAULT_MODEL, load_model
    from siamfc.cli.arguments import parse_box
    from siamfc.config import load_config
    from siamfc.errors import OutputError
    from siamfc.files import write_text

    target = parse_box(box) if box else None
    if json_file and json_file.exists() and not overwrite:
        raise OutputError(f"{json_file} exists already: allow overwriting (--overwrite), or name another place")
    model = load_model(weights or DEFAULT_MODEL, device=device)
    settings = load_config(config, overrides=setting or [], checkpoint=model.settings)
    with messages.status("measuring") as status:
        measured = run_bench(
            model,
            source=source,
            box=target,
            config=settings,
            runtimes=runtime or (),
            rounds=rounds,
            stop=stop,
            train_batch=train,
            progress=status.update,
        )
    _show(measured)
    if json_file:
        write_text(json_file, json.dumps(bench_as_json(measured), indent=2) + "\n", overwrite=overwrite)
        say(f"written to {json_file}")


def _show(bench: Bench) -> None:
    from rich.table import Table

    from siamfc.bench.running import share_of_floor
    from siamfc.bench.tracking import STAGES, WHOLE

    machine = bench.machine
    output.print(
        f"{machine.processor}, {machine.threads} threads of torch on {machine.cores} cores ({machine.capability}), "
        f"network on {machine.device}",
        markup=False,
        soft_wrap=True,
    )
    output.print(f"peak {machine.peak_gflops:.0f} GFLOP/s in float32, memory {machine.copy_gb_per_s:.1f} GB/s")
    output.print(
        f"{bench.source}: {bench.frames} frames a round, {bench.rounds} rounds; ms a frame",
        markup=False,
        soft_wrap=True,
    )
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    stages = (*STAGES, WHOLE)
    table.add_column(overflow="fold")
    for heading in (*stages, "frames/s"):
        table.add_column(heading, justify="right", no_wrap=True)
    floors = [bench.floor_ms(stage) for stage in stages]
    table.add_row("floor", *("" if floor is None else f"{floor:.2f}" for floor in floors))
    for label, spreads in bench.sides.items():
        medians = [f"{spreads[stage].median_ms:.2f}" for stage in stages]
        table.add_row(label, *medians, f"{1000 / spreads[WHOLE].median_ms:.1f}")
        shares = [share_of_floor(bench, stage, spreads[stage]) for stage in stages]
        table.add_row("  of floor", *("" if share is None else f"{share:.0%}" for share in shares), style="dim")
        whole = spreads[WHOLE]
        empty = [""] * len(STAGES)
        table.add_row("  middle half", *empty, f"{whole.lower_ms:.1f}-{whole.upper_ms:.1f}", style="dim")
    output.print(table)
    if bench.training_step:
        spread, pairs = bench.training_step
        output.print(
            f"training step of {pairs} pairs, torch fp32: {spread.median_ms:.0f} ms "
            f"({spread.lower_ms:.0f}-{spread.upper_ms:.0f}), {1000 * pairs / spread.median_ms:.1f} pairs a second"
        )
    for label, reason in bench.left_out.items():
        output.print(f"not {label}: {reason}", markup=False, soft_wrap=True)
