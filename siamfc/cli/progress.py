"""How long work is shown while it runs: a bar on a terminal, gone when the work is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from siamfc.cli.console import messages

if TYPE_CHECKING:
    from rich.progress import Progress
    from typing_extensions import Self


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


class ProgressWatcher:
    """Shows a bar while it is entered; what commands derive their own from, with what they observe.

    Args:
        columns: As `progress_bar` takes them.
    """

    def __init__(self, *columns: str) -> None:
        self._progress = progress_bar(*columns)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Take the bar away."""
        self._progress.stop()
