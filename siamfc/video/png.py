"""PNG files checked and slimmed before they are decoded, so that libpng has nothing to print.

libpng writes its warnings and errors straight to stderr, and warns about colour profiles in many a healthy
file. Every chunk of a PNG carries its length and a checksum: damage is found here, and chunks that do not
touch the pixels as OpenCV reads them are left out.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

SIGNATURE = b"\x89PNG\r\n\x1a\n"

_PIXEL_CHUNKS = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}


def slim_png(data: bytes) -> bytes | None:
    """The same picture with no more chunks than it needs, or None where the file is cut off or damaged.

    An orientation (``eXIf``) is kept if it is long enough to be one; of an animation, the still picture.
    """
    kept = [SIGNATURE]
    last = b""
    for kind, chunk in _sound_chunks(data):
        if kind in _PIXEL_CHUNKS or (kind == b"eXIf" and len(chunk) > 24):
            kept.append(chunk)
        last = kind
    return b"".join(kept) if last == b"IEND" else None


def _sound_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Type and bytes of the chunks up to IEND; ends before one that is cut off or fails its checksum."""
    position = len(SIGNATURE)
    while position + 12 <= len(data):
        end = position + 12 + int.from_bytes(data[position : position + 4], "big")
        chunk = data[position:end]
        checksum = int.from_bytes(chunk[-4:], "big")
        if end > len(data) or zlib.crc32(chunk[4:-4]) != checksum:
            return
        kind = chunk[4:8]
        yield kind, chunk
        if kind == b"IEND":
            return
        position = end
