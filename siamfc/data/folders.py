"""What readers ask of folders: their images, their subfolders, and the lists of names that lie in them."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from siamfc.data.annotation_text import read_lines
from siamfc.data.sequence import ImageFrames
from siamfc.errors import SourceError


def list_images(folder: Path) -> ImageFrames:
    """The images of a folder in natural order (``2.jpg`` before ``10.jpg``), none read.

    Raises:
        SourceError: The folder is not there or holds no image.
    """
    from siamfc.video.images import is_image, natural_order

    try:
        with os.scandir(folder) as entries:
            found = [Path(entry.name) for entry in entries if is_image(Path(entry.name))]
    except OSError as error:
        raise SourceError(f"cannot read the folder {folder}: {error.strerror or error}") from error
    if not found:
        raise SourceError(f"{folder} holds no image")
    return ImageFrames(folder, tuple(str(path) for path in natural_order(found)))


def numbered_images(folder: Path, first: int, last: int, digits: int) -> ImageFrames:
    """The images numbered ``first`` to ``last``, found by number whatever their digits and ending.

    A number without an image keeps its place as ``0012.jpg`` with that many digits, so that reading it, or
    `siamfc.data.check`, names what is missing.
    """
    images = list_images(folder)
    by_number = dict(zip(images.numbers.tolist(), images.names, strict=True))
    numbers = range(first, last + 1)
    return ImageFrames(folder, tuple(by_number.get(number, f"{number:0{digits}d}.jpg") for number in numbers))


def list_folders(root: Path) -> list[Path]:
    """The folders in ``root``, sorted by name, hidden ones left out; errors as `list_images`."""
    try:
        return sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))
    except OSError as error:
        raise SourceError(f"cannot read the folder {root}: {error.strerror or error}") from error


def folders_holding(root: Path, marker: str) -> list[Path]:
    """Folders in ``root``, or one level deeper, that hold a file called ``marker``, e.g. ``gt/gt.txt``."""
    found = []
    for folder in list_folders(root):
        inner = [folder] if (folder / marker).is_file() else list_folders(folder)
        found += [path for path in inner if (path / marker).is_file()]
    return found


def video_of_target(place: str) -> str:
    """The video of a target that has a folder of its own: ``NAME_1`` and ``NAME_2`` are targets of the video ``NAME``.

    Example:
        >>> video_of_target("set/walk_01"), video_of_target("set/goat")
        ('set/walk', 'set/goat')
    """
    return re.sub(r"_\d+$", "", place)


def read_names(path: Path) -> list[str]:
    """The names in a list file, one a line."""
    return [line.text for line in read_lines(path)]


def require_folders(root: Path, inner: Sequence[str], layout: str) -> None:
    """Raises SourceError, saying what the layout wants, where a folder is not there."""
    missing = [name for name in inner if not (root / name).is_dir()]
    if missing:
        raise SourceError(
            f"{root} is not laid out as {layout}: it has no folder {missing[0]} (expected {', '.join(inner)})"
        )


def nearest(name: str, known: Iterable[str]) -> str:
    """`` (did you mean ...?)`` for a name that is close to a known one, else nothing.

    Example:
        >>> nearest("lasott", ["lasot", "vot"])
        ' (did you mean lasot?)'
    """
    close = difflib.get_close_matches(name, list(known), n=1)
    return f" (did you mean {close[0]}?)" if close else ""
