"""The whole benchmark: sides in turn, limits in between, medians and floors in one report."""

from __future__ import annotations

import datetime
import statistics
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from siamfc.bench.machine import LimitMeter, Machine
from siamfc.bench.tracking import STAGES, WHOLE, Side, build_sides, run_round, write_clip
from siamfc.bench.work import Work, stage_work
from siamfc.boxes import Box
from siamfc.config import Config, load_config
from siamfc.errors import BoxError, SourceError
from siamfc.model import SiamFC
from siamfc.versions import library_versions

FORMAT_VERSION = 1
_WARM_UP_FRAMES = 6


@dataclass(frozen=True)
class Spread:
    """A stage's time a frame over the rounds, milliseconds: median and quartiles."""

    median_ms: float
    lower_ms: float
    upper_ms: float


@dataclass(frozen=True)
class Bench:
    """What was measured.

    Attributes:
        machine: With its limits.
        source: What was tracked: a video, or the rendered clip.
        frames: That each round tracked.
        rounds: How often each side took its turn.
        work: The least that each stage does.
        sides: Times by stage, by runtime and precision; ``end to end`` is the whole.
        left_out: Runtimes and precisions that do not work here, and why.
        training_step: Of one step, and how many pairs it takes; None where it was not asked for.
        model: Name, hash and settings.
        tracker: Settings.
    """

    machine: Machine
    source: str
    frames: int
    rounds: int
    work: dict[str, Work]
    sides: dict[str, dict[str, Spread]]
    left_out: dict[str, str]
    training_step: tuple[Spread, int] | None
    model: dict[str, Any]
    tracker: dict[str, Any]

    def floor_ms(self, stage: str) -> float | None:
        """The least time a frame of a stage on this machine in float32; None for decoding, which is not counted.

        For the whole it is the sum of the others.
        """
        if stage == WHOLE:
            return 1000 * sum(work.floor_s(self.machine) for work in self.work.values())
        return 1000 * self.work[stage].floor_s(self.machine) if stage in self.work else None


def run_bench(
    model: SiamFC,
    *,
    source: str | None = None,
    box: Box | None = None,
    config: Config | None = None,
    runtimes: Sequence[str] = (),
    rounds: int = 5,
    stop: int | None = None,
    train_batch: int = 0,
    progress: Callable[[str], None] = lambda _: None,
) -> Bench:
    """Track a video with every runtime in turn, round by round, and time its stages.

    Args:
        model: On the device to compute on.
        source: What `siamfc.video.open_source` takes; None for a clip that is rendered and written as a video.
        box: The target in its first frame; needed where there is a source.
        config: Settings; None takes the model's.
        runtimes: As `siamfc.bench.tracking.build_sides`.
        rounds: How often each takes its turn.
        stop: Frame to end before; the length of the rendered clip.
        train_batch: Pairs in the training step that is timed as well; 0 for none.
        progress: Told what is done next.

    Raises:
        BoxError: A source without a box.
        SourceError: A source with fewer than two frames, or one that cannot be read.
        EnvironmentProblem: A runtime was named that does not work here.
    """
    if source is not None and box is None:
        raise BoxError("a video needs the target's box in its first frame: --box X,Y,W,H")
    settings = load_config(config, checkpoint=model.settings)
    sides, left_out = build_sides(model, runtimes)
    meter = LimitMeter(model.device)
    step, step_seconds = _training_step(model, train_batch), list[float]()
    with tempfile.TemporaryDirectory() as folder:
        if source is None:
            path, box = write_clip(Path(folder), num_frames=stop or 120)
        assert box is not None
        video = source or str(path)
        for side in sides:
            progress(f"warming up {side.label}")
            run_round(side, model, settings.tracker, video, box, min(stop or _WARM_UP_FRAMES, _WARM_UP_FRAMES))
            side.seconds.clear()
        for number in range(rounds):
            meter.measure()
            for side in sides:
                progress(f"round {number + 1} of {rounds}: {side.label}")
                frames = run_round(side, model, settings.tracker, video, box, stop)
                if frames == 0:
                    raise SourceError(f"{video} has one frame: there is nothing to track")
            if step:
                step_seconds += [step.seconds(), step.seconds()]
    return Bench(
        machine=meter.read(),
        source=source or f"rendered clip of {stop or 120} frames, 480 x 360, H.264",
        frames=frames,
        rounds=rounds,
        work=stage_work(model, settings.tracker),
        sides={side.label: _spreads(side) for side in sides},
        left_out=left_out,
        training_step=(_spread(step_seconds), train_batch) if step else None,
        model=model.describe(),
        tracker=settings.tracker.model_dump(),
    )


def bench_as_json(bench: Bench) -> dict[str, Any]:
    """A report as JSON: times in milliseconds, shares of the floor, the machine, versions and the date."""
    return {
        "format_version": FORMAT_VERSION,
        "date": datetime.datetime.now(tz=datetime.timezone.utc).date().isoformat(),
        "machine": vars(bench.machine),
        "versions": library_versions(),
        "model": bench.model,
        "tracker": bench.tracker,
        "source": bench.source,
        "frames": bench.frames,
        "rounds": bench.rounds,
        "floors": {stage: {**work._asdict(), "floor_ms": bench.floor_ms(stage)} for stage, work in bench.work.items()},
        "runtimes": {
            label: {
                "stages": {
                    stage: {**vars(spread), "share_of_floor": share_of_floor(bench, stage, spread)}
                    for stage, spread in spreads.items()
                },
                "frames_per_second": 1000 / spreads[WHOLE].median_ms,
            }
            for label, spreads in bench.sides.items()
        },
        "left_out": bench.left_out,
        "training_step": {**vars(bench.training_step[0]), "pairs": bench.training_step[1]}
        if bench.training_step
        else None,
    }


def share_of_floor(bench: Bench, stage: str, spread: Spread) -> float | None:
    """The floor over the median: 1 is all that the machine can do in float32; None where nothing is counted."""
    floor = bench.floor_ms(stage)
    return None if floor is None or not spread.median_ms else floor / spread.median_ms


def _training_step(model: SiamFC, batch: int) -> Any:
    if batch == 0:
        return None
    from siamfc.bench.training_step import TrainingStep

    step = TrainingStep(model, batch=batch)
    step.seconds()
    return step


def _spreads(side: Side) -> dict[str, Spread]:
    return {stage: _spread(side.seconds[stage]) for stage in (*STAGES, WHOLE) if stage in side.seconds}


def _spread(seconds: Sequence[float]) -> Spread:
    quartiles = statistics.quantiles(seconds, n=4, method="inclusive") if len(seconds) > 1 else [seconds[0]] * 3
    lower, median, upper = (1000 * value for value in quartiles)
    return Spread(median, lower, upper)
