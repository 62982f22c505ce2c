"""Frames decoded ahead of their use, in a thread of their own, while the present one is computed."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import suppress
from queue import Empty, Queue
from threading import Event, Thread

from siamfc.video.source import Frame, FrameSource

AHEAD = 3
"""Frames that wait, at most. One evens out nothing; more than a few only take memory, 25 MB each at 4K."""

_END = object()


def read_ahead(source: FrameSource, *, depth: int = AHEAD) -> Generator[Frame]:
    """The frames of a source, the same and in the same order, the next ones decoded while one is used.

    What reading a frame raises is raised in that frame's turn, after all frames before it. When the generator is
    closed, as ``contextlib.closing`` does, the thread ends before it returns, and nothing is read afterwards.

    Cameras and streams are read as they come: a frame that waits would be an old one. So is any source that does not
    say that it may be (`FrameSource.may_be_read_ahead`).
    """
    if not source.may_be_read_ahead:
        yield from source
        return
    reader = _Reader(source, depth)
    try:
        yield from reader.frames()
    finally:
        reader.end()


class _Reader:
    def __init__(self, source: FrameSource, depth: int) -> None:
        self._source = source
        self._waiting: Queue[object] = Queue(depth)
        self._ended = Event()
        self._thread = Thread(target=self._read, name="siamfc reads ahead", daemon=True)
        self._thread.start()

    def frames(self) -> Generator[Frame]:
        while (item := self._waiting.get()) is not _END:
            if isinstance(item, BaseException):
                raise item
            assert isinstance(item, Frame)
            yield item

    def end(self) -> None:
        """Let the thread finish the frame it is at, and wait for that."""
        self._ended.set()
        while self._thread.is_alive():
            with suppress(Empty):  # it may be waiting for a free place
                self._waiting.get_nowait()
            self._thread.join(timeout=0.02)

    def _read(self) -> None:
        last: object = _END
        try:
            for frame in self._source:
                if self._ended.is_set():
                    return
                self._waiting.put(frame)
        except BaseException as error:  # noqa: BLE001 - whatever it is, it belongs to who asks for the frame
            last = error
        if not self._ended.is_set():
            self._waiting.put(last)
