"""What this machine and installation are: versions, builds, devices, windows, runtimes, models."""

from __future__ import annotations

import os
import platform
import re

import torch

from siamfc.checkpoint import model_names, read_info
from siamfc.devices import choose_device, device_label, device_names
from siamfc.display import why_no_window
from siamfc.opencv import cv2
from siamfc.runtimes.choosing import installed_runtimes
from siamfc.versions import OPENCV_WHEELS, library_versions
from siamfc.video.encoder import H264_ENCODERS
from siamfc.video.pyav import av


def describe_environment() -> dict[str, str | list[str]]:
    """Facts by name, for people; every value is one line or several."""
    versions = library_versions()
    wheels = [f"{name} {versions[name]}" for name in OPENCV_WHEELS if name in versions]
    if len(wheels) > 1:
        wheels.append("MORE THAN ONE: they overwrite each other; uninstall all, then install one")
    usable = [device_label(choose_device(name)) for name in device_names()]
    return {
        "siamfc": versions["siamfc"],
        "python": f"{versions['python']} on {platform.platform()}",
        "cpu": f"{os.cpu_count()} cores, {platform.machine()}, torch threads {torch.get_num_threads()}",
        "libraries": [f"{name} {version}" for name, version in versions.items() if name not in ("siamfc", "python")],
        "opencv wheels": wheels or ["none registered with pip"],
        "opencv build": [f"OpenCV {cv2.__version__}", *_opencv_build()],
        "ffmpeg in PyAV": [f"{name} {'.'.join(map(str, parts))}" for name, parts in av.library_versions.items()],
        "h264 encoders": ", ".join(name for name in H264_ENCODERS if name in av.codecs_available)
        or "none: videos cannot be written",
        "windows": why_no_window() or "work",
        "devices": [*usable, f"auto takes {choose_device('auto')}"],
        "cpu capability": torch.backends.cpu.get_cpu_capability(),
        "runtimes": ", ".join(installed_runtimes()),
        "models": [f"{name}  sha256 {read_info(name).short_hash}" for name in model_names()],
    }


def _opencv_build() -> list[str]:
    """The lines of OpenCV's build report that tell about windows and video."""
    report = cv2.getBuildInformation()
    wanted = re.findall(r"^ +(GUI|QT|GTK\+?|Win32 UI|Cocoa|FFMPEG|GStreamer|v4l/v4l2): +(\S.*)$", report, re.MULTILINE)
    return [f"{name}: {value.strip()}" for name, value in wanted]
