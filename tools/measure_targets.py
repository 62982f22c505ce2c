"""How many targets a second `siamfc.MultiTracker` follows, beside as many single trackers in turn.

    python tools/measure_targets.py VIDEO|FOLDER --box X,Y,W,H [--targets 8] [--runtime R] [--rounds 3] [--stop 200]

The targets are the box moved about by a tenth of its size. Rounds alternate between the sides, so that a slow minute
slows both. *In memory* the frames are decoded before; *decoding*, each of the single trackers decodes the video itself,
as N runs of a program would, and `MultiTracker` decodes it once: both ahead, in a thread, as ``siamfc track`` does, or
with ``--not-ahead`` both between two updates. A round's time is that of its updates; starts are told apart. Boxes are
compared with the single trackers', also with ``batch_targets=1``, where they are to be equal.
"""

from __future__ import annotations

import argparse
import datetime
import json
import statistics
import sys
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from siamfc.bench.machine import wait_for
from siamfc.boxes import Box
from siamfc.checkpoint import DEFAULT_MODEL, load_model
from siamfc.config import Config, load_config
from siamfc.devices import device_label
from siamfc.files import write_text
from siamfc.frames import Image
from siamfc.model import SiamFC
from siamfc.runtimes.choosing import choose_runtime
from siamfc.runtimes.runtime import Runtime
from siamfc.tracker.multi_tracker import MultiTracker
from siamfc.tracker.tracker import Tracker
from siamfc.versions import library_versions
from siamfc.video import open_source
from siamfc.video.ahead import read_ahead

T = TypeVar("T")
Boxes = list[list[Box]]  # of each target, frame by frame
OpenFrames = Callable[[], Iterator[Image]]


@dataclass
class Round:
    """One side's turn: seconds of starts and of updates, and the boxes."""

    starting: float = 0.0
    updating: float = 0.0
    boxes: Boxes = field(default_factory=list)


@dataclass
class Setting:
    """What is the same for both sides."""

    model: SiamFC
    config: Config
    runtime: Runtime
    starts: list[Box]
    batch_targets: int | None = None


def main() -> None:
    """Measure, print a table, and write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source")
    parser.add_argument("--box", required=True, type=lambda text: Box(*(float(part) for part in text.split(","))))
    parser.add_argument("--targets", type=int, default=8)
    parser.add_argument("--runtime", default="torch", metavar="NAME|FOLDER")
    parser.add_argument("--precision", default="fp32")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--weights", default=DEFAULT_MODEL)
    parser.add_argument("--config")
    parser.add_argument("--batch-targets", type=int, help="of MultiTracker; its own choice where not given")
    parser.add_argument("--not-ahead", action="store_true", help="decode between two updates")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--stop", type=int, help="frame to end before")
    parser.add_argument("--json", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    model = load_model(arguments.weights, device=arguments.device)
    assert model.info is not None
    config = load_config(arguments.config, checkpoint=model.info.settings)
    runtime = choose_runtime(model, arguments.runtime, arguments.precision)
    setting = Setting(model, config, runtime, moved_about(arguments.box, arguments.targets), arguments.batch_targets)
    frames = list(_decoded(arguments.source, arguments.stop, ahead=False))
    in_memory = partial(iter, frames)
    decoded = partial(_decoded, arguments.source, arguments.stop, ahead=not arguments.not_ahead)
    ways: dict[str, Callable[[], Round]] = {
        "single, in memory": partial(follow_in_turn, setting, in_memory),
        "multi, in memory": partial(follow_together, setting, in_memory),
        "single, decoding": partial(follow_in_turn, setting, decoded),
        "multi, decoding": partial(follow_together, setting, decoded),
    }
    follow_together(setting, partial(iter, frames[:3]))  # what is recorded and compiled at first images
    rounds: dict[str, list[Round]] = {way: [] for way in ways}
    with Console(stderr=True).status("measuring"):
        for _ in range(arguments.rounds):
            for way, run in ways.items():
                rounds[way].append(run())
    alone = rounds["single, in memory"][0].boxes
    forced = follow_together(Setting(model, config, runtime, setting.starts, 1), in_memory).boxes
    updates = arguments.targets * (len(frames) - 1)
    figures = _figures(rounds, updates)
    distances = {
        "as measured": distance(alone, rounds["multi, in memory"][0].boxes),
        "batch_targets=1": distance(alone, forced),
    }
    title = (
        f"{model.info.name} on {device_label(model.device)}, {runtime.name} {runtime.precision}, "
        f"{torch.get_num_threads()} threads; {arguments.targets} targets, {len(frames)} frames of "
        f"{frames[0].shape[1]} x {frames[0].shape[0]}, medians of {arguments.rounds} rounds"
    )
    _show(title, figures, distances)
    if arguments.json:
        content = {
            "date": datetime.datetime.now(tz=datetime.timezone.utc).date().isoformat(),
            "command": sys.argv,
            "what": title,
            "versions": library_versions(),
            "model": {"name": model.info.name, "sha256": model.info.sha256},
            "tracker": config.tracker.model_dump(),
            **figures,
            "boxes_px_from_single": distances,
        }
        write_text(arguments.json, json.dumps(content, indent=2) + "\n", overwrite=True)


def moved_about(box: Box, count: int) -> list[Box]:
    """The box and others around it, a tenth of its size away."""
    angles = 2 * np.pi * np.arange(count - 1) / max(count - 1, 1)
    shifts = [(0.0, 0.0), *((0.1 * box.width * np.cos(angle), 0.1 * box.height * np.sin(angle)) for angle in angles)]
    return [Box(box.x + float(x), box.y + float(y), box.width, box.height) for x, y in shifts[:count]]


def follow_in_turn(setting: Setting, open_frames: OpenFrames) -> Round:
    """Each target by a tracker of its own, through the whole video, one after the other."""
    done = Round()
    for start in setting.starts:
        tracker = Tracker(setting.model, setting.config, runtime=setting.runtime)
        with closing(_closable(open_frames())) as frames:
            first = next(frames)
            done.starting += _seconds(partial(tracker.init, first, start), setting.model)
            began = time.perf_counter()
            done.boxes.append([tracker.update(frame).box for frame in frames])
            wait_for(setting.model.device)
            done.updating += time.perf_counter() - began
    return done


def follow_together(setting: Setting, open_frames: OpenFrames) -> Round:
    """All targets by one `MultiTracker`, through the video once."""
    tracker = MultiTracker(setting.model, setting.config, runtime=setting.runtime, batch_targets=setting.batch_targets)
    done = Round(boxes=[[] for _ in setting.starts])
    with closing(_closable(open_frames())) as frames:
        first = next(frames)
        done.starting = _seconds(lambda: [tracker.add(first, start) for start in setting.starts], setting.model)
        began = time.perf_counter()
        for frame in frames:
            for boxes, result in zip(done.boxes, tracker.update(frame).values(), strict=True):
                boxes.append(result.box)
        wait_for(setting.model.device)
        done.updating = time.perf_counter() - began
    return done


def distance(alone: Boxes, together: Boxes) -> dict[str, float]:
    """How far boxes lie from the single trackers', largest of x, y, width, height: largest, and share that is equal."""
    px = np.abs(np.array(alone) - np.array(together)).max(axis=2)
    return {"largest_px": float(px.max()), "share_equal": float(np.mean(px == 0))}


