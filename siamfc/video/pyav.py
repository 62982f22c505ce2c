"""PyAV, imported after OpenCV; every module of the package takes ``av`` from here.

With PyAV loaded first, OpenCV's windows freeze on Linux. PyAV keeps libav's messages from stderr unless the
user asks for them with ``av.logging``, so nothing needs to be silenced here.
"""

from __future__ import annotations

from siamfc.errors import EnvironmentProblem
from siamfc.opencv import cv2  # noqa: F401  # isort: split

try:
    import av
except ImportError as error:
    raise EnvironmentProblem(f"PyAV cannot be imported ({error}). Install it: pip install av") from error

__all__ = ["av"]
