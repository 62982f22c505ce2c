"""OpenCV, imported before PyAV, and told apart from a broken install.

Every module of the package takes ``cv2`` from here. With PyAV loaded first, OpenCV's windows freeze on Linux, so
``siamfc.video`` imports this module before it imports ``av``; on bare servers ``import cv2`` fails for a missing
system library, which becomes one line that says what to install.
"""

from __future__ import annotations

from siamfc.errors import EnvironmentProblem

try:
    import cv2
except ImportError as error:
    raise EnvironmentProblem(
        f"OpenCV cannot be imported ({error}). On a server without graphics libraries: "
        'pip uninstall -y opencv-python && pip install "opencv-python-headless<5"; '
        "or install the library it names (Debian, Ubuntu: apt-get install libgl1 libglib2.0-0). "
        "opencv-contrib-python and opencv-contrib-python-headless will do as well."
    ) from error

__all__ = ["cv2"]
