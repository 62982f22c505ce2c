"""Reports of an evaluation: ``report.json`` with every figure, ``report.html`` to look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from siamfc.errors import SiamfcError
from siamfc.evaluation.reporting.comparison import compare
from siamfc.evaluation.reporting.figures import headline_figures
from siamfc.evaluation.reporting.gallery import worst_failures
from siamfc.evaluation.reporting.intervals import CONFIDENCE, RESAMPLES, SEED
from siamfc.evaluation.reporting.model import Bootstrap, FigureInfo, Report
from siamfc.evaluation.reporting.notes import notes_on
from siamfc.evaluation.reporting.page import render_page
from siamfc.evaluation.reporting.tracker_report import attributes_of, eao_sums, timing_of, tracker_report
from siamfc.evaluation.scores import Evaluation
from siamfc.evaluation.vot_metrics import VotScore
from siamfc.files import write_text
from siamfc.results import refuse_existing

JSON_FILE, HTML_FILE = "report.json", "report.html"


def write_reports(evaluation: Evaluation, folder: Path, *, overwrite: bool = False) -> list[Path]:
    """Write ``report.json`` and ``report.html``, each whole or not at all.

    Returns:
        Their paths.

    Raises:
        OutputError: One is there already and ``overwrite`` is not set, or cannot be written.
        SiamfcError: As `build_report`.
    """
    paths = [folder / JSON_FILE, folder / HTML_FILE]
    if not overwrite:
        refuse_existing(paths)
    report = build_report(evaluation)
    texts = report.to_json(), render_page(report, worst_failures(evaluation))
    for path, text in zip(paths, texts, strict=True):
        write_text(path, text, overwrite=overwrite)
    return paths


def build_report(evaluation: Evaluation) -> Report:
    """The figures of an evaluation, with intervals and paired differences.

    A tracker of which a sequence is missing, with a reason, keeps the means over what it has; it is compared with
    nothing but trackers on the very same sequences.

    Raises:
        SiamfcError: There is no tracker, two have the same name, or one was scored on another split.
    """
    _check_names([tracker.tracker for tracker in evaluation.trackers])
    _check_split(evaluation)
    attributes = attributes_of(evaluation)
    eao = {tracker.tracker: eao_sums(tracker) for tracker in evaluation.trackers}
    intervals = {tracker.score.interval for tracker in evaluation.trackers if isinstance(tracker.score, VotScore)}
    if len(intervals) > 1:
        raise SiamfcError(f"an expected average overlap has one interval, not {sorted(intervals)}")
    trackers, comparison = compare(
        [tracker_report(tracker, attributes) for tracker in evaluation.trackers],
        protocol=evaluation.protocol,
        split=evaluation.split,
        eao={name: sums for name, sums in eao.items() if sums is not None},
    )
    report = Report(
        dataset=evaluation.dataset,
        protocol=evaluation.protocol,
        split=list(evaluation.split),
        figures=[FigureInfo(**figure._asdict()) for figure in headline_figures(evaluation.protocol)],
        eao_interval=intervals.pop() if intervals else None,
        trackers=trackers,
        comparison=comparison,
        attributes=attributes,
        bootstrap=Bootstrap(confidence=CONFIDENCE, resamples=RESAMPLES, seed=SEED),
        notes=[],
        provenance=dict(evaluation.provenance),
        timings={tracker.tracker: timing_of(tracker) for tracker in evaluation.trackers},
    )
    return report.model_copy(update={"notes": notes_on(report)})


def _check_names(names: Iterable[str]) -> None:
    counts = Counter(names)
    if not counts:
        raise SiamfcError("there is no tracker to report on")
    for name, count in counts.items():
        if count > 1:
            raise SiamfcError(f"{count} trackers are called {name!r}: give each a name of its own (NAME=DIR)")


def _check_split(evaluation: Evaluation) -> None:
    """Stop where a tracker's sequences, and those it is known to lack, are not the split."""
    split = set(evaluation.split)
    for tracker in evaluation.trackers:
        scored = [row.sequence.name for row in tracker.sequences]
        foreign = [name for name in (*scored, *tracker.problems) if name not in split]
        missing = [name for name in evaluation.split if name not in (*scored, *tracker.problems)]
        if foreign or missing:
            what = "has figures on sequences outside of it" if foreign else "has no result, and no reason for that, on"
            raise SiamfcError(
                f"{tracker.tracker} was not scored on the split of this evaluation, {len(split)} sequences of "
                f"{evaluation.dataset}: it {what}: {_some(foreign or missing)}; means over different splits cannot "
                "be compared"
            )
        if scored != [name for name in evaluation.split if name in set(scored)]:
            raise SiamfcError(f"{tracker.tracker}: its sequences come twice, or not in the order of the split")


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
