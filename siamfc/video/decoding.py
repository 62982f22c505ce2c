"""One pass through a video file: packets to pictures, and an account of what could not be read."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from typing import TYPE_CHECKING

from siamfc.video.conversion import Picture
from siamfc.video.pyav import av

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream


# Recordings of these begin anywhere, so packets before the first picture may rest on what was never recorded.
_BROADCAST_FORMATS = frozenset({"flv", "h264", "hevc", "mpeg", "mpegts", "mpegvideo"})


class PictureLost(Exception):  # noqa: N818 - a signal to `siamfc.video.file`, never seen outside
    """Several threads decoded and a picture seems to be missing; which one, only a single thread can tell."""


@dataclass
class Account:
    """What one pass met besides pictures.

    Attributes:
        packets: Whole packets that were read.
        damaged: Packets that could not be decoded.
        damaged_at: Number of pictures before the first of them.
        stops_inside_packet: The file ended within a packet, which was left out.
        error: Why reading or decoding failed, in the words of libav; the last such reason.
        read_failed: Reading packets, rather than decoding one, failed.
    """

    packets: int = 0
    damaged: int = 0
    damaged_at: int = 0
    stops_inside_packet: bool = False
    error: str = ""
    read_failed: bool = False

    def clear(self) -> None:
        """Forgets a pass that will be repeated."""
        vars(self).update(vars(Account()))


def decode_file(
    container: InputContainer, stream: VideoStream, account: Account, *, threaded: bool
) -> Iterator[Picture]:
    """Pictures of a freshly opened file in the order of presentation, to its end or to where it breaks off.

    Raises:
        PictureLost: Only where ``threaded``: a packet failed, or gave no picture.
    """
    stream.codec_context.thread_type = "AUTO" if threaded else "NONE"
    stream.codec_context.thread_count = 0 if threaded else 1
    may_be_joined_midway = container.format.name in _BROADCAST_FORMATS
    times = _Times(stream, is_avi=container.format.name == "avi")
    watch = _Watch()
    given = 0
    for packet in chain(_whole_packets(container, stream, account), [None]):
        if packet is not None:
            times.add(packet)
            watch.add(packet)
        try:
            decoded = stream.decode(packet)
        except av.FFmpegError as error:
            if threaded:
                raise PictureLost from error
            account.error = error.strerror or str(error)
            times.drop()
            if given or not may_be_joined_midway:
                account.damaged_at = account.damaged_at if account.damaged else given
                account.damaged += 1
            continue
        for coded in decoded:
            if threaded and watch.misses_one_before(coded):
                raise PictureLost
            yield Picture(times.of(coded), coded)
            given += 1
    if threaded and watch.pending:
        raise PictureLost


def _whole_packets(container: InputContainer, stream: VideoStream, account: Account) -> Iterator[Packet[VideoStream]]:
    """Packets with data; one flagged corrupt only when another follows, for the last may be half a packet."""
    held = None
    try:
        for packet in container.demux(stream):
            if not packet.size:  # to a decoder, it would be the end of the video
                continue
            account.packets += 1
            if held is not None:
                yield held
            held = packet if packet.is_corrupt else None
            if held is None:
                yield packet
    except av.FFmpegError as error:
        account.error = error.strerror or str(error)
        account.read_failed = True
    if held is not None:
        account.packets -= 1
        account.stops_inside_packet = True


class _Times:
    """Times of pictures. AVI states times of decoding; the n-th of them is when the n-th picture is shown."""

    def __init__(self, stream: VideoStream, *, is_avi: bool) -> None:
        self._unit = stream.time_base or Fraction(1)
        self._queue: deque[int | None] | None = deque() if is_avi else None

    def add(self, packet: Packet[VideoStream]) -> None:
        if self._queue is not None:
            self._queue.append(packet.dts)

    def drop(self) -> None:
        if self._queue:
            self._queue.popleft()

    def of(self, coded: av.VideoFrame) -> Fraction | None:
        stamp = coded.pts
        if self._queue is not None:
            stamp = self._queue.popleft() if self._queue else None
        return None if stamp is None else stamp * self._unit


class _Watch:
    """Notices packets that gave no picture.

    PyAV swallows a decoder's error that comes together with pictures, and the pictures behind it are lost,
    too, as happens when the threads are emptied at the end of a file.
    """

    def __init__(self) -> None:
        self.pending: set[int] = set()  # presentation stamps of packets whose picture has not come
        self._begun = False

    def add(self, packet: Packet[VideoStream]) -> None:
        if packet.pts is not None and not packet.is_discard:
            self.pending.add(packet.pts)

    def misses_one_before(self, coded: av.VideoFrame) -> bool:
        """Whether an earlier picture was passed over; before the first picture none counts."""
        stamp = coded.pts
        if stamp is None:
            return False
        self.pending.discard(stamp)
        passed = {other for other in self.pending if other < stamp}
        self.pending -= passed
        begun, self._begun = self._begun, True
        return begun and bool(passed)
