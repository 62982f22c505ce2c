"""What every source of frames offers: numbered frames, a name, and what is certain about their number."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from operator import index
from types import TracebackType
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from siamfc.errors import SourceError
from siamfc.frames import Image

if TYPE_CHECKING:
    from typing_extensions import Self


class Frame(NamedTuple):
    """One frame of a source.

    Attributes:
        number: 0-based number in the source; counts all its frames, also those that ``start`` and ``every``
            skip.
        time_s: Presentation time from the timestamps, seconds from the source's first frame; None for images.
        name: File name of an image; None for videos, cameras and streams.
        image: (H, W, 3) ``uint8`` RGB, upright.
    """

    number: int
    time_s: float | None
    name: str | None
    image: Image


class Span(NamedTuple):
    """Which frames of a source are wanted, as in a slice: ``start``, ``start + every``, ... below ``stop``.

    Example:
        >>> Span(2, 9, 3).count_in(100), Span(2, 9, 3).holds(5), Span(2, 9, 3).ends_after(8)
        (3, True, True)
    """

    start: int = 0
    stop: int | None = None
    every: int = 1

    def holds(self, number: int) -> bool:
        """Whether the frame of this number is wanted; ``stop`` is up to `ends_after`."""
        return number >= self.start and (number - self.start) % self.every == 0

    def ends_after(self, number: int) -> bool:
        """Whether no frame after this one is wanted, so that it need not be read."""
        return self.stop is not None and number + 1 >= self.stop

    def count_in(self, total: int) -> int:
        """How many of ``total`` frames are wanted."""
        return len(range(*slice(*self).indices(total)))


def checked_span(start: int, stop: int | None, every: int) -> Span:
    """The three numbers as a `Span`.

    Raises:
        SourceError: One is not a whole number, ``start`` is negative, ``every`` is below 1, or ``stop`` is
            not above ``start``.

    Example:
        >>> checked_span(10, None, 2)
        Span(start=10, stop=None, every=2)
    """
    try:
        span = Span(index(start), None if stop is None else index(stop), index(every))
    except TypeError:
        raise SourceError(
            f"start, stop and every are whole numbers of frames, not {start!r}, {stop!r}, {every!r}"
        ) from None
    if span.start < 0:
        raise SourceError(f"start is the number of a frame, 0 or more, not {span.start}")
    if span.every < 1:
        raise SourceError(f"every is 1 (each frame) or more, not {span.every}")
    if span.stop is not None and span.stop <= span.start:
        raise SourceError(f"stop is the number of the first frame left out, above start {span.start}, not {span.stop}")
    return span


class FrameSource(ABC):
    """Frames in order, once (camera, stream) or again and again (files, images); a context manager.

    Attributes:
        name: What the user called it.
        frame_rate: Average frames per second of the source; None for images and where it is not known.
        frame_count: How many frames iteration gives; None where that is not certain beforehand.
        is_live: A camera or stream: no end, and no second reading.
    """

    is_live: ClassVar[bool] = False

    def __init__(self, name: str, span: Span) -> None:
        self.name = name
        self.span = span
        self.frame_rate: float | None = None
        self.frame_count: int | None = None

    @property
    def may_be_read_ahead(self) -> bool:
        """Whether frames may be taken before they are asked for, in another thread; files and images allow it."""
        return False

    @property
    def end(self) -> int | None:
        """A number below which all frames are that iteration gives; None where none is certain beforehand."""
        if self.frame_count is None:
            return self.span.stop
        return self.span.start + self.frame_count * self.span.every

    def may_give(self, number: int) -> bool:
        """Whether iteration gives a frame of this number; where ``frame_count`` is None, whether it may."""
        return self.span.holds(number) and (self.end is None or number < self.end)

    @property
    def wanted(self) -> str:
        """For messages: which frames iteration gives, as far as it is certain: ``from 0 on, every 2, before 10``."""
        end = "" if self.end is None else f", before {self.end}"
        return f"from {self.span.start} on, every {self.span.every}{end}"

    @abstractmethod
    def __iter__(self) -> Iterator[Frame]:
        """Yields the frames; raises `siamfc.errors.SourceError` where one cannot be read."""

    @abstractmethod
    def close(self) -> None:
        """Lets go of the file, camera or connection; may be called twice."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _check_total(self, total: int) -> None:
        """Raises SourceError where a source of ``total`` frames has none at or after ``start``."""
        if total <= 0:
            raise SourceError(f"{self.name} holds no frame")
        if self.span.start >= total:
            raise SourceError(
                f"start {self.span.start} lies past the end of {self.name}, "
                f"which has {total} {'frame' if total == 1 else 'frames'}, numbered from 0"
            )
