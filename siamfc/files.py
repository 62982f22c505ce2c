"""Files: written whole or not at all, never over another unasked, and named by their hash."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from siamfc.errors import OutputError

_UMASK = os.umask(0o077)  # can only be read by setting it: once, before there are other threads
os.umask(_UMASK)


@contextmanager
def write_whole(path: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """A temporary name in the same folder, renamed to ``path`` when the block ends well, removed when it does not.

    Raises:
        OutputError: ``path`` exists and ``overwrite`` is not set, its folder cannot be made, or the disk is full.
    """
    if path.exists() and not overwrite:
        raise OutputError(
            f"{path} exists already: allow overwriting (--overwrite, overwrite=True), or name another place"
        )
    temporary = path.with_name(f".{path.name}.{uuid4().hex[:8]}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        temporary.chmod(0o666 & ~_UMASK)  # some writers make files that only their owner can read
        os.replace(temporary, path)  # noqa: PTH105 - Path.replace would read as replacing text
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        with suppress(OSError):  # what went wrong before is what counts
            temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str, *, overwrite: bool = False) -> None:
    """A UTF-8 text file with Unix line ends, whole or not at all; errors as `write_whole`.

    What is no character, as in file names of another encoding, is written as JSON escapes it, by its number.
    """
    with write_whole(path, overwrite=overwrite) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")


def sha256_of(path: Path) -> str:
    """Hash of a file, 64 hexadecimal digits, as ``sha256sum`` prints it."""
    with path.open("rb") as file:
        return hashlib.sha256(file.read()).hexdigest()
