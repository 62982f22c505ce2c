"""What an evaluation is about: the sequences asked for, and the protocol's runs on each."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from siamfc.data.dataset import Dataset
from siamfc.data.folders import nearest
from siamfc.data.sequence import Sequence
from siamfc.errors import SiamfcError, SourceError
from siamfc.evaluation.plans import PlannedRun, planned_runs


@dataclass(frozen=True, eq=False)
class Material:
    """Sequences and plans.

    Attributes:
        dataset: The layout's name, ``"otb"``.
        folder: The last part of its path.
        protocol: One of `siamfc.evaluation.plans.PROTOCOLS`.
        names: The sequences asked for, in the dataset's order.
        sequences: Those that could be read, in that order.
        plans: The runs on each of them, by name.
        problems: Why the others cannot be used, by name.
    """

    dataset: str
    folder: str
    protocol: str
    names: tuple[str, ...]
    sequences: tuple[Sequence, ...]
    plans: Mapping[str, tuple[PlannedRun, ...]]
    problems: Mapping[str, str]

    @property
    def description(self) -> dict[str, Any]:
        """Layout, folder and counts, for reports."""
        frames = sum(len(sequence) for sequence in self.sequences)
        with_truth = sum(int(sequence.in_view.sum()) for sequence in self.sequences)
        return {
            "layout": self.dataset,
            "folder": self.folder,
            "sequences": len(self.names),
            "frames": frames,
            "frames_with_truth": with_truth,
            "frames_without_truth": frames - with_truth,
        }

    @property
    def digests(self) -> dict[str, str]:
        """What runs on each sequence depend on, by name, as 16 hexadecimal digits.

        That is how many frames there are, and where runs start with which boxes; images are not read.
        """
        return {sequence.name: _digest(sequence, self.plans[sequence.name]) for sequence in self.sequences}


def read_material(
    dataset: Dataset, protocol: str, *, only: Iterable[str] | None = None, repetitions: int = 1
) -> Material:
    """Read annotations and plan the runs; a sequence that is amiss becomes a problem.

    Args:
        dataset: From `siamfc.data.open_dataset`.
        protocol: One of `siamfc.evaluation.plans.PROTOCOLS`.
        only: Names of the sequences wanted; None takes all.
        repetitions: As `planned_runs`.

    Raises:
        SourceError: A name that the dataset does not have, or no name.
    """
    names = dataset.names if only is None else _chosen(dataset, tuple(only))
    sequences, plans, problems = [], {}, {}
    for index, name in enumerate(dataset.names):
        if name not in names:
            continue
        try:
            sequence = dataset[index]
            plans[name] = tuple(planned_runs(protocol, sequence, repetitions=repetitions))
            sequences.append(sequence)
        except SiamfcError as error:
            problems[name] = str(error)
    return Material(dataset.name, dataset.root.resolve().name, protocol, names, tuple(sequences), plans, problems)


def _chosen(dataset: Dataset, wanted: tuple[str, ...]) -> tuple[str, ...]:
    for name in wanted:
        if name not in dataset.names:
            raise SourceError(f"{dataset.name}:{dataset.root} has no sequence {name!r}{nearest(name, dataset.names)}")
    if not wanted:
        raise SourceError("no sequence was asked for")
    return tuple(name for name in dataset.names if name in wanted)


def _digest(sequence: Sequence, plan: Iterable[PlannedRun]) -> str:
    starts = sorted({(run.start.frame, *map(float, run.start.box)) for run in plan if run.start is not None})
    content = hashlib.sha256(repr((len(sequence), starts)).encode())
    if not starts:  # VOT's: where a tracker fails, and where it is started again, depends on all boxes
        content.update(np.ascontiguousarray(sequence.boxes, dtype="<f8").tobytes())
    return content.hexdigest()[:16]
