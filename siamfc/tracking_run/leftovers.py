"""What an earlier run left in a folder that a new one, which is allowed to overwrite it, does not replace."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from siamfc.errors import OutputError
from siamfc.results import list_file, read_ids
from siamfc.tracking_run.videos import OVERLAY_FILE, scores_file


def earlier_files(folder: Path) -> list[Path]:
    """The files that are there of the run that left ``boxes.json``, by the targets it names; none without it.

    ``boxes.csv`` and ``boxes.json`` themselves, which every run writes, are not among them, nor is any other file.
    """
    ids = read_ids(folder)
    if ids is None:
        return []
    names = [OVERLAY_FILE, *(name(id) for id in (None, *ids) for name in (list_file, scores_file))]  # noqa: A001
    return [path for path in (folder / name for name in names) if path.is_file()]


def remove_leftovers(earlier: Sequence[Path], *, kept: Sequence[Path]) -> None:
    """Remove what an earlier run left, but for some files: those that the new one wrote or read.

    Raises:
        OutputError: A file cannot be removed.
    """
    there = [path for path in kept if path.exists()]
    try:
        for path in earlier:
            if not any(path.samefile(other) for other in there):  # on some disks boxes-A.txt is boxes-a.txt
                path.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"cannot remove {error.filename}: {error.strerror or error}") from error
