"""One call for every kind of source: it looks at what the user gave and opens what that is."""

from __future__ import annotations

import glob
import re
from pathlib import Path

from siamfc.errors import SourceError
from siamfc.video.source import FrameSource, Span, checked_span

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://.")


def open_source(source: str | Path | int, *, start: int = 0, stop: int | None = None, every: int = 1) -> FrameSource:
    """Frames from whatever ``source`` names.

    What exists on disk comes first: a folder stands for its images in natural order, an image file for one
    frame, any other file for a video. Else a number is a camera, ``rtsp://...`` and the like a stream, and a
    pattern with ``*``, ``?`` or ``[`` the images it matches (``**``: in folders below, too). ``~`` is the
    home folder.

    Args:
        source: Path, pattern, address, or number of a camera.
        start: Number of the first frame to give.
        stop: Number of the first frame to leave out; None for all to the end.
        every: 1 gives each frame, 2 every other one from ``start``, and so on.

    Returns:
        A context manager that gives `siamfc.video.Frame`.

    Raises:
        SourceError: There is no such source, it holds no frames, it has none from ``start`` on, or a number
            makes no sense. Iterating raises it where the frames break off, after those before.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from siamfc.opencv import cv2
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     for name in ("a2.ppm", "a10.ppm"):
        ...         _ = Path(folder, name).write_bytes(b"P6 1 1 255 abc")
        ...     with open_source(folder) as frames:
        ...         [(frame.number, frame.name, frame.image.shape) for frame in frames]
        [(0, 'a2.ppm', (1, 1, 3)), (1, 'a10.ppm', (1, 1, 3))]
    """
    span = checked_span(start, stop, every)
    if isinstance(source, bool) or not isinstance(source, (str, Path, int)) or source == "":
        raise SourceError(
            f"a source is a file, a folder, a pattern, an address or the number of a camera, not {source!r:.80}; "
            "frames of your own are followed by siamfc.Tracker(...).track(frames, box)"
        )
    name = str(source)
    if isinstance(source, int):
        return _open_camera(name, span)
    path = Path(source).expanduser()
    if _exists(path, name):
        return _open_path(path, name, span)
    if re.fullmatch("[0-9]+", name):
        return _open_camera(name, span)
    if _ADDRESS.match(name):
        return _open_address(name, span)
    if glob.has_magic(name):
        return _open_pattern(path, name, span)
    raise SourceError(
        f"{name} does not exist; a source is a file, a folder, a pattern, an address or a camera's number"
    )


def _exists(path: Path, name: str) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError) as error:  # a name too long, a folder that may not be entered, a null byte
        raise SourceError(f"{name} cannot be looked up: {error}") from error


def _open_path(path: Path, name: str, span: Span) -> FrameSource:
    from siamfc.video import images

    if path.is_dir():
        try:
            files = [file for file in path.iterdir() if images.is_image(file) and file.is_file()]
        except OSError as error:
            raise SourceError(f"folder {name} cannot be read: {error.strerror or error}") from error
        return _open_images(files, f"folder {name}", name, span)
    if path.suffix.lower() in (".heic", ".heif"):  # libav takes them for videos, and one tile for the picture
        raise SourceError(f"{name} is a HEIC image, which cannot be read; convert it to JPEG or PNG")
    if path.suffix.lower() in images.IMAGE_SUFFIXES:
        return images.ImageFiles(name, [path], span)

    from siamfc.video.file import VideoFile

    return VideoFile(name, path, span)


def _open_pattern(pattern: Path, name: str, span: Span) -> FrameSource:
    from siamfc.video import images

    folder = str(pattern.parent)
    if pattern.parent.is_dir():  # then brackets in its name are letters
        folder = glob.escape(folder)
    matches = [Path(match) for match in glob.glob(f"{folder}/{pattern.name}", recursive=True)]  # noqa: PTH207
    if not matches:
        raise SourceError(f"no file matches {name}")
    files = [file for file in matches if images.is_image(file) and file.is_file()]
    return _open_images(files, f"of the {len(matches)} matches, {name}", name, span)


def _open_images(files: list[Path], where: str, name: str, span: Span) -> FrameSource:
    from siamfc.video import images

    if not files:
        known = ", ".join(sorted(suffix[1:] for suffix in images.IMAGE_SUFFIXES))
        raise SourceError(f"{where} holds no image; names of images end in {known}")
    return images.ImageFiles(name, images.natural_order(files), span)


def _open_camera(name: str, span: Span) -> FrameSource:
    from siamfc.video.camera import Camera

    return Camera(name, int(name), span)


def _open_address(name: str, span: Span) -> FrameSource:
    from siamfc.video.stream import NetworkStream

    return NetworkStream(name, span)
