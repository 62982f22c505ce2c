"""Stages of tracked videos, timed with several runtimes in turn."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from siamfc.bench.machine import wait_for
from siamfc.boxes import Box
from siamfc.config import TrackerConfig
from siamfc.data import render_clip
from siamfc.errors import SiamfcError
from siamfc.model import SiamFC
from siamfc.runtimes.choosing import choose_runtime, installed_runtimes
from siamfc.runtimes.runtime import Runtime
from siamfc.tracker.tracker import Tracker
from siamfc.video import VideoWriter, open_source

STAGES = ("decode", "crop", "embed", "correlate", "post-process")
WHOLE = "end to end"

_PRECISIONS = {"torch": ("fp32", "bf16", "fp16"), "onnxruntime": ("fp32",), "openvino": ("fp32", "bf16")}
_CLIP_SEED, _CLIP_FRAME_RATE = 0, 30.0


@dataclass
class Side:
    """One way of computing, and what it took: seconds a frame by stage, a number a round."""

    runtime: Runtime
    label: str
    seconds: dict[str, list[float]] = field(default_factory=dict)

    def add(self, stage: str, seconds: float) -> None:
        """Note one round's time."""
        self.seconds.setdefault(stage, []).append(seconds)


def build_sides(model: SiamFC, names: Sequence[str] = ()) -> tuple[list[Side], dict[str, str]]:
    """All runtimes and precisions that work here, and why the others do not, by label.

    Args:
        model: On the device to compute on.
        names: Runtimes, as `choose_runtime` takes them; none for all that are installed. One of these that does not
            work in fp32 is an error.
    """
    sides, left_out = [], {}
    for name in names or installed_runtimes():
        for precision in _PRECISIONS.get(name, ("fp32",)):
            label = f"{name} {precision}" if name in _PRECISIONS else name
            try:
                runtime = choose_runtime(model, name, precision)
            except SiamfcError as error:
                if names and precision == "fp32":
                    raise
                left_out[label] = str(error)
            else:
                sides.append(Side(runtime, label if name in _PRECISIONS else f"{name} {runtime.precision}"))
    return sides, left_out


def run_round(side: Side, model: SiamFC, config: TrackerConfig, source: str, box: Box, stop: int | None) -> int:
    """Track the video once from its file, and note the time a frame of each stage; how many frames that were.

    The first frame, which starts the tracker, is decoded before the clock starts.
    """
    tracker = Tracker(model, config, runtime=side.runtime)
    decoding, count = 0.0, 0
    with open_source(source, stop=stop) as opened:
        frames = iter(opened)
        tracker.init(next(frames).image, box)
        tracker.clock.seconds.clear()
        wait_for(model.device)
        began = time.perf_counter()
        while True:
            asked = time.perf_counter()
            frame = next(frames, None)
            decoding += time.perf_counter() - asked
            if frame is None:
                break
            tracker.update(frame.image)
            count += 1
        wait_for(model.device)
        whole = time.perf_counter() - began
    for stage, seconds in {"decode": decoding, **tracker.clock.seconds, WHOLE: whole}.items():
        side.add(stage, seconds / max(count, 1))
    return count


def write_clip(folder: Path, *, num_frames: int) -> tuple[Path, Box]:
    """A video file of the rendered clip, and its first box."""
    clip, path = render_clip(_CLIP_SEED, num_frames=num_frames), folder / "clip.mp4"
    with VideoWriter(path, frame_rate=_CLIP_FRAME_RATE) as writer:
        for image in clip:
            writer.write(image)
    return path, clip.boxes[0]
