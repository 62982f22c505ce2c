"""A dataset: a list of sequences, each read when it is asked for, so that one bad one does not stop the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Sequence as Listed
from functools import partial
from pathlib import Path
from typing import TypeVar, overload

from siamfc.data.folders import nearest
from siamfc.data.sequence import Sequence
from siamfc.errors import SourceError

Key = TypeVar("Key")


class Dataset(Listed[Sequence]):
    """The sequences of a dataset in their order. Opening it reads no frame, and of annotations only what names need.

    ``dataset[3]`` reads a sequence's annotations, each time anew, and raises BoxError or SourceError where they are
    amiss. A dataset can be pickled.

    Attributes:
        name: The layout, ``"otb2013"``.
        root: The folder or file it was opened from.
        names: The sequences' names.

    Args:
        name: As above.
        root: As above.
        entries: Each sequence's name, and what ``load`` needs beside it.
        load: Reads one sequence; a function of a module, so that it can be pickled.

    Raises:
        SourceError: There is no entry, or two have the same name.
    """

    def __init__(
        self, name: str, root: Path, entries: Iterable[tuple[str, Key]], load: Callable[[str, Key], Sequence]
    ) -> None:
        self.name = name
        self.root = root
        self._loaders: list[tuple[str, Callable[[], Sequence]]] = [
            (sequence, partial(load, sequence, key)) for sequence, key in entries
        ]
        self.names = tuple(sequence for sequence, _ in self._loaders)
        if not self.names:
            raise SourceError(f"{root} holds no sequence in the layout {name}")
        twice = [sequence for sequence, count in Counter(self.names).items() if count > 1]
        if twice:
            raise SourceError(f"{root}: two sequences are called {twice[0]}")

    def __len__(self) -> int:
        return len(self._loaders)

    @overload
    def __getitem__(self, index: int) -> Sequence: ...
    @overload
    def __getitem__(self, index: slice) -> Dataset: ...
    def __getitem__(self, index: int | slice) -> Sequence | Dataset:
        if isinstance(index, slice):
            return Dataset(self.name, self.root, self._loaders[index], _call)
        return self._loaders[index][1]()

    def __iter__(self) -> Iterator[Sequence]:
        return (self[index] for index in range(len(self)))

    def find(self, name: str) -> Sequence:
        """The sequence of this name; raises SourceError, with the nearest name, where there is none."""
        if name not in self.names:
            raise SourceError(f"{self.name}:{self.root} has no sequence {name!r}{nearest(name, self.names)}")
        return self[self.names.index(name)]


def _call(_: str, loader: Callable[[], Sequence]) -> Sequence:
    return loader()
