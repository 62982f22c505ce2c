"""A video file as a source of frames."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from siamfc.errors import SourceError
from siamfc.video.conversion import Picture, number_frames
from siamfc.video.decoding import Account, PictureLost, decode_file
from siamfc.video.layout import Layout, layout_of
from siamfc.video.pyav import av
from siamfc.video.source import Frame, FrameSource, Span

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

# Not each of their packets gives a picture, so one that is lost cannot be told from one that is hidden.
_HIDING_CODECS = frozenset({"mpeg4", "vp8"})

# libav draws plain text as a terminal would; nobody means notes.txt to be a film.
_TEXT_FORMATS = frozenset({"adf", "bin", "idf", "tty", "xbin"})


class VideoFile(FrameSource):
    """The video in a file, by PyAV; can be iterated again and again.

    Frames that ``span`` leaves out are decoded and dropped, so a frame never depends on where reading began.

    Args:
        name: What the user called it.
        path: The file.
        span: Which frames are wanted.

    Raises:
        SourceError: The file is no video, holds sound only, lacks its index or a decoder, or ``span``
            starts past its end. While iterating, after the last frame that could be read: it ends early or
            is damaged.
    """

    def __init__(self, name: str, path: Path, span: Span) -> None:
        super().__init__(name, span)
        self._path = path.absolute()  # libav takes a relative `a:b.mp4` for a protocol
        self._is_closed = False
        self._layout = _read_layout(self._path, name)
        self._unread: InputContainer | None = _open_container(self._path, name, self._layout)
        try:
            stream = video_stream(self._unread, name)
            self._stated_packets, stated_frames = _stated_counts(stream, self._layout)
            self.frame_rate = _average_rate(stream, stated_frames)
            self._of_stated = _of_stated(self._unread, self._stated_packets, self.frame_rate)
            self._threaded = stream.codec_context.name not in _HIDING_CODECS and self._path.is_file()
            if stated_frames is not None and not self._layout.is_cut:
                self._check_total(stated_frames)
                self.frame_count = span.count_in(stated_frames)
        except BaseException:
            self.close()
            raise

    @property
    def may_be_read_ahead(self) -> bool:
        """True, but for pipes and devices, which come when they come."""
        return self._path.is_file()

    def __iter__(self) -> Iterator[Frame]:
        if self._is_closed:
            raise SourceError(f"{self.name} is closed; open it again to read it")
        account = Account()
        total = yield from number_frames(self._pictures(account), self.span, self.frame_rate)
        if total is not None and not self._is_closed:
            self._check_end(total, account)

    def close(self) -> None:
        """Closes the file; an iteration under way ends with the frame it gave last."""
        self._is_closed = True
        if self._unread is not None:
            self._unread.close()
            self._unread = None

    def _pictures(self, account: Account) -> Iterator[Picture]:
        """All pictures. Where threads lose one, the rest comes from a second pass with one thread."""
        given = 0
        try:
            for picture in self._pass(account, threaded=self._threaded):
                yield picture
                given += 1
            return
        except PictureLost:
            account.clear()
        yield from islice(self._pass(account, threaded=False), given, None)

    def _pass(self, account: Account, *, threaded: bool) -> Iterator[Picture]:
        container, self._unread = self._unread, None
        with container or _open_container(self._path, self.name, self._layout) as opened:
            for picture in decode_file(opened, video_stream(opened, self.name), account, threaded=threaded):
                yield picture
                if self._is_closed:
                    return

    def _check_end(self, total: int, account: Account) -> None:
        reason = f" ({account.error})" if account.error else ""
        missing = account.packets < (self._stated_packets or 0)
        if self._layout.is_cut or account.stops_inside_packet or account.read_failed or missing:
            raise SourceError(
                f"{self.name} ends early: {total}{self._of_stated} frames could be read, then the file breaks off"
                f"{reason}; copy or record it again, or stop before it (--stop {total})"
            )
        if total == 0 and account.packets:
            raise SourceError(f"{self.name} holds no frame that can be decoded{reason}")
        if account.damaged:
            raise SourceError(
                f"{self.name} is damaged: {account.damaged} of its packets could not be decoded{reason}, the first "
                f"where frame {account.damaged_at} should be; the {total} frames that could be were given"
            )
        self._check_total(total)


def video_stream(container: InputContainer, name: str) -> VideoStream:
    """The video in a container, cover pictures of music aside.

    Raises:
        SourceError: There is none, or none that this build of libav decodes.
    """
    covers = av.stream.Disposition.attached_pic
    streams = [stream for stream in container.streams.video if not stream.disposition & covers]
    if not streams:
        what = "sound only" if container.streams.audio else f"{container.format.name} data"
        raise SourceError(f"{name} holds no video, but {what}; give a video, an image or a folder of images")
    best = container.streams.best("video")
    stream = next((stream for stream in streams if stream is best), streams[0])
    if stream.codec_context is None:
        raise SourceError(f"{name} is in a coding that this PyAV cannot decode; convert it to H.264")
    return stream


def _read_layout(path: Path, name: str) -> Layout:
    try:
        if path.is_file() and path.stat().st_size == 0:
            raise SourceError(f"{name} is empty (0 bytes)")
        return layout_of(path)
    except OSError as error:
        raise SourceError(f"{name} cannot be read: {error.strerror or error}") from error


def _open_container(path: Path, name: str, layout: Layout) -> InputContainer:
    try:
        container = av.open(str(path), "r", metadata_errors="replace")
    except av.FFmpegError as error:
        if layout.container == "mp4" and (layout.is_cut or "moov" not in layout.kinds):
            raise SourceError(
                f"{name} is cut off: its index (moov), often written last, is not there, so no frame can be found; "
                "copy or record it again"
            ) from error
        raise _no_video(name, error.strerror or str(error)) from error
    if container.format.name in _TEXT_FORMATS:
        container.close()
        raise _no_video(name, "it is text")
    return container


def _no_video(name: str, reason: str) -> SourceError:
    return SourceError(f"{name} cannot be read as a video ({reason}); give a video, an image or a folder of images")


def _stated_counts(stream: VideoStream, layout: Layout) -> tuple[int | None, int | None]:
    """Packets and frames by the file's index; None where it has none that covers the whole file.

    AVI's header also counts pauses, and a trimmed MP4 samples that are not shown, so their own counts will
    not do.
    """
    indexed = (layout.container == "mp4" and stream.frames > 0) or "idx1" in layout.kinds
    if not indexed:
        return None, None
    shown = [not entry.is_discard for entry in stream.index_entries if entry.size]
    hides_some = layout.container == "avi" and stream.codec_context.name in _HIDING_CODECS
    return len(shown), None if hides_some else sum(shown)


def _of_stated(container: InputContainer, packets: int | None, frame_rate: float | None) -> str:
    """How many frames the whole file would hold, for messages; Matroska states only how long they last."""
    if packets:
        return f" of {packets}"
    if container.duration and frame_rate and "matroska" in container.format.name:
        return f" of about {container.duration / av.time_base * frame_rate:.0f}"
    return ""


def _average_rate(stream: VideoStream, stated_frames: int | None) -> float | None:
    if stated_frames and stream.duration and stream.time_base and stream.container.format.name == "avi":
        return float(stated_frames / (stream.duration * stream.time_base))
    rate = stream.average_rate or stream.guessed_rate
    return float(rate) if rate else None
