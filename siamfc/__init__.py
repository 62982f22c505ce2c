"""Sliding-window similarity: a fully convolutional Siamese network that finds an exemplar in a search image.

The public names are resolved when they are first used, so that reading results or ``siamfc --help`` needs no torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from siamfc.boxes import Box, intersection_over_union
    from siamfc.checkpoint import load_model, model_names, read_info, save_checkpoint
    from siamfc.config import Config, ModelConfig, TrackerConfig, load_config
    from siamfc.correlation import cross_correlate
    from siamfc.demo import run_demo
    from siamfc.errors import SiamfcError
    from siamfc.evaluation.evaluating import evaluate
    from siamfc.model import SiamFC, build_model
    from siamfc.results import TrackedFrame
    from siamfc.tracker import ScoreMaps, Tracker, TrackResult
    from siamfc.tracking_run import StoppedEarly, TrackRun, track_video
    from siamfc.video import VideoWriter, open_source

_HOME = {
    "Box": "boxes",
    "Config": "config",
    "ModelConfig": "config",
    "ScoreMaps": "tracker",
    "SiamFC": "model",
    "SiamfcError": "errors",
    "StoppedEarly": "tracking_run",
    "TrackResult": "tracker",
    "TrackRun": "tracking_run",
    "TrackedFrame": "results",
    "Tracker": "tracker",
    "TrackerConfig": "config",
    "VideoWriter": "video",
    "build_model": "model",
    "cross_correlate": "correlation",
    "evaluate": "evaluation.evaluating",
    "intersection_over_union": "boxes",
    "load_config": "config",
    "load_model": "checkpoint",
    "model_names": "checkpoint",
    "open_source": "video",
    "read_info": "checkpoint",
    "run_demo": "demo",
    "save_checkpoint": "checkpoint",
    "track_video": "tracking_run",
}

__all__ = [
    "Box",
    "Config",
    "ModelConfig",
    "ScoreMaps",
    "SiamFC",
    "SiamfcError",
    "StoppedEarly",
    "TrackResult",
    "TrackRun",
    "TrackedFrame",
    "Tracker",
    "TrackerConfig",
    "VideoWriter",
    "build_model",
    "cross_correlate",
    "evaluate",
    "intersection_over_union",
    "load_config",
    "load_model",
    "model_names",
    "open_source",
    "read_info",
    "run_demo",
    "save_checkpoint",
    "track_video",
]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
