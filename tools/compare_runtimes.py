"""How near every runtime's score maps, boxes and accuracy are to torch's, on whole real sequences.

    python tools/compare_runtimes.py otb:OTB [plain:VAL ...] [--runtime openvino:bf16 ...] [--json compared.json]

Twice, by the tracker's own steps: *given torch's state* before each frame, so that all see the same crops, and
*running freely*, each from its own last box. Without ``--runtime``, every one that is installed is taken in fp32.

Boxes come from cells, so two runtimes give the same box or one that is a cell or a scale away. Where they differ by
more than 0.01 px it is said whether torch's own response was a tie there: what it chose and what the other chose nearer
to each other than 1e-4 of its range.
"""

from __future__ import annotations

import argparse
import datetime
import json
import sys
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from siamfc.bench.machine import LimitMeter
from siamfc.boxes import Box, intersection_over_union
from siamfc.checkpoint import DEFAULT_MODEL, load_model
from siamfc.config import Config, TrackerConfig, load_config
from siamfc.data import open_dataset
from siamfc.data.sequence import Sequence as FrameSequence
from siamfc.evaluation.metrics import one_pass_score
from siamfc.files import write_text
from siamfc.model import SiamFC
from siamfc.runtimes.choosing import choose_runtime, installed_runtimes
from siamfc.runtimes.trial import AGREEMENT, deviation
from siamfc.score_map import penalise_scales, upsample
from siamfc.tracker.target import Target
from siamfc.tracker.target_search import TargetSearch
from siamfc.tracker.track_result import ScoreMaps, TrackResult
from siamfc.versions import library_versions

_SAME_PX = 0.01
_PRECISIONS = ("fp32", "bf16", "fp16")
_LISTED = 20  # exceptions a runtime that are printed; the JSON holds all


class Apart(NamedTuple):
    """A frame whose box differs though the state before it was the same.

    Attributes:
        sequence: Its name.
        frame: Counted from 0.
        px: Largest difference of x, y, width, height.
        between: ``scales`` or ``cells``: what was chosen otherwise.
        margin: By how much torch's choice won in torch's response, as a share of its range.
        is_tie: Whether that is within rounding.
    """

    sequence: str
    frame: int
    px: float
    between: str
    margin: float
    is_tie: bool


@dataclass
class Comparison:
    """One runtime against torch, all frames but the first ones."""

    label: str
    map_deviations: list[float] = field(default_factory=list)
    given_px: list[float] = field(default_factory=list)
    apart: list[Apart] = field(default_factory=list)
    free_px: list[float] = field(default_factory=list)
    overlaps: list[float] = field(default_factory=list)
    auc: dict[str, float] = field(default_factory=dict)

    def figures(self, torch_auc: dict[str, float]) -> dict[str, Any]:
        """Everything that is said of the runtime."""
        auc, expected = (float(np.mean(list(scores.values()))) for scores in (self.auc, torch_auc))
        maps, given, free = (np.array(values) for values in (self.map_deviations, self.given_px, self.free_px))
        return {
            "frames": len(maps),
            "given_torchs_state": {
                "map_deviation_median": float(np.median(maps)),
                "map_deviation_largest": float(maps.max()),
                "share_of_maps_within_1e-4": float(np.mean(maps <= AGREEMENT)),
                "share_of_boxes_within_0.01_px": float(np.mean(given <= _SAME_PX)),
                "largest_px": float(given.max()),
                "exceptions": len(self.apart),
                "exceptions_that_are_ties": sum(frame.is_tie for frame in self.apart),
            },
            "running_freely": {
                "median_px": float(np.median(free)),
                "largest_px": float(free.max()),
                "mean_iou_with_torch": float(np.mean(self.overlaps)),
                "auc": auc,
                "auc_of_torch": expected,
                "auc_difference": auc - expected,
            },
        }


@dataclass
class Runner:
    """A runtime's search, and its target where it runs freely."""

    search: TargetSearch
    comparison: Comparison
    target: Target
    boxes: list[Box]


