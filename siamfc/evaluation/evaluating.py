"""One call from a dataset, trackers and results to their figures side by side."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from siamfc.data import open_dataset
from siamfc.data.dataset import Dataset
from siamfc.errors import OutputError, SiamfcError
from siamfc.evaluation.entrants import AnyChoice, AnyResults, choose_trackers, named_folders
from siamfc.evaluation.expected_overlap import EAO_INTERVALS
from siamfc.evaluation.material import Material, read_material
from siamfc.evaluation.plans import check_protocol, default_protocol
from siamfc.evaluation.protocols import VOT_SKIP
from siamfc.evaluation.records import Trajectory
from siamfc.evaluation.result_files import pixel_base
from siamfc.evaluation.result_folders import ResultFolder, open_results
from siamfc.evaluation.run_folder import RunFolder, prepare_run_folder, read_record
from siamfc.evaluation.runs import Observer, run_all
from siamfc.evaluation.scores import Evaluation, SequenceScore, TrackerScore
from siamfc.evaluation.scoring import score_sequence, score_tracker
from siamfc.evaluation.submissions import check_submission, write_submission
from siamfc.evaluation.trackers import OWN_PRECISION, OWN_RUNTIME, OwnSettings, TrackerChoice
from siamfc.versions import library_versions
from siamfc.workers import Workers

if TYPE_CHECKING:
    from siamfc.config import AnySettings

VOT_YEAR = 2016
# A run may go on with another version of these; a tracker that computes with one of them names it itself.
_NOT_IN_BOXES = ("matplotlib", "pydantic", "safetensors", "onnx", "onnxruntime", "openvino")


def evaluate(
    data: str | Path | Dataset,
    *,
    protocol: str | None = None,
    trackers: AnyChoice | Iterable[AnyChoice] | None = None,
    results: AnyResults = (),
    results_base: int | None = None,
    sequences: str | Iterable[str] | None = None,
    output: str | Path | None = None,
    overwrite: bool = False,
    submission: str | Path | None = None,
    name: str | None = None,
    weights: str | Path | None = None,
    config: AnySettings = None,
    overrides: Iterable[str] = (),
    device: str = "auto",
    runtime: str = OWN_RUNTIME,
    precision: str = OWN_PRECISION,
    options: Mapping[str, str] | None = None,
    repetitions: int = 1,
    vot_year: int = VOT_YEAR,
    workers: Workers | int | None = None,
    observe: Observer | None = None,
) -> Evaluation:
    """Measure how accurately trackers localise, by one of the field's protocols; it prints nothing.

    Figures are computed from the files of boxes, also those just written, so that a run that was stopped and started
    again gives the figures of one that was not.

    Args:
        data: ``"LAYOUT:PATH"`` or a dataset.
        protocol: ``"ope"``, ``"tre"``, ``"sre"``, ``"got10k"`` or ``"vot"``; None takes the one the dataset is for.
        trackers: What to run: texts as `choose_tracker` takes them, or functions that give a tracker. None runs our
            own where there are no ``results``.
        results: Folders of other trackers' files, ``DIR`` or ``"NAME=DIR"``, or a mapping from name to folder; see
            `siamfc.evaluation.result_folders`.
        results_base: What those files call the top left pixel, 0 or 1, where neither layout nor dataset says it.
        sequences: Name or names of those wanted; None takes all.
        output: Folder for results and reports; None keeps neither. Finished runs in it are not made again;
            ``report.json`` and ``report.html`` are made anew.
        overwrite: Throw away what earlier runs of these trackers left in ``output``.
        submission: Write the archive for GOT-10k's or TrackingNet's server.
        name: What to call the tracker, where just one is run.
        weights: Of ``"siamfc"``, as are ``config``, ``overrides``, ``device``, ``runtime`` and ``precision``; see
            `choose_tracker`.
        config: As `siamfc.Tracker` takes it.
        overrides: Settings over those, such as ``"tracker.window_influence=0.3"``.
        device: Where to compute.
        runtime: What computes.
        precision: What it computes in.
        options: Of ``"opencv:Nano"``.
        repetitions: How often GOT-10k and VOT have a tracker run.
        vot_year: The challenge whose sequence lengths the expected average overlap is taken over.
        workers: Processes: how many, or `Workers`.
        observe: Is told of the progress.

    Returns:
        Figures by tracker: ``evaluation.trackers[0].score`` holds the means (of one pass ``success_auc`` and
        ``precision``), ``.sequences`` those of each sequence, ``.problems`` what could not be measured, and why.

    Raises:
        SiamfcError: Nothing could be measured: data, tracker, settings or results are not usable, or ``output``
            holds results of something else. What is wrong with single sequences stands in ``problems``.

    Example:
        >>> class Still:
        ...     def init(self, frame, box): self.box = box
        ...     def update(self, frame): return self.box
        >>> evaluation = evaluate("synthetic:1", trackers=Still)
        >>> evaluation.trackers[0].tracker, 0 < evaluation.trackers[0].score.success_auc < 1
        ('Still', True)
    """
    dataset = open_dataset(str(data)) if isinstance(data, str | Path) else data
    protocol = protocol or default_protocol(dataset.name)
    check_protocol(protocol, repetitions)
    interval = _eao_interval(vot_year)
    replace_reports = overwrite or _reports_are_ours(output)
    own = OwnSettings(weights, config, tuple(overrides), device, runtime, precision)
    choices = choose_trackers(trackers, results, name, own, options)
    sequences = [sequences] if isinstance(sequences, str) else sequences
    material = read_material(dataset, protocol, only=sequences, repetitions=repetitions)
    folders = _open_all(results, material, results_base)
    _check_names([choice.name for choice in choices] + [folder.tracker for folder in folders])
    if submission is not None:
        check_submission(dataset.name, protocol, len(choices) + len(folders))
    crew = workers if isinstance(workers, Workers) else Workers(workers)
    with _folder_for_runs(output) as root:
        places = [_prepare(choice, material, root, crew, overwrite) for choice in choices]
        scores = [
            _run_and_score(choice, place, material, crew, interval, observe)
            for choice, place in zip(choices, places, strict=True)
        ]
    scores += [_score_results(folder, material, interval) for folder in folders]
    provenance: dict[str, Any] = {"data": material.description, "versions": library_versions()}
    evaluation = Evaluation(dataset.name, material.names, protocol, tuple(scores), provenance)
    if output is not None:
        from siamfc.evaluation.reporting.report import write_reports

        folder = Path(output).expanduser()
        for leftover in folder.glob(".report.*.part"):  # of a run that was stopped while it wrote
            leftover.unlink(missing_ok=True)
        write_reports(evaluation, folder, overwrite=replace_reports)
    if submission is not None:
        write_submission(evaluation, Path(submission).expanduser(), overwrite=overwrite)
    return evaluation


def _open_all(results: AnyResults, material: Material, base: int | None) -> list[ResultFolder]:
    return [
        open_results(
            place,
            tracker=name,
            sequences=material.names,
            dataset=material.dataset,
            protocol=material.protocol,
            base=base,
        )
        for name, place in named_folders(results)
    ]


def _prepare(choice: TrackerChoice, material: Material, root: Path, workers: Workers, overwrite: bool) -> RunFolder:
    if Path(choice.name).name != choice.name or choice.name.startswith("."):
        raise OutputError(f"{choice.name!r} cannot be the name of a folder: give the tracker another (--name)")
    base = pixel_base(material.dataset)
    path = root / choice.name / material.protocol
    record = {
        "tracker": choice.describe(),
        "protocol": {"name": material.protocol, **({"skip": VOT_SKIP} if material.protocol == "vot" else {})},
        "dataset": material.dataset,
        "pixel_base": base,
        "pixel_base_meaning": f"the files call the top left pixel ({base}, {base})",
        "versions": {name: version for name, version in library_versions().items() if name not in _NOT_IN_BOXES},
        "machine": {"system": platform.platform(), "threads_a_worker": workers.threads_each},
    }
    prepare_run_folder(path, record, material.digests, overwrite=overwrite)
    return RunFolder(path, material.protocol, base)


def _run_and_score(
    choice: TrackerChoice,
    folder: RunFolder,
    material: Material,
    workers: Workers,
    interval: tuple[int, int],
    observe: Observer | None,
) -> TrackerScore:
    failed = run_all(choice, material.sequences, material.plans, folder, workers=workers, observe=observe)
    rows, problems = [], {**material.problems, **failed}
    for sequence in material.sequences:
        if sequence.name not in failed:
            planned = material.plans[sequence.name]
            with _noting(problems, sequence.name):
                runs = {run.name: folder.read(sequence, run) for run in planned}
                rows.append(score_sequence(material.protocol, sequence, runs, planned))
    return _tracker_score(choice.name, material, rows, problems, read_record(folder.path) or {}, interval)


def _score_results(folder: ResultFolder, material: Material, interval: tuple[int, int]) -> TrackerScore:
    rows, problems = [], dict(material.problems)
    for sequence in material.sequences:
        planned = material.plans[sequence.name]
        with _noting(problems, sequence.name):
            runs: Mapping[str, Trajectory] = folder.read(sequence, planned)
            rows.append(score_sequence(material.protocol, sequence, runs, planned))
    return _tracker_score(folder.tracker, material, rows, problems, folder.provenance, interval)


def _tracker_score(
    tracker: str,
    material: Material,
    rows: list[SequenceScore],
    problems: Mapping[str, str],
    provenance: Mapping[str, Any],
    interval: tuple[int, int],
) -> TrackerScore:
    return score_tracker(
        tracker,
        material.protocol,
        rows,
        eao_interval=interval,
        problems={name: problems[name] for name in material.names if name in problems},
        provenance=provenance,
    )


@contextmanager
def _noting(problems: dict[str, str], sequence: str) -> Iterator[None]:
    """What goes wrong with one sequence is noted, and the others go on."""
    try:
        yield
    except SiamfcError as error:
        problems[sequence] = str(error)


@contextmanager
def _folder_for_runs(output: str | Path | None) -> Iterator[Path]:
    if output is not None:
        yield Path(output).expanduser() / "results"
        return
    with TemporaryDirectory(prefix="siamfc-") as folder:
        yield Path(folder)


def _reports_are_ours(output: str | Path | None) -> bool:
    """Whether reports of an earlier evaluation lie there, which may be made anew.

    Raises:
        OutputError: Something else lies there by that name; found before hours of work, not after.
    """
    from siamfc.evaluation.reporting.model import read_report
    from siamfc.evaluation.reporting.report import HTML_FILE, JSON_FILE

    folder = Path(output or ".").expanduser()
    present = [folder / name for name in (JSON_FILE, HTML_FILE) if output is not None and (folder / name).exists()]
    if not present:
        return False
    try:
        read_report(folder / JSON_FILE)
    except SiamfcError as error:
        raise OutputError(
            f"{present[0]} would be replaced, and is not ours ({error}): give --overwrite (overwrite=True)"
        ) from None
    return True


def _eao_interval(year: int) -> tuple[int, int]:
    if year not in EAO_INTERVALS:
        raise SiamfcError(f"there is no EAO interval of VOT{year}; known: {', '.join(map(str, EAO_INTERVALS))}")
    return EAO_INTERVALS[year]


def _check_names(names: Iterable[str]) -> None:
    for name, count in Counter(names).items():
        if count > 1:
            raise SiamfcError(f"{count} trackers are called {name!r}: give each its own (--name, --results NAME=DIR)")
