"""How the program speaks: results on standard output, progress and errors on standard error, one line an error."""

from __future__ import annotations

import errno

import typer
from rich.console import Console
from typer.core import TyperGroup

from siamfc.errors import SiamfcError

EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130

output = Console(highlight=False)
messages = Console(stderr=True, highlight=False)


def say(text: str) -> None:
    """One line on standard error, for people; never wrapped, so that it can be searched and copied."""
    messages.print(text, markup=False, soft_wrap=True)


def fail(text: str) -> None:
    """One line that says what went wrong."""
    say(f"siamfc: {' '.join(text.split())}")


class ErrorReportingGroup(TyperGroup):
    """Commands whose expected errors are one line and exit code 2; only bugs show a traceback."""

    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override]
        """Run the command; turn `SiamfcError` and a full disk into exit code 2, Ctrl-C into 130."""
        try:
            return super().invoke(ctx)
        except SiamfcError as error:
            fail(str(error))
            raise typer.Exit(EXIT_BAD_INPUT) from None
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            fail("the disk to which the output goes is full")
            raise typer.Exit(EXIT_BAD_INPUT) from None
        except KeyboardInterrupt:
            fail("interrupted")
            raise typer.Exit(EXIT_INTERRUPTED) from None
