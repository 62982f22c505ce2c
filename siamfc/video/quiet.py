"""OpenCV told not to write to stderr what becomes a `siamfc.errors.SourceError`; imported for that effect."""

from __future__ import annotations

import os

from siamfc.opencv import cv2

_SILENT = 0

# Once and for the process: put back after each call, it would be a race between threads that read images.
if "OPENCV_LOG_LEVEL" not in os.environ:
    # OpenCV 4.11 and 4.12 have it at the top, 4.14 one floor down.
    set_log_level = getattr(cv2, "setLogLevel", None) or cv2.utils.logging.setLogLevel
    set_log_level(_SILENT)
