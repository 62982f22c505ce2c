"""How long work is shown while it runs: a bar on a terminal, gone when the work is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from siamfc.cli.console import messages

if TYPE_CHECKING:
    from rich.progress import Progress


def progress_bar(*columns: str) -> Progress:
    """A bar on standard error; where that is no terminal, nothing.

    Args:
        columns: From left to right: ``bar``, ``count`` (done of all), ``left`` or ``elapsed`` (time), or a text with
            rich's fields, such as ``{task.description}``.
    """
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    kinds: dict[str, type[ProgressColumn]] = {
        "bar": BarColumn,
        "count": MofNCompleteColumn,
        "left": TimeRemainingColumn,
        "elapsed": TimeElapsedColumn,
    }
    made = [kinds[column]() if column in kinds else TextColumn(column) for column in columns]
    return Progress(*made, console=messages, transient=True, disable=not messages.is_terminal)
