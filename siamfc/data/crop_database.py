"""The crop store's file: LMDB opened for reading in each process by itself, and written in whole transactions."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from siamfc.errors import EnvironmentProblem, OutputError, SourceError

if TYPE_CHECKING:
    import lmdb
    from typing_extensions import Self

DATA_FILE, LOCK_FILE = "data.mdb", "lock.mdb"
_FIRST_MAP_BYTES = 1 << 26  # doubled whenever it is full

_readers: dict[Path, tuple[int, lmdb.Environment]] = {}  # with the process that opened each


def import_lmdb() -> None:
    """Raises EnvironmentProblem, with what to install, where LMDB is missing."""
    try:
        import lmdb  # noqa: F401
    except ImportError as error:
        raise EnvironmentProblem(
            f'a crop store needs the extra "train": pip install "siamfc[train]" ({error})'
        ) from None


@contextmanager
def reading(folder: Path) -> Iterator[lmdb.Transaction]:
    """What is in a store now; values are views that hold as long as the block lasts.

    Raises:
        SourceError: There is no store, or it is damaged.
        EnvironmentProblem: LMDB is missing.
    """
    import_lmdb()
    import lmdb

    try:
        with _reader(folder).begin(buffers=True) as transaction:
            yield transaction
    except lmdb.Error as error:
        close_reader(folder)
        raise SourceError(f"{folder} is no crop store, or a damaged one ({error})") from None


def close_reader(folder: Path) -> None:
    """Let go of this process's view of a store, which LMDB wants before it is written."""
    _, reader = _readers.pop(folder, (0, None))
    if reader is not None:
        reader.close()


def _reader(folder: Path) -> lmdb.Environment:
    process, reader = _readers.get(folder, (0, None))
    if reader is None or process != os.getpid():
        close_reader(folder)  # a forked process's copy of its parent's, which the parent does not notice
        reader = _open_reader(folder)
        _readers[folder] = os.getpid(), reader
    return reader


def _open_reader(folder: Path) -> lmdb.Environment:
    import lmdb

    path = folder / DATA_FILE
    if not path.is_file():
        raise SourceError(f"{folder} is no crop store: it holds no {DATA_FILE}; 'siamfc prepare' makes one")
    environment = lmdb.open(str(folder), readonly=True, create=False, lock=False, readahead=False)
    whole = (environment.info()["last_pgno"] + 1) * environment.stat()["psize"]
    if path.stat().st_size < whole:  # a page beyond the end would end the process
        environment.close()
        raise SourceError(f"{path} is cut off: {path.stat().st_size} of {whole} bytes; copy it again")
    return environment


class StoreWriter:
    """Puts records into a store; a context manager. What a `put` gave is there whole or not at all.

    Args:
        folder: The store's; made where it is not there.

    Raises:
        OutputError: It cannot be written, by the disk or by what is in it.
        EnvironmentProblem: LMDB is missing.
    """

    def __init__(self, folder: Path) -> None:
        import_lmdb()
        import lmdb

        self._folder = folder
        close_reader(folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._environment = lmdb.open(str(folder), map_size=_FIRST_MAP_BYTES, readahead=False)
        except (OSError, lmdb.Error) as error:
            raise _cannot_write(folder, error) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._environment.close()

    def get(self, key: bytes) -> bytes | None:
        """The record at a key, or None."""
        with self._environment.begin() as transaction:
            return transaction.get(key)

    def keys(self, prefix: bytes) -> list[bytes]:
        """The keys that begin so, in order."""
        with self._environment.begin() as transaction:
            cursor = transaction.cursor()
            found = cursor.set_range(prefix)
            keys = []
            while found and cursor.key().startswith(prefix):
                keys.append(cursor.key())
                found = cursor.next()
            return keys

    def put(self, records: Mapping[bytes, bytes]) -> None:
        """Store all of these or, where that cannot be, none."""
        import lmdb

        try:
            while not self._put_if_it_fits(records):
                self._environment.set_mapsize(2 * self._environment.info()["map_size"])
        except lmdb.Error as error:
            raise _cannot_write(self._folder, error) from None

    def _put_if_it_fits(self, records: Mapping[bytes, bytes]) -> bool:
        import lmdb

        try:
            with self._environment.begin(write=True) as transaction:
                for key, value in records.items():
                    transaction.put(key, value)
        except lmdb.MapFullError:
            return False
        return True


def remove_store(folder: Path) -> None:
    """Delete a store's files, and its folder where nothing else is in it."""
    close_reader(folder)
    try:
        for name in (DATA_FILE, LOCK_FILE):
            (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise _cannot_write(folder, error) from None
    with suppress(OSError):
        folder.rmdir()


def _cannot_write(folder: Path, error: Exception) -> OutputError:
    reason = getattr(error, "strerror", None) or error
    return OutputError(
        f"cannot write the crop store {folder} ({reason}); what it holds stays, and the same command goes on from there"
    )