def _decoded(source: str, stop: int | None, *, ahead: bool) -> Iterator[Image]:
    with (
        open_source(source, stop=stop) as opened,
        closing(_closable(read_ahead(opened) if ahead else opened)) as frames,
    ):
        for frame in frames:
            yield frame.image


def _closable(frames: Iterable[T]) -> Generator[T]:
    """The frames as a generator, which can be closed before its end, and closes what it takes them from."""
    yield from frames


def _seconds(work: Callable[[], object], model: SiamFC) -> float:
    began = time.perf_counter()
    work()
    wait_for(model.device)
    return time.perf_counter() - began


def _figures(rounds: dict[str, list[Round]], updates: int) -> dict[str, Any]:
    sides = {}
    for way, row in rounds.items():
        updating = statistics.median(one.updating for one in row)
        whole = statistics.median(one.starting + one.updating for one in row)
        sides[way] = {
            "ms_an_update": 1000 * updating / updates,
            "updates_a_second": updates / updating,
            "updates_a_second_with_starts": updates / whole,
            "share_of_starts": statistics.median(one.starting / (one.starting + one.updating) for one in row),
            "seconds_by_round": [one.updating for one in row],
        }
    ratios = {
        where: {
            key: sides[f"multi, {where}"][key] / sides[f"single, {where}"][key]  # type: ignore[operator]
            for key in ("updates_a_second", "updates_a_second_with_starts")
        }
        for where in ("in memory", "decoding")
    }
    return {"sides": sides, "ratios": ratios}


def _show(title: str, figures: dict[str, Any], distances: dict[str, dict[str, float]]) -> None:
    output = Console(width=None if sys.stdout.isatty() else 140)
    output.print(title, markup=False, soft_wrap=True)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for place, heading in enumerate(("", "ms an update", "updates/s", "with starts", "share of starts")):
        table.add_column(heading, justify="right" if place else "left", no_wrap=True)
    for way, side in figures["sides"].items():
        table.add_row(
            way,
            f"{side['ms_an_update']:.2f}",
            f"{side['updates_a_second']:.1f}",
            f"{side['updates_a_second_with_starts']:.1f}",
            f"{side['share_of_starts']:.1%}",
        )
    output.print(table)
    for where, ratio in figures["ratios"].items():
        output.print(
            f"{where}: MultiTracker does {ratio['updates_a_second']:.2f} times as many updates a second, "
            f"{ratio['updates_a_second_with_starts']:.2f} times with the starts counted",
            markup=False,
        )
    for how, values in distances.items():
        output.print(
            f"boxes, {how}: {values['share_equal']:.2%} equal those of single trackers, at most "
            f"{values['largest_px']:.3g} px apart",
            markup=False,
        )


if __name__ == "__main__":
    main()
