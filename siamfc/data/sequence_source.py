"""A sequence of a dataset as a source of frames, for whatever reads videos."""

from __future__ import annotations

from collections.abc import Iterator

from siamfc.data.frame_reader import FrameReader
from siamfc.data.sequence import Sequence
from siamfc.video.source import Frame, FrameSource, checked_span


class SequenceSource(FrameSource):
    """The frames of a sequence, numbered by their place in it; a sequence does not say how fast they follow.

    Args:
        sequence: Where they come from.
        start: First frame.

    Raises:
        SourceError: ``start`` is no place in the sequence.
    """

    def __init__(self, sequence: Sequence, *, start: int = 0) -> None:
        super().__init__(sequence.name, checked_span(start, None, 1))
        self._check_total(len(sequence))
        self._sequence = sequence
        self.frame_count = len(sequence) - start

    def __iter__(self) -> Iterator[Frame]:
        """Yields the frames from ``start`` on; raises SourceError where one cannot be read."""
        with FrameReader(self._sequence.frames) as frames:
            for number in range(self.span.start, len(frames)):
                yield Frame(number, None, None, frames[number])

    def close(self) -> None:
        """Nothing is held open."""
