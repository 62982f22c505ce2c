"""Options that several commands have, declared once."""

from __future__ import annotations

from typing import Any

import typer


def weights(panel: str | None = None) -> Any:
    """``--weights``."""
    return typer.Option(
        metavar="NAME|FILE", help="A shipped model ('siamfc models') or a checkpoint.", rich_help_panel=panel
    )


def config(panel: str | None = None, text: str = "Settings, as for 'siamfc track'.") -> Any:
    """``--config``; ``text`` says which settings there are."""
    return typer.Option(metavar="NAME|FILE", help=text, rich_help_panel=panel)


def overrides(panel: str | None = None, example: str = "tracker.window_influence=0.3") -> Any:
    """``--set``."""
    return typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help=f"One setting over those, such as {example}; may be repeated.",
        rich_help_panel=panel,
    )


def device(panel: str | None = None) -> Any:
    """``--device``."""
    return typer.Option(metavar="auto|cpu|cuda:N|mps", help="Where to compute.", rich_help_panel=panel)


def runtime(panel: str | None = None) -> Any:
    """``--runtime``."""
    return typer.Option(
        metavar="torch|onnxruntime|openvino|auto|FOLDER",
        help="Which library computes; auto tries for a second what is installed and takes the fastest that gives the "
        "same; FOLDER is from 'siamfc export'.",
        rich_help_panel=panel,
    )


def precision(panel: str | None = None) -> Any:
    """``--precision``."""
    return typer.Option(
        metavar="fp32|bf16|fp16",
        help="Numbers to compute features in; less than fp32 only where the device is faster in it.",
        rich_help_panel=panel,
    )
