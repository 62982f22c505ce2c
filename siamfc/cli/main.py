"""The ``siamfc`` program: its commands in one list."""

from __future__ import annotations

import inspect
import signal
from types import FrameType
from typing import Annotated

import typer

from siamfc.cli import data
from siamfc.cli.average import average
from siamfc.cli.bench import bench
from siamfc.cli.calibrate import calibrate
from siamfc.cli.console import ErrorReportingGroup, output
from siamfc.cli.convert import convert
from siamfc.cli.demo import demo
from siamfc.cli.equivariance import equivariance
from siamfc.cli.evaluate import evaluate
from siamfc.cli.export import export
from siamfc.cli.info import info
from siamfc.cli.join import join
from siamfc.cli.match import match
from siamfc.cli.models import models
from siamfc.cli.prepare import prepare
from siamfc.cli.track import track
from siamfc.cli.train import train
from siamfc.cli.visualize import visualize
from siamfc.cli.vot import vot

app = typer.Typer(
    cls=ErrorReportingGroup,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)
for _command in (
    track,
    match,
    demo,
    visualize,
    equivariance,
    evaluate,
    train,
    prepare,
    calibrate,
    models,
    convert,
    join,
    average,
    export,
    bench,
    vot,
    info,
):
    app.command()(_command)
app.add_typer(data.app, name="data")


def _as_paragraphs(docstring: str) -> str:
    """A docstring with each paragraph on one line, so that a terminal of any width breaks it where it ends.

    One that begins with click's mark, a backspace, keeps its lines.
    """
    parts = inspect.cleandoc(docstring).split("\n\n")
    return "\n\n".join(part if part.startswith("\b") else " ".join(part.split()) for part in parts)


for _registered in (*app.registered_commands, *data.app.registered_commands):
    _registered.help = _as_paragraphs((_registered.callback and _registered.callback.__doc__) or "")


def _show_version(wanted: bool) -> None:
    if wanted:
        from siamfc.versions import package_version

        output.print(f"siamfc {package_version()}")
        raise typer.Exit


@app.callback()
def siamfc(
    version: Annotated[
        bool,
        typer.Option("--version", help="Show the version and exit.", callback=_show_version, is_eager=True),
    ] = False,
) -> None:
    """Find an exemplar in every frame: a fully convolutional Siamese network, run on your own video.

    Start with [bold]siamfc demo[/bold], which needs no files; then [bold]siamfc track VIDEO --box X,Y,W,H[/bold].
    """


def main() -> None:
    """Entry point of the ``siamfc`` program."""
    # A service manager's stop is an interruption too: results so far are kept.
    signal.signal(signal.SIGTERM, _interrupt)
    app()


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
