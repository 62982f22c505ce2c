"""Images as frames: one file, a folder, or the files that match a pattern, in natural order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import siamfc.video.quiet  # noqa: F401
from siamfc.errors import FrameError, SourceError
from siamfc.frames import Image, as_rgb_frame
from siamfc.opencv import cv2
from siamfc.video.png import SIGNATURE, slim_png
from siamfc.video.source import Frame, FrameSource, Span

# fmt: off
IMAGE_SUFFIXES = frozenset({
    ".avif", ".bmp", ".dib", ".jp2", ".jpe", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".pnm", ".ppm", ".ras",
    ".sr", ".tif", ".tiff", ".webp",
})
# fmt: on


class ImageFiles(FrameSource):
    """Image files as a source; each is read when its turn comes, and again in each iteration.

    Args:
        name: What the user called them.
        paths: The files, in order.
        span: Which of them are wanted.

    Raises:
        SourceError: ``span`` starts past the last file; while iterating, a file that `read_image` refuses.
    """

    def __init__(self, name: str, paths: Sequence[Path], span: Span) -> None:
        super().__init__(name, span)
        self._check_total(len(paths))
        self._paths = paths
        self.frame_count = span.count_in(len(paths))

    @property
    def may_be_read_ahead(self) -> bool:
        """True."""
        return True

    @property
    def numbers(self) -> range:
        """Those of the frames that iteration gives."""
        return range(*slice(*self.span).indices(len(self._paths)))

    def path(self, number: int) -> Path:
        """The file of a frame."""
        return self._paths[number]

    def read(self, number: int) -> Frame:
        """One frame by itself; raises SourceError where `read_image` refuses its file."""
        path = self.path(number)
        return Frame(number, None, path.name, read_image(path))

    def __iter__(self) -> Iterator[Frame]:
        for number in self.numbers:
            yield self.read(number)

    def close(self) -> None:
        """Does nothing: no file stays open."""


def is_image(path: Path) -> bool:
    """Whether a file's name ends like an image's; hidden files (``._a.jpg`` of macOS) do not count."""
    return path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".")


def natural_order(paths: Iterable[Path]) -> list[Path]:
    """Paths as people count: ``img2`` before ``img10``, letters regardless of case.

    Example:
        >>> [path.name for path in natural_order([Path("img10.png"), Path("Img2.png"), Path("img1.png")])]
        ['img1.png', 'Img2.png', 'img10.png']
    """
    return sorted(paths, key=lambda path: ([_natural_key(part) for part in path.parts], str(path)))


def _natural_key(text: str) -> list[str | int]:
    # Texts and numbers alternate, beginning with a text, so two keys never compare one with the other.
    parts = re.split(r"([0-9]+)", text.casefold())
    return [int(part) if place % 2 else part for place, part in enumerate(parts)]


def read_image(path: Path | str) -> Image:
    """An image file as a frame, turned upright as its EXIF orientation says.

    16-bit images are reduced to 8, grey is repeated over the colours, alpha is dropped. Any name works, also
    where ``cv2.imread`` fails for its letters.

    Returns:
        (H, W, 3) ``uint8`` RGB.

    Raises:
        SourceError: The file cannot be opened, is cut off or damaged, or is no image that OpenCV reads.
    """
    try:
        data = np.fromfile(Path(path).expanduser(), np.uint8)
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror or error}") from error
    image = _decoded(data)
    if image is None:
        raise SourceError(f"{path} cannot be read as an image: its {data.size} bytes are damaged, cut off or unknown")
    try:
        return as_rgb_frame(image, "bgr")
    except FrameError as error:
        raise SourceError(f"{path} cannot be used as a frame: {error}") from error


def _decoded(data: NDArray[np.uint8]) -> NDArray[Any] | None:
    """Pixels in OpenCV's colour order, (H, W, 3), or None."""
    if data[: len(SIGNATURE)].tobytes() == SIGNATURE:
        slim = slim_png(data.tobytes())
        if slim is None:
            return None
        data = np.frombuffer(slim, np.uint8)
    try:
        return cv2.imdecode(data, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    except cv2.error:  # no bytes at all, or more pixels than OpenCV allows
        return None