def main() -> None:
    """Compare, print two tables and the exceptions, and write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="+", help="datasets, as siamfc evaluate takes them: otb:PATH, plain:PATH")
    parser.add_argument("--weights", default=DEFAULT_MODEL)
    parser.add_argument("--config")
    parser.add_argument("--set", dest="overrides", action="append", default=[], metavar="tracker.KEY=VALUE")
    parser.add_argument("--runtime", action="append", metavar="NAME[:PRECISION]|FOLDER")
    parser.add_argument("--sequences", type=int, help="only so many of each dataset")
    parser.add_argument("--stop", type=int, help="frame of each sequence to end before")
    parser.add_argument("--json", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    model = load_model(arguments.weights, device="cpu")
    assert model.info is not None
    config = load_config(arguments.config, overrides=arguments.overrides, checkpoint=model.info.settings)
    labels = arguments.runtime or [name for name in installed_runtimes() if name != "torch"]
    searches = {label: _search(model, config, label) for label in labels}
    comparisons = {label: Comparison(label) for label in labels}
    torch_auc: dict[str, float] = {}
    messages = Console(stderr=True)
    for source in arguments.data:
        dataset = open_dataset(source)
        for index in range(min(len(dataset), arguments.sequences or len(dataset))):
            sequence = dataset[index]
            messages.print(f"{source}: {sequence.name}, {len(sequence)} frames", markup=False, soft_wrap=True)
            reference = _search(model, config, "torch")
            compare(sequence, reference, searches, comparisons, torch_auc, arguments.stop)
    figures = {label: comparison.figures(torch_auc) for label, comparison in comparisons.items()}
    _show(figures, comparisons, f"{model.info.name} (sha256 {model.info.short_hash}), {len(torch_auc)} sequences")
    if arguments.json:
        content = {
            "date": datetime.datetime.now(tz=datetime.timezone.utc).date().isoformat(),
            "command": sys.argv,
            "machine": asdict(LimitMeter(model.device).read()) | {"peak_gflops": None, "copy_gb_per_s": None},
            "versions": library_versions(),
            "model": {"name": model.info.name, "sha256": model.info.sha256},
            "tracker": config.tracker.model_dump(),
            "runtimes": {
                label: {
                    **figures[label],
                    "auc_by_sequence": comparison.auc,
                    "exceptions": [frame._asdict() for frame in comparison.apart],
                }
                for label, comparison in comparisons.items()
            },
            "auc_of_torch_by_sequence": torch_auc,
        }
        write_text(arguments.json, json.dumps(content, indent=2) + "\n", overwrite=True)


def compare(
    sequence: FrameSequence,
    reference: TargetSearch,
    searches: dict[str, TargetSearch],
    comparisons: dict[str, Comparison],
    torch_auc: dict[str, float],
    stop: int | None,
) -> None:
    """Follow a target by torch and by every other runtime, and note what differs."""
    frames = iter(sequence)
    first, box = next(frames), sequence.first_box
    target, boxes = reference.start(first, box)[0], [box]
    runners = [
        Runner(search, comparisons[label], search.start(first, box)[0], [box]) for label, search in searches.items()
    ]
    for number, frame in enumerate(frames, start=1):
        if stop is not None and number >= stop:
            break
        before = replace(target)
        expected = reference.find(frame, [target])[0]
        boxes.append(expected.box)
        for runner in runners:
            moved = replace(before)
            given = free = runner.search.find(frame, [moved])[0]
            _note_given(runner.comparison, sequence.name, number, expected, given, reference.config)
            if runner.target.state == before.state:
                runner.target = moved  # it would see the same crops, and so find the same
            else:
                free = runner.search.find(frame, [runner.target])[0]
            runner.boxes.append(free.box)
            runner.comparison.free_px.append(_px(expected.box, free.box))
    name = sequence.name if sequence.name not in torch_auc else f"{sequence.name} ({len(torch_auc)})"
    truth = sequence.boxes[: len(boxes)]
    torch_auc[name] = one_pass_score(np.array(boxes), truth).success_auc
    for runner in runners:
        runner.comparison.auc[name] = one_pass_score(np.array(runner.boxes), truth).success_auc
        overlaps = intersection_over_union(np.array(runner.boxes[1:]), np.array(boxes[1:]))
        runner.comparison.overlaps += overlaps.tolist()


def _note_given(
    comparison: Comparison, sequence: str, frame: int, expected: TrackResult, given: TrackResult, config: TrackerConfig
) -> None:
    assert expected.maps is not None
    assert given.maps is not None
    maps = (torch.from_numpy(result.score_maps) for result in (expected.maps, given.maps))
    comparison.map_deviations.append(deviation(*maps))
    px = _px(expected.box, given.box)
    comparison.given_px.append(px)
    if px > _SAME_PX:
        between, margin = margin_of_choice(expected.maps, given.maps, config)
        comparison.apart.append(Apart(sequence, frame, px, between, margin, margin <= AGREEMENT))


def margin_of_choice(own: ScoreMaps, other: ScoreMaps, config: TrackerConfig) -> tuple[str, float]:
    """What another runtime chose otherwise, and by how much torch's choice won, as a share of torch's range."""
    if own.scale_index != other.scale_index:
        maps = upsample(torch.from_numpy(own.score_maps), config.response_upsampling, config.response_alignment)
        highs = penalise_scales(maps, config.scale_penalty).amax(dim=(1, 2))
        return "scales", float((highs[own.scale_index] - highs[other.scale_index]).abs() / highs.max())
    response = own.response
    best, second = (float(response[round(maps.peak[0]), round(maps.peak[1])]) for maps in (own, other))
    return "cells", abs(best - second) / float(response.max() - response.min())


def _search(model: SiamFC, config: Config, label: str) -> TargetSearch:
    name, _, precision = label.rpartition(":")
    name, precision = (name, precision) if precision in _PRECISIONS and name else (label, "fp32")
    return TargetSearch(model, config, keep_maps=True, runtime=choose_runtime(model, name, precision))


def _px(box: Box, other: Box) -> float:
    return max(abs(one - two) for one, two in zip(box, other, strict=True))


def _show(figures: dict[str, dict[str, Any]], comparisons: dict[str, Comparison], title: str) -> None:
    output = Console(width=None if sys.stdout.isatty() else 140)
    output.print(title, markup=False)
    given = _table(
        "given torch's state",
        "maps: median",
        "largest",
        "within 1e-4",
        "boxes within 0.01 px",
        "exceptions",
        "of them ties",
    )
    free = _table("running freely", "frames", "median px", "largest px", "mean IoU", "AUC", "torch's", "difference")
    for label, values in figures.items():
        same, own = values["given_torchs_state"], values["running_freely"]
        given.add_row(
            label,
            f"{same['map_deviation_median']:.1e}",
            f"{same['map_deviation_largest']:.1e}",
            f"{same['share_of_maps_within_1e-4']:.2%}",
            f"{same['share_of_boxes_within_0.01_px']:.2%}",
            str(same["exceptions"]),
            str(same["exceptions_that_are_ties"]),
        )
        free.add_row(
            label,
            str(values["frames"]),
            f"{own['median_px']:.2g}",
            f"{own['largest_px']:.3g}",
            f"{own['mean_iou_with_torch']:.5f}",
            f"{own['auc']:.4f}",
            f"{own['auc_of_torch']:.4f}",
            f"{own['auc_difference']:+.4f}",
        )
    output.print(given)
    output.print(free)
    for label, comparison in comparisons.items():
        for row in comparison.apart[:_LISTED]:
            tie = "a tie" if row.is_tie else "no tie"
            output.print(
                f"{label}: {row.sequence}, frame {row.frame}: {row.px:.2f} px; two {row.between} that in torch's "
                f"response differ by {row.margin:.1e} of its range: {tie}",
                markup=False,
                soft_wrap=True,
            )
        if len(comparison.apart) > _LISTED:
            output.print(f"{label}: {len(comparison.apart) - _LISTED} more exceptions, all in the JSON", markup=False)


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="right" if place else "left", no_wrap=True)
    return table


if __name__ == "__main__":
    main()
