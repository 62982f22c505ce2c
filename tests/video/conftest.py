"""Small videos and pictures, rendered for the tests of siamfc.video."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from siamfc.opencv import cv2
from siamfc.video.pyav import av

Picture = NDArray[np.uint8]


def render(number: int, height: int = 48, width: int = 64) -> Picture:
    """A smooth coloured scene, different for each number; (height, width, 3)."""
    rng = np.random.default_rng(7)
    patches = rng.integers(30, 220, (4, 5, 3), dtype=np.uint8)
    scene = cv2.resize(patches, (width, height), interpolation=cv2.INTER_LINEAR)
    left = number % (width - 8)
    scene[height // 2 : height // 2 + 8, left : left + 8] = (number * 5 % 250, 200, 40)
    return scene


@pytest.fixture
def scenes() -> Callable[..., list[Picture]]:
    """The first so many scenes: ``scenes(count, height=48, width=64)``."""
    return lambda count, **size: [render(number, **size) for number in range(count)]


@pytest.fixture
def encode(tmp_path: Path) -> Callable[..., Path]:
    """Writes a video by PyAV, packet by packet, without the code under test."""

    def encode(
        name: str,
        images: Sequence[Picture],
        codec: str = "libx264",
        pix_fmt: str = "yuv420p",
        *,
        rate: int = 25,
        times_ms: Sequence[int] | None = None,
        options: dict[str, str] | None = None,
        container_options: dict[str, str] | None = None,
        rotation: tuple[float, bool] | None = None,
        tags: dict[str, int] | None = None,
        metadata: dict[str, str] | None = None,
        metadata_encoding: str = "utf-8",
    ) -> Path:
        path = tmp_path / name
        unit = Fraction(1, 1000) if times_ms else Fraction(1, rate)
        with av.open(
            str(path), "w", container_options=container_options, metadata_encoding=metadata_encoding
        ) as container:
            container.metadata.update(metadata or {})
            height, width = images[0].shape[:2]
            stream: Any = container.add_stream(
                codec, rate, width=width, height=height, pix_fmt=pix_fmt, time_base=unit, options=options
            )
            if rotation is not None:
                stream.set_display_rotation(rotation[0], hflip=rotation[1])
            for key, value in (tags or {}).items():
                setattr(stream.codec_context, key, value)
            for number, image in enumerate(images):
                frame = av.VideoFrame.from_ndarray(image, format="rgb24")
                if pix_fmt != "rgb24":
                    frame = frame.reformat(format=pix_fmt)
                frame.pts, frame.time_base = (times_ms[number] if times_ms else number), unit
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return path

    return encode


@pytest.fixture
def png() -> Callable[..., bytes]:
    """A PNG file made by hand: ``png(header, extra chunks, rows of bytes)``."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")

    def build(width: int, height: int, depth: int, colour: int, rows: bytes, *extra: tuple[bytes, bytes]) -> bytes:
        size = width.to_bytes(4, "big") + height.to_bytes(4, "big")
        header = chunk(b"IHDR", size + bytes([depth, colour, 0, 0, 0]))
        body = b"".join(chunk(kind, data) for kind, data in extra)
        return b"\x89PNG\r\n\x1a\n" + header + body + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")

    return build
