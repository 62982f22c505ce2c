"""Versions of what computes here, for result files and bug reports."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, distributions, version

OPENCV_WHEELS = (
    "opencv-python",
    "opencv-python-headless",
    "opencv-contrib-python",
    "opencv-contrib-python-headless",
)
_LIBRARIES = ("torch", "onnx", "onnxruntime", "openvino", "numpy", "av", "safetensors", "pydantic", "matplotlib")


def package_version() -> str:
    """This package's version, or ``unknown`` in a checkout that is not installed."""
    try:
        return version("siamfc")
    except PackageNotFoundError:
        return "unknown (not installed)"


def library_versions() -> dict[str, str]:
    """Version by name: siamfc, Python, and the libraries whose version can change a result."""
    installed = {str(found.metadata["Name"]).lower(): found.version for found in distributions()}
    names = [*_LIBRARIES, *OPENCV_WHEELS]
    return {
        "siamfc": package_version(),
        "python": platform.python_version(),
        **{name: installed[name] for name in names if name in installed},
    }
