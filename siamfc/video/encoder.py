"""An H.264 stream in an MP4 file: the encoder, the colours and the times that players expect."""

from __future__ import annotations

import contextlib
import math
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, cast

from siamfc.errors import OutputError
from siamfc.frames import Image
from siamfc.video.pyav import av

if TYPE_CHECKING:
    from av.video.codeccontext import VideoCodecContext
    from av.video.stream import VideoStream

Colorspace = av.video.reformatter.Colorspace
ColorRange = av.video.reformatter.ColorRange

# The best first; the others stand in where PyAV was built without GPL code.
H264_ENCODERS = (
    "libx264",
    "libopenh264",
    "h264_videotoolbox",
    "h264_mf",
    "h264_nvenc",
    "h264_qsv",
    "h264_amf",
)

# Twice as fast as x264's default preset on two cores, at the same quality and a third more bytes.
_X264_OPTIONS = {"preset": "veryfast", "crf": "19"}
_BITS_PER_PIXEL = 0.15  # for encoders that know no constant quality

_MIN_TICKS_PER_S = 90_000
_JUMP_BACK_S = 1.0

_BT709 = 1  # matrix, primaries and transfer, as H.264 numbers them


class Timeline:
    """Times of frames as rising ticks; a frame period is a whole number of ticks, so a steady rate is exact.

    Args:
        frame_rate: Frames per second for frames without a time, 0.01 to 10000.

    Raises:
        OutputError: ``frame_rate`` is out of range.

    Example:
        >>> timeline = Timeline(25)
        >>> [float(timeline.tick_of(time_s) * timeline.unit_s) for time_s in (7.0, 7.5, None)]
        [0.0, 0.5, 0.54]
    """

    def __init__(self, frame_rate: float) -> None:
        if not 0.01 <= frame_rate <= 10_000:
            raise OutputError(f"a video has 0.01 to 10000 frames per second, not {frame_rate!r}")
        self.rate = Fraction(frame_rate).limit_denominator(1001)
        ticks_per_step = math.ceil(_MIN_TICKS_PER_S / self.rate.numerator)
        self.unit_s = Fraction(1, self.rate.numerator * ticks_per_step)
        self.period = self.rate.denominator * ticks_per_step
        self._last: int | None = None
        self._offset: int | None = None  # from ticks of the caller's clock to ticks of the video

    def tick_of(self, time_s: float | None) -> int:
        """Tick of the next frame, which is always after the one before.

        Raises:
            OutputError: ``time_s`` is not finite.
        """
        following = 0 if self._last is None else self._last + self.period
        tick = following if time_s is None else self._translated(time_s, following)
        self._last = tick
        return tick

    def _translated(self, time_s: float, following: int) -> int:
        if not math.isfinite(time_s):
            raise OutputError(f"the time of a frame is a finite number of seconds, not {time_s!r}")
        stated = round(time_s / self.unit_s)
        if self._offset is None:
            self._offset = following - stated
        tick = stated + self._offset
        if self._last is None or tick > self._last:
            return tick
        if (self._last - tick) * self.unit_s <= _JUMP_BACK_S:
            return self._last + 1
        self._offset = following - stated
        return following


class Encoder:
    """Frames of one size, encoded into a file that is complete once `finish` was called.

    Args:
        path: File to write.
        size: (height, width), both even.
        timeline: Gives the unit of the ticks.

    Raises:
        OutputError: This build of PyAV has no H.264 encoder that takes this size.
        av.FFmpegError: The file cannot be written; so do the methods.
    """

    def __init__(self, path: Path, size: tuple[int, int], timeline: Timeline) -> None:
        codec = _working_encoder(size, timeline)
        self._unit_s, self._period = timeline.unit_s, timeline.period
        self._reformatter = av.video.reformatter.VideoReformatter()
        # Ctrl-C comes between two steps of the main thread: there, packets that were encoded could be lost before they
        # are written, and without its first one no frame of a file can be decoded.
        self._worker = ThreadPoolExecutor(max_workers=1)
        # faststart: the index in front, so that a browser plays before it has the whole file.
        self._container = av.open(str(path), "w", format="mp4", container_options={"movflags": "+faststart"})
        try:
            self._stream = self._add_stream(codec, size, timeline)
            self._container.start_encoding()
        except BaseException:
            self.abandon()
            raise

    def _add_stream(self, codec: str, size: tuple[int, int], timeline: Timeline) -> VideoStream:
        height, width = size
        if codec == "libx264":
            options, bit_rate = _X264_OPTIONS, 0
        else:
            options, bit_rate = {}, round(_BITS_PER_PIXEL * height * width * timeline.rate)
        stream = cast(
            "VideoStream",
            self._container.add_stream(
                codec,
                timeline.rate,
                options=options,
                width=width,
                height=height,
                time_base=timeline.unit_s,
                bit_rate=bit_rate,
            ),
        )
        context = stream.codec_context
        context.color_range = ColorRange.MPEG
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        return stream

    def add(self, image: Image, tick: int) -> None:
        """Encodes one frame, (H, W, 3) ``uint8`` RGB of the encoder's size."""
        rgb = av.VideoFrame.from_ndarray(image, format="rgb24")
        coded = self._reformatter.reformat(
            rgb,
            format="yuv420p",
            interpolation="BICUBIC",
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
        )
        coded.pts, coded.time_base, coded.duration = tick, self._unit_s, self._period
        self._worker.submit(self._pass_on, coded).result()

    def finish(self) -> None:
        """Writes what the encoder holds back, and the index."""
        self._worker.submit(self._pass_on, None).result()
        self._worker.shutdown()
        self._container.close()

    def _pass_on(self, frame: av.VideoFrame | None) -> None:
        self._container.mux(self._stream.encode(frame))

    def abandon(self) -> None:
        """Closes the file as it is."""
        self._worker.shutdown()
        with contextlib.suppress(av.FFmpegError, OSError):
            self._container.close()


def _working_encoder(size: tuple[int, int], timeline: Timeline) -> str:
    """The first encoder that opens: one for a device is listed on machines without it, too."""
    height, width = size
    for codec in H264_ENCODERS:
        with contextlib.suppress(av.FFmpegError, ValueError):
            context = cast("VideoCodecContext", av.CodecContext.create(codec, "w"))
            context.height, context.width, context.pix_fmt = height, width, "yuv420p"
            context.time_base, context.framerate = timeline.unit_s, timeline.rate
            context.open()
            return codec
    raise OutputError(
        f"no H.264 encoder takes frames of {width} x {height} pixels, of {', '.join(H264_ENCODERS)}; "
        "PyAV from PyPI has libx264: pip install --force-reinstall av"
    )
