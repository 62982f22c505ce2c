"""Sliding-window similarity: a fully convolutional Siamese network that finds an exemplar in a search image.

The public names are resolved when they are first used, so that reading results or ``siamfc --help`` needs no torch.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from siamfc.boxes import Box, intersection_over_union
    from siamfc.checkpoint import load_model, model_names, read_info, save_checkpoint
    from siamfc.config import Config, MatchConfig, ModelConfig, TrackerConfig, load_config
    from siamfc.correlation import cross_correlate
    from siamfc.data.target_file import TargetStart
    from siamfc.demo import run_demo
    from siamfc.dense import DenseSiamFC
    from siamfc.equivariance.measuring import measure_equivariance
    from siamfc.errors import SiamfcError
    from siamfc.evaluation.evaluating import evaluate
    from siamfc.matching.exemplars import Exemplar, as_exemplar
    from siamfc.matching.matcher import Match, Matcher
    from siamfc.matching.one_call import match, match_map
    from siamfc.matching.run import match_pictures
    from siamfc.model import SiamFC, build_model
    from siamfc.results import TrackedFrame
    from siamfc.tiles import tiled_score_map
    from siamfc.tracker.multi_tracker import MultiTracker
    from siamfc.tracker.track_result import ScoreMaps, TrackResult
    from siamfc.tracker.tracker import Tracker
    from siamfc.tracking_run.run import StoppedEarly, TrackRun, track_video
    from siamfc.training.one_call import TrainRun, train
    from siamfc.video import VideoWriter, open_source
    from siamfc.visualize.maps import draw_pair
    from siamfc.visualize.runs import visualize_pair, visualize_video

_HOME = {
    "Box": "boxes",
    "Config": "config",
    "DenseSiamFC": "dense",
    "Exemplar": "matching.exemplars",
    "Match": "matching.matcher",
    "MatchConfig": "config",
    "Matcher": "matching.matcher",
    "ModelConfig": "config",
    "MultiTracker": "tracker.multi_tracker",
    "ScoreMaps": "tracker.track_result",
    "SiamFC": "model",
    "SiamfcError": "errors",
    "StoppedEarly": "tracking_run.run",
    "TargetStart": "data.target_file",
    "TrackResult": "tracker.track_result",
    "TrackRun": "tracking_run.run",
    "TrainRun": "training.one_call",
    "TrackedFrame": "results",
    "Tracker": "tracker.tracker",
    "TrackerConfig": "config",
    "VideoWriter": "video",
    "as_exemplar": "matching.exemplars",
    "build_model": "model",
    "cross_correlate": "correlation",
    "draw_pair": "visualize.maps",
    "evaluate": "evaluation.evaluating",
    "intersection_over_union": "boxes",
    "load_config": "config",
    "load_model": "checkpoint",
    "match": "matching.one_call",
    "match_map": "matching.one_call",
    "match_pictures": "matching.run",
    "measure_equivariance": "equivariance.measuring",
    "model_names": "checkpoint",
    "open_source": "video",
    "read_info": "checkpoint",
    "run_demo": "demo",
    "save_checkpoint": "checkpoint",
    "tiled_score_map": "tiles",
    "track_video": "tracking_run.run",
    "train": "training.one_call",
    "visualize_pair": "visualize.runs",
    "visualize_video": "visualize.runs",
}

__all__ = [
    "Box",
    "Config",
    "DenseSiamFC",
    "Exemplar",
    "Match",
    "MatchConfig",
    "Matcher",
    "ModelConfig",
    "MultiTracker",
    "ScoreMaps",
    "SiamFC",
    "SiamfcError",
    "StoppedEarly",
    "TargetStart",
    "TrackResult",
    "TrackRun",
    "TrackedFrame",
    "Tracker",
    "TrackerConfig",
    "TrainRun",
    "VideoWriter",
    "as_exemplar",
    "build_model",
    "cross_correlate",
    "draw_pair",
    "evaluate",
    "intersection_over_union",
    "load_config",
    "load_model",
    "match",
    "match_map",
    "match_pictures",
    "measure_equivariance",
    "model_names",
    "open_source",
    "read_info",
    "run_demo",
    "save_checkpoint",
    "tiled_score_map",
    "track_video",
    "train",
    "visualize_pair",
    "visualize_video",
]


def __getattr__(name: str) -> object:
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    if name == "__version__":
        return import_module(f"{__name__}.versions").package_version()
    if not name.startswith("_") and find_spec(f"{__name__}.{name}"):
        return import_module(f"{__name__}.{name}")  # a part of the package, such as siamfc.evaluation
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
