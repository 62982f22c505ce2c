"""The runs of one tracker over a dataset: what is not finished is run, what is done is written down at once."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import numpy as np

from siamfc.data.frame_reader import FrameReader
from siamfc.data.sequence import Sequence as FrameSequence
from siamfc.errors import SiamfcError
from siamfc.evaluation.plans import PlannedRun
from siamfc.evaluation.protocols import AnyTracker, run_one_pass, run_vot_supervised
from siamfc.evaluation.records import Trajectory
from siamfc.evaluation.run_folder import RunFolder
from siamfc.evaluation.trackers import TrackerChoice
from siamfc.workers import Workers, limited_threads, results_as_done


class Progress(NamedTuple):
    """How far the runs of a tracker have come.

    Attributes:
        tracker: Its name.
        done: How many runs are finished or have failed.
        total: How many there are.
        sequence: Of the run just done; None before the first.
        frames: How many frames that run tracked.
        seconds: The time they took inside the tracker.
        problem: Why it failed, or None.
    """

    tracker: str
    done: int
    total: int
    sequence: str | None = None
    frames: int = 0
    seconds: float = 0.0
    problem: str | None = None


Observer = Callable[[Progress], None]


class Task(NamedTuple):
    """One run to make."""

    sequence: FrameSequence
    run: PlannedRun


class Outcome(NamedTuple):
    """What a worker gives back: the run, or why there is none."""

    sequence: str
    run: str
    trajectory: Trajectory | None
    problem: str | None


@dataclass(frozen=True)
class Job:
    """What is the same for all runs of a tracker.

    Attributes:
        choice: The tracker, built once in each process.
        threads: How many each process may use; None leaves them as they are.
        token: Tells the job from others, so that a process does not go on with another job's tracker.
    """

    choice: TrackerChoice
    threads: int | None
    token: str


_built: dict[str, AnyTracker] = {}  # this process's tracker, by its job's token; at most one


def run_all(
    choice: TrackerChoice,
    sequences: Sequence[FrameSequence],
    plans: Mapping[str, Sequence[PlannedRun]],
    folder: RunFolder,
    *,
    workers: Workers,
    observe: Observer | None = None,
) -> dict[str, str]:
    """Make the runs that are not finished. A run that fails does not stop the others.

    Args:
        choice: The tracker.
        sequences: What it is run on.
        plans: The runs on each, by the sequence's name.
        folder: Where finished runs lie, and where new ones are written.
        workers: Who works.
        observe: Called before the first run and after each.

    Returns:
        Why sequences have no result, by name.

    Raises:
        TrackerError: The tracker cannot be built.
        EnvironmentProblem: As `results_as_done`.
        OutputError: A result cannot be written.
        KeyboardInterrupt: As it came; finished runs are written.
    """
    tasks = [Task(sequence, run) for sequence in sequences for run in plans[sequence.name]]
    pending = [task for task in tasks if not folder.holds(task.sequence.name, task.run.name)]
    done = len(tasks) - len(pending)
    problems: dict[str, str] = {}
    if observe:
        observe(Progress(choice.name, done, len(tasks)))
    outcomes = results_as_done(partial(make_run, Job(choice, workers.threads_each, uuid4().hex)), pending, workers)
    try:
        for done, outcome in enumerate(outcomes, start=done + 1):  # noqa: B020 - it goes on from what was done
            if outcome.trajectory is not None:
                folder.write(outcome.sequence, outcome.run, outcome.trajectory)
            elif outcome.problem is not None:
                problems.setdefault(outcome.sequence, outcome.problem)
            if observe:
                observe(_progress(choice.name, done, len(tasks), outcome))
    finally:
        outcomes.close()
        _built.clear()
    return problems


def make_run(job: Job, task: Task) -> Outcome:
    """One run, in whichever process; what goes wrong in it becomes the outcome's problem.

    Raises:
        TrackerError: The tracker cannot be built: no run of it can be made.
    """
    if job.token not in _built:
        _built.clear()
        _built[job.token] = job.choice.build()
    trajectory = problem = None
    try:
        with limited_threads(job.threads):  # once the tracker is built, so that its torch is loaded
            trajectory = follow(_built[job.token], task.sequence, task.run)
    except SiamfcError as error:
        problem = str(error)
    except Exception as error:  # noqa: BLE001 - a tracker may raise anything, and the other sequences go on
        problem = _description(error)
    return Outcome(task.sequence.name, task.run.name, trajectory, problem)


def follow(tracker: AnyTracker, sequence: FrameSequence, run: PlannedRun) -> Trajectory:
    """A run of a tracker over a sequence, by the protocol that planned it; what the tracker raises comes through."""
    with FrameReader(sequence.frames) as frames:
        if run.start is None:
            records = run_vot_supervised(tracker, frames, sequence.boxes, regions=sequence.polygons)
        else:
            records = run_one_pass(tracker, frames, run.start)
        return Trajectory.from_records(records, num_frames=len(sequence))


def _progress(tracker: str, done: int, total: int, outcome: Outcome) -> Progress:
    seconds = outcome.trajectory.seconds if outcome.trajectory is not None else np.empty(0)
    asked = seconds[np.isfinite(seconds)]
    return Progress(tracker, done, total, outcome.sequence, asked.size, float(asked.sum()), outcome.problem)


def _description(error: Exception) -> str:
    """What was raised, and where: the only trace that is left of it."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    return f"the tracker raised {type(error).__name__}: {error}{place}"
