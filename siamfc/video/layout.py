"""Whether a video file is all there: what its container says it holds, against the bytes that are on disk.

Demuxers end quietly where the bytes do. The sizes that MP4, Matroska and AVI state about their own parts
tell a file that was cut from one that is short; a healthy file never states more than it has.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

# fmt: off
_MP4_PARTS = frozenset({
    "free", "ftyp", "mdat", "meta", "mfra", "moof", "moov", "pdin", "pnot", "sidx", "skip", "styp", "udta",
    "uuid", "wide",
})
# fmt: on
_EBML, _SEGMENT = b"\x1aE\xdf\xa3", b"\x18S\x80g"


class Part(NamedTuple):
    """A top-level part of a container; ``end`` is the byte after it, None where it states no size."""

    kind: str
    end: int | None


class Layout(NamedTuple):
    """What a file's container says about itself.

    Attributes:
        container: ``"mp4"`` (also MOV), ``"matroska"`` (also WebM), ``"avi"`` or ``""`` for any other.
        kinds: The kinds of its top-level parts, in order.
        is_cut: A part reaches past the end of the file.
    """

    container: str
    kinds: tuple[str, ...]
    is_cut: bool


def layout_of(path: Path) -> Layout:
    """The `Layout` of a video file; an unknown container, or a pipe, is never called cut.

    Raises:
        OSError: The file cannot be read.
    """
    if not path.is_file():
        return Layout("", (), False)
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(12)
        container = _container_of(head)
        walk = {"mp4": _mp4_parts, "matroska": _matroska_parts, "avi": _avi_parts}.get(container)
        parts = list(walk(file)) if walk else []
    is_cut = any(part.end is not None and part.end > size for part in parts)
    return Layout(container, tuple(part.kind for part in parts), is_cut)


def _container_of(head: bytes) -> str:
    if head[4:8].decode("latin-1") in _MP4_PARTS:
        return "mp4"
    if head.startswith(_EBML):
        return "matroska"
    return "avi" if head.startswith(b"RIFF") and head.endswith(b"AVI ") else ""


def _mp4_parts(file: BinaryIO) -> Iterator[Part]:
    position = 0
    while True:
        file.seek(position)
        head = file.read(16)
        kind = head[4:8].decode("latin-1")
        if len(head) < 8 or kind not in _MP4_PARTS:  # the end, or bytes that somebody added behind it
            return
        length = int.from_bytes(head[:4], "big")
        if length == 1:  # the size did not fit 32 bits and follows
            length = int.from_bytes(head[8:], "big")
        if length < 8:  # 0: up to the end of the file, wherever that is
            yield Part(kind, None)
            return
        position += length
        yield Part(kind, position)


def _matroska_parts(file: BinaryIO) -> Iterator[Part]:
    position = 0
    for kind in (_EBML, _SEGMENT):
        file.seek(position)
        if file.read(4) != kind:
            return
        length = _matroska_size(file)
        if length is None:  # written to a pipe, or by a program that was killed
            return
        position = file.tell() + length
        yield Part("header" if kind == _EBML else "segment", position)


def _matroska_size(file: BinaryIO) -> int | None:
    first = file.read(1)
    # Leading zero bits count the bytes that follow.
    extra = 8 - first[0].bit_length() if first and first[0] else 0
    number = int.from_bytes(first + file.read(extra), "big")
    bits = 7 * (extra + 1)
    value = number & ((1 << bits) - 1)
    return None if value == (1 << bits) - 1 else value  # all ones: not known


def _avi_parts(file: BinaryIO) -> Iterator[Part]:
    position = 12
    while True:
        file.seek(position)
        head = file.read(12)
        if len(head) < 8:
            return
        length = int.from_bytes(head[4:8], "little")
        kind = (head[8:] if head.startswith(b"LIST") else head[:4]).decode("latin-1")
        if kind not in ("hdrl", "movi", "idx1", "INFO", "JUNK") or length in (0, 0xFFFFFFFF):
            return
        position += 8 + length + length % 2
        yield Part(kind, position - length % 2)
