"""Frames decoded ahead: the same frames, the same errors at the same place, and no thread left."""

from __future__ import annotations

import os
import threading
import time
from contextlib import closing

import numpy as np
import pytest

from siamfc.errors import SourceError
from siamfc.video import Frame, FrameSource, open_source
from siamfc.video.ahead import read_ahead
from siamfc.video.source import Span
from tests.clips import short_clip, write_images, write_video

LIMIT_S = 20


class Numbered(FrameSource):
    """Counts the frames that were taken from it, and breaks where it is told to."""

    def __init__(self, total, *, breaks_at=None, ahead=True, error=SourceError):
        super().__init__("numbered", Span())
        self.total, self.breaks_at, self.error, self._ahead = total, breaks_at, error, ahead
        self.taken, self.threads, self.ended = 0, set(), False

    @property
    def may_be_read_ahead(self):
        return self._ahead

    def __iter__(self):
        try:
            for number in range(self.total):
                if number == self.breaks_at:
                    raise self.error(f"frame {number} is broken")
                self.taken += 1
                self.threads.add(threading.current_thread())
                yield Frame(number, None, None, np.full((2, 2, 3), number % 256, np.uint8))
        finally:
            self.ended = True

    def close(self):
        pass


@pytest.fixture(autouse=True)
def _no_thread_is_left():
    before = set(threading.enumerate())
    yield
    assert not [thread for thread in threading.enumerate() if thread not in before and "ahead" in thread.name]


def wait_until(condition):
    deadline = time.monotonic() + LIMIT_S
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.005)
    assert condition()


@pytest.mark.parametrize("write", [write_video, write_images])
def test_the_frames_are_the_same_in_the_same_order(tmp_path, write):
    clip = short_clip(12)
    with open_source(write(tmp_path / "clip.mp4", clip), start=1, every=2) as source:
        assert source.may_be_read_ahead
        plain = list(source)
        ahead = list(read_ahead(source))
        again = list(read_ahead(source, depth=1))
    assert [frame[:3] for frame in plain] == [frame[:3] for frame in ahead] == [frame[:3] for frame in again]
    for one, *others in zip(plain, ahead, again, strict=True):
        assert all(np.array_equal(one.image, other.image) for other in others)


def test_reading_goes_ahead_by_as_many_frames_as_asked_for_and_no_more():
    source = Numbered(100)
    with closing(read_ahead(source, depth=3)) as frames:
        assert next(frames).number == 0
        wait_until(lambda: source.taken == 5)  # one given, three wait, one in the thread's hand
        time.sleep(0.05)
        assert source.taken == 5
    assert source.ended


def test_an_error_comes_in_its_frames_turn():
    seen = []
    with pytest.raises(SourceError, match="frame 4 is broken"):
        list(_noting(read_ahead(Numbered(9, breaks_at=4)), seen))
    assert seen == [0, 1, 2, 3]


def _noting(frames, seen):
    for frame in frames:
        seen.append(frame.number)
        yield frame


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt, MemoryError])
def test_other_errors_come_through_as_they_are(error):
    with pytest.raises(error):
        list(read_ahead(Numbered(3, breaks_at=1, error=error)))


def test_a_truncated_video_breaks_off_at_the_frame_where_it_does_without(tmp_path):
    path = write_video(tmp_path / "clip.mp4", short_clip(40))
    data = path.read_bytes()
    (tmp_path / "cut.mp4").write_bytes(data)
    # The index is written first, so a cut file opens, and its last frames are missing.
    os.truncate(tmp_path / "cut.mp4", int(0.6 * len(data)))
    counts, messages = [], []
    for reading in (iter, read_ahead):
        seen = []
        with open_source(tmp_path / "cut.mp4") as source, pytest.raises(SourceError) as caught:
            list(_noting(reading(source), seen))
        counts.append(len(seen))
        messages.append(str(caught.value))
    assert 0 < counts[0] == counts[1] < 40
    assert messages[0] == messages[1]


def test_closing_early_ends_the_thread_whatever_it_is_at(tmp_path):
    with open_source(write_video(tmp_path / "clip.mp4", short_clip(30))) as source:
        for wanted in (0, 1, 7, 29):
            with closing(read_ahead(source)) as frames:
                for _ in range(wanted):
                    next(frames)
        assert len(list(read_ahead(source))) == 30


def test_a_generator_that_is_let_go_ends_the_thread():
    frames = read_ahead(Numbered(1000))
    next(frames)
    del frames


def test_what_may_not_be_read_ahead_is_read_when_asked_for_in_the_same_thread():
    source = Numbered(5, ahead=False)
    frames = read_ahead(source)
    next(frames)
    time.sleep(0.02)
    assert source.taken == 1
    assert source.threads == {threading.current_thread()}
    frames.close()
    assert source.ended


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names are POSIX's")
def test_a_pipe_is_not_read_ahead(tmp_path):
    from siamfc.video.file import VideoFile

    os.mkfifo(tmp_path / "pipe")
    source = object.__new__(VideoFile)
    source._path = tmp_path / "pipe"
    assert not source.may_be_read_ahead
