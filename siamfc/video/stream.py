"""A network stream as a source of frames."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, ClassVar

from siamfc.errors import SourceError
from siamfc.video.conversion import Picture, number_frames
from siamfc.video.file import video_stream
from siamfc.video.pyav import av
from siamfc.video.source import Frame, FrameSource, Span

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream

OPEN_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 10.0


class NetworkStream(FrameSource):
    """The video at an address (rtsp, http, rtmp, udp, ...), by PyAV; read as it comes, once.

    What is lost on the way is skipped. An address that ends in a whole file is read to its end.

    Args:
        address: As the user gave it; a password in it stays out of ``name``.
        span: Which frames are wanted, counted from the connection.

    Raises:
        SourceError: Nothing answers within ``OPEN_TIMEOUT_S``, or what answers is no video. While iterating:
            nothing came for ``READ_TIMEOUT_S``, or the connection broke.
    """

    is_live: ClassVar[bool] = True

    def __init__(self, address: str, span: Span) -> None:
        super().__init__(re.sub(r"(//[^/@:]*):[^/@]*@", r"\1:***@", address), span)
        # TCP, where the server has it: on UDP each lost packet smears the picture until the next key frame.
        options = {"rtsp_flags": "prefer_tcp"} if address.lower().startswith("rtsp") else {}
        begin_s = time.monotonic()
        try:
            self._container: InputContainer | None = av.open(
                address,
                "r",
                container_options=options,
                metadata_errors="replace",
                timeout=(OPEN_TIMEOUT_S, READ_TIMEOUT_S),
            )
        except (av.FFmpegError, ValueError) as error:
            raise SourceError(f"{self.name} cannot be opened: {_reason(error, begin_s, OPEN_TIMEOUT_S)}") from error
        try:
            rate = video_stream(self._container, self.name).average_rate
        except BaseException:
            self.close()
            raise
        self.frame_rate = float(rate) if rate else None

    def __iter__(self) -> Iterator[Frame]:
        container, self._container = self._container, None
        if container is None:
            raise SourceError(f"{self.name} was read already or is closed; open it again")
        with container:
            stream = video_stream(container, self.name)
            total = yield from number_frames(self._pictures(container, stream), self.span, self.frame_rate)
        if total is not None:
            self._check_total(total)

    def close(self) -> None:
        """Ends the connection, unless an iteration is under way, which ends it itself."""
        if self._container is not None:
            self._container.close()
            self._container = None

    def _pictures(self, container: InputContainer, stream: VideoStream) -> Iterator[Picture]:
        # Threads that each take a frame would hold back as many frames as there are threads.
        stream.codec_context.thread_type = "SLICE"
        unit = stream.time_base or Fraction(1)
        asked_s = time.monotonic()
        try:
            for packet in container.demux(stream):
                for coded in _decoded(stream, packet):
                    yield Picture(None if coded.pts is None else coded.pts * unit, coded)
                asked_s = time.monotonic()
        except av.FFmpegError as error:
            raise SourceError(f"{self.name} broke off: {_reason(error, asked_s, READ_TIMEOUT_S)}") from error


def _decoded(stream: VideoStream, packet: Packet[VideoStream]) -> list[av.VideoFrame]:
    try:
        return stream.decode(packet if packet.size else None)
    except av.FFmpegError:
        return []


def _reason(error: Exception, asked_s: float, timeout_s: float) -> str:
    # By the clock, too, since libav calls a time-out by many names.
    if isinstance(error, av.error.ExitError) or time.monotonic() - asked_s > 0.9 * timeout_s:
        return f"nothing came for {timeout_s:g} s; check the address, and that the camera or server is on"
    return str(getattr(error, "strerror", None) or error)
