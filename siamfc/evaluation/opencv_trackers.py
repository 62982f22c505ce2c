"""OpenCV's trackers behind ``init`` and ``update``, so that every protocol runs them as it runs ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from siamfc.boxes import Box
from siamfc.data.folders import nearest
from siamfc.errors import TrackerError
from siamfc.files import sha256_of
from siamfc.frames import Image, as_bgr

_ALGORITHMS = ("CSRT", "KCF", "MIL", "Nano")
_CONTRIB = ("CSRT", "KCF")
_NANO_FILES = ("backbone", "neckhead")


@dataclass(frozen=True)
class OpenCvTracker:
    """One of OpenCV's trackers, before it is built.

    Attributes:
        name: What it is called in tables and folders.
        algorithm: ``CSRT``, ``KCF``, ``MIL`` or ``Nano``.
        files: Name and path of each model file, for Nano.
    """

    name: str
    algorithm: str
    files: tuple[tuple[str, str], ...] = ()

    def describe(self) -> dict[str, Any]:
        """Algorithm, and the hashes of its model files; the version of OpenCV stands among the versions."""
        models = {role: {"file": Path(path).name, "sha256": sha256_of(Path(path))} for role, path in self.files}
        return {
            "name": self.name,
            "kind": "opencv",
            "algorithm": self.algorithm,
            **({"models": models} if models else {}),
        }

    def build(self) -> RgbOpenCvTracker:
        """The tracker; raises TrackerError where this OpenCV does not have it."""
        return RgbOpenCvTracker(self)


class RgbOpenCvTracker:
    """An OpenCV tracker that takes RGB frames and says None where it lost the target.

    OpenCV wants the box in whole pixels: its corner and sides are rounded, and cut to the frame. MIL draws samples with
    a seed that it takes from the clock (`cv2.setRNGSeed` does not reach it): no two of its runs are alike.

    Args:
        choice: Which.

    Raises:
        TrackerError: This OpenCV does not have it, or cannot read the model files.
    """

    def __init__(self, choice: OpenCvTracker) -> None:
        from siamfc.opencv import cv2

        self._choice = choice
        self._cv2: Any = cv2
        self._tracker: Any = self._create()  # a missing model file is found here, not in the first sequence

    def init(self, frame: Image, box: Box) -> None:
        """Take the target; frame (H, W, 3) uint8 RGB."""
        self._tracker = self._create()
        self._tracker.init(as_bgr(frame), whole_pixels(box, frame.shape[0], frame.shape[1]))

    def update(self, frame: Image) -> Box | None:
        """Where the target is in the next frame; None where OpenCV says that it is lost."""
        found, box = self._tracker.update(as_bgr(frame))
        return Box(*(float(value) for value in box)) if found else None

    def _create(self) -> object:
        algorithm = self._choice.algorithm
        create = getattr(self._cv2, f"Tracker{algorithm}_create", None)
        if create is None:
            raise TrackerError(_missing(algorithm, self._cv2.__version__))
        if algorithm != "Nano":
            return create()
        parameters = self._cv2.TrackerNano_Params()
        for role, path in self._choice.files:
            setattr(parameters, role, path)
        try:
            return create(parameters)
        except self._cv2.error as error:
            raise TrackerError(f"OpenCV cannot read Nano's model files: {' '.join(str(error).split())}") from None


def choose_opencv_tracker(algorithm: str, *, name: str | None, options: Mapping[str, str]) -> OpenCvTracker:
    """One of OpenCV's trackers by name; arguments and errors as `siamfc.evaluation.trackers.choose_tracker`."""
    known = {entry.lower(): entry for entry in _ALGORITHMS}
    if algorithm.lower() not in known:
        raise TrackerError(
            f"there is no tracker opencv:{algorithm}{nearest(algorithm, _ALGORITHMS)}; known: {', '.join(_ALGORITHMS)}"
        )
    algorithm = known[algorithm.lower()]
    return OpenCvTracker(name or f"opencv-{algorithm}", algorithm, _model_files(algorithm, options))


def whole_pixels(box: Box, height: int, width: int) -> tuple[int, int, int, int]:
    """A box rounded to whole pixels and cut to the frame, at least one pixel of it.

    Example:
        >>> whole_pixels(Box(-2.4, 5.6, 10.2, 4.4), height=8, width=100)
        (0, 6, 8, 2)
    """
    left, top = round(box.x), round(box.y)
    right, bottom = left + max(round(box.width), 1), top + max(round(box.height), 1)
    left, top = min(max(left, 0), width - 1), min(max(top, 0), height - 1)
    return left, top, max(min(right, width) - left, 1), max(min(bottom, height) - top, 1)


def _model_files(algorithm: str, options: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    expected = _NANO_FILES if algorithm == "Nano" else ()
    unknown = [key for key in options if key not in expected]
    if unknown:
        raise TrackerError(
            f"opencv:{algorithm} takes no option {unknown[0]!r}; "
            + (f"it takes {' and '.join(expected)}" if expected else "it takes none")
        )
    missing = [key for key in expected if key not in options]
    if missing:
        raise TrackerError(
            "opencv:Nano wants the two ONNX files of NanoTrack, nanotrack_backbone_sim.onnx and "
            "nanotrack_head_sim.onnx of the repository HonglinChu/SiamTrackers (models/nanotrackv2): "
            "--tracker-option backbone=FILE --tracker-option neckhead=FILE"
        )
    paths = [(key, Path(options[key]).expanduser().resolve()) for key in expected]
    for key, path in paths:
        if not path.is_file():
            raise TrackerError(f"opencv:Nano: {key} is to be a file, and {path} is none")
    return tuple((key, str(path)) for key, path in paths)


def _missing(algorithm: str, version: str) -> str:
    if algorithm in _CONTRIB:
        return (
            f"this OpenCV ({version}) has no {algorithm}: it is in the wheel opencv-contrib-python alone, which cannot "
            "stand beside opencv-python. In a second environment: pip install siamfc, pip uninstall -y opencv-python, "
            "pip install opencv-contrib-python of the same version; run it there, and compare with --results"
        )
    return f"this OpenCV ({version}) has no {algorithm}"
