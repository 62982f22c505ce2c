"""Frames from a file, a folder, a pattern, a camera or a stream; and videos that play everywhere."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from siamfc.video.images import read_image
    from siamfc.video.opening import open_source
    from siamfc.video.source import Frame, FrameSource
    from siamfc.video.writer import VideoWriter

__all__ = ["Frame", "FrameSource", "VideoWriter", "open_source", "read_image"]

# OpenCV and PyAV take a third of a second to import, so each name is fetched when it is first asked for.
_HOME = {
    "Frame": "source",
    "FrameSource": "source",
    "VideoWriter": "writer",
    "open_source": "opening",
    "read_image": "images",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
