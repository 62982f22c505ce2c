"""Which tracker is run: chosen by a text, described for the record, sent to workers small, and built there.

``siamfc`` is our own, ``python:MODULE:FACTORY`` anything with ``init`` and ``update``, ``opencv:NAME`` one of OpenCV's.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from siamfc.data.folders import nearest
from siamfc.errors import TrackerError
from siamfc.evaluation.protocols import AnyTracker
from siamfc.files import sha256_of

if TYPE_CHECKING:
    from siamfc.config import AnySettings, TrackerConfig

OWN = "siamfc"
OWN_RUNTIME, OWN_PRECISION = "torch", "fp32"
"""What our own tracker computes with unless it is told."""

_KINDS = f"{OWN}, python:MODULE:FACTORY, opencv:CSRT, opencv:KCF, opencv:MIL or opencv:Nano"


@dataclass(frozen=True)
class OwnSettings:
    """What our own tracker is run with, as it was given; `choose_tracker` makes an `OwnTracker` of it.

    Attributes:
        weights: A shipped model's name, or a checkpoint; None: the default.
        config: As `siamfc.load_config`.
        overrides: As there.
        device: Where to compute.
        runtime: What computes.
        precision: What it computes in.
    """

    weights: str | Path | None = None
    config: AnySettings = None
    overrides: tuple[str, ...] = ()
    device: str = "auto"
    runtime: str = OWN_RUNTIME
    precision: str = OWN_PRECISION

    @property
    def are_set(self) -> bool:
        """Whether any of them was given."""
        return self != OwnSettings()


class TrackerChoice(Protocol):
    """A tracker before it is built; small, and can be pickled."""

    @property
    def name(self) -> str:
        """What it is called in tables and folders."""

    def describe(self) -> dict[str, Any]:
        """What makes two runs runs of the same tracker, as JSON; raises TrackerError where it cannot be run here."""

    def build(self) -> AnyTracker:
        """The tracker; raises TrackerError."""


@dataclass(frozen=True)
class OwnTracker:
    """`siamfc.Tracker` with these weights and settings.

    Attributes:
        name: As `TrackerChoice.name`.
        weights: A shipped model's name, or a checkpoint.
        settings: All of them.
        device: Where to compute, never ``auto``.
        runtime: What computes, never ``auto``; a folder that ``siamfc export`` wrote is a full path.
        precision: What it computes in.
    """

    name: str
    weights: str
    settings: TrackerConfig
    device: str
    runtime: str = OWN_RUNTIME
    precision: str = OWN_PRECISION

    def describe(self) -> dict[str, Any]:
        """Weights' hash, network, settings, device and what computes."""
        from siamfc.checkpoint import read_info
        from siamfc.devices import choose_device, device_label

        info = read_info(self.weights)
        return {
            "name": self.name,
            "kind": OWN,
            "weights": info.name,
            "sha256": info.sha256,
            "model": info.model.model_dump(),
            "settings": self.settings.model_dump(),
            "device": device_label(choose_device(self.device)),
            "runtime": _describe_runtime(self.runtime, self.precision),
        }

    def build(self) -> AnyTracker:
        """Load the weights; errors as `siamfc.load_model` and `siamfc.runtimes.choosing.choose_runtime`."""
        from siamfc.checkpoint import load_model
        from siamfc.runtimes.choosing import choose_runtime
        from siamfc.tracker.tracker import Tracker

        model = load_model(self.weights, device=self.device)
        return Tracker(model, self.settings, runtime=choose_runtime(model, self.runtime, self.precision))


@dataclass(frozen=True)
class PythonTracker:
    """What a function of a Python module gives.

    Attributes:
        name: As `TrackerChoice.name`.
        module: Its name, found in ``folder`` or installed.
        factory: The function or class in it; dots go deeper.
        folder: Searched first.
    """

    name: str
    module: str
    factory: str
    folder: str

    def describe(self) -> dict[str, Any]:
        """Module, factory, and the hash of the module's file, so that an edited tracker counts as another."""
        self._find()
        file = getattr(sys.modules[self.module], "__file__", None)
        origin = {"name": self.name, "kind": "python", "module": self.module, "factory": self.factory}
        return {**origin, "sha256": sha256_of(Path(file)) if file else None}

    def build(self) -> AnyTracker:
        """Call the factory without arguments."""
        return _build(self._find(), f"{self.module}:{self.factory}")

    def _find(self) -> Callable[[], object]:
        if self.folder not in sys.path:
            sys.path.insert(0, self.folder)
        try:
            found: object = importlib.import_module(self.module)
        except Exception as error:
            raise TrackerError(
                f"cannot import {self.module!r} ({type(error).__name__}: {error}); it is looked for in {self.folder} "
                "and among what is installed"
            ) from error
        for part in self.factory.split("."):
            if not hasattr(found, part):
                raise TrackerError(f"the module {self.module!r} has no {self.factory!r}")
            found = getattr(found, part)
        if not callable(found):
            raise TrackerError(f"{self.module}:{self.factory} cannot be called: expected a class or a function")
        return found


@dataclass(frozen=True)
class FactoryTracker:
    """What a function gives that the caller holds; workers need one that can be pickled.

    Attributes:
        name: As `TrackerChoice.name`.
        factory: The function.
    """

    name: str
    factory: Callable[[], AnyTracker]

    def describe(self) -> dict[str, Any]:
        """Where the function comes from; what it does is not looked at."""
        kind = type(self.factory)
        module = getattr(self.factory, "__module__", kind.__module__)
        function = getattr(self.factory, "__qualname__", kind.__qualname__)
        return {"name": self.name, "kind": "factory", "module": module, "factory": function}

    def build(self) -> AnyTracker:
        """Call it."""
        return _build(self.factory, self.name)


def choose_tracker(
    text: str,
    *,
    name: str | None = None,
    weights: str | Path | None = None,
    config: AnySettings = None,
    overrides: Iterable[str] = (),
    device: str = "auto",
    runtime: str = OWN_RUNTIME,
    precision: str = OWN_PRECISION,
    options: Mapping[str, str] | None = None,
) -> TrackerChoice:
    """The tracker that a text names.

    Args:
        text: ``siamfc``, ``python:MODULE:FACTORY`` or ``opencv:NAME``.
        name: What to call it; None takes the weights', module's or algorithm's name.
        weights: For ``siamfc``: a shipped model's name or a checkpoint; None takes the default.
        config: For ``siamfc``: settings, a published setting's name, or a YAML file; None takes the model's.
        overrides: For ``siamfc``: strings such as ``tracker.window_influence=0.3``.
        device: For ``siamfc``.
        runtime: For ``siamfc``: what computes, as `siamfc.runtimes.choosing.choose_runtime` takes it; ``auto`` is
            settled here, so that all workers compute with the same.
        precision: For ``siamfc``: what it computes in.
        options: For ``opencv:Nano``: its two model files, ``backbone`` and ``neckhead``.

    Raises:
        TrackerError: No such tracker, or it cannot be run here.
        SiamfcError: Weights, settings, device or runtime are not usable.
    """
    kind, _, rest = text.partition(":")
    choice: TrackerChoice
    if kind == "opencv":
        from siamfc.evaluation.opencv_trackers import choose_opencv_tracker

        choice = choose_opencv_tracker(rest, name=name, options=options or {})
    elif options:
        raise TrackerError(f"{text} takes no --tracker-option; opencv:Nano does")
    elif kind == OWN and not rest:
        choice = _own_tracker(name, weights, config, overrides, device)
        choice = _with_runtime(choice, runtime, precision)
    elif kind == "python":
        module, _, factory = rest.partition(":")
        if not module or not factory:
            raise TrackerError(f"a tracker in Python is given as python:MODULE:FACTORY, not {text!r}")
        choice = PythonTracker(name or f"{module}.{factory}", module, factory, str(Path.cwd()))
    else:
        raise TrackerError(f"there is no tracker {text!r}{nearest(kind, (OWN, 'python', 'opencv'))}; known: {_KINDS}")
    return choice


def factory_tracker(factory: Callable[[], AnyTracker], *, name: str | None = None) -> TrackerChoice:
    """The tracker that a function or class gives when it is called without arguments.

    Example:
        >>> class Still:
        ...     def init(self, frame, box): self.box = box
        ...     def update(self, frame): return self.box
        >>> factory_tracker(Still).name
        'Still'
    """
    if not callable(factory):
        raise TrackerError(
            f"a {type(factory).__name__} is no function that builds a tracker: give one, such as "
            "trackers=lambda: siamfc.Tracker(model)"
        )
    return FactoryTracker(name or getattr(factory, "__name__", type(factory).__name__).strip("<>"), factory)


def _own_tracker(
    name: str | None,
    weights: str | Path | None,
    config: AnySettings,
    overrides: Iterable[str],
    device: str,
) -> OwnTracker:
    from siamfc.checkpoint import DEFAULT_MODEL, read_info
    from siamfc.config import load_config
    from siamfc.devices import choose_device

    if not isinstance(weights, str | Path | None):
        raise TrackerError(
            "weights are a name or a file, which every worker can load; a model in memory is evaluated by "
            "trackers=lambda: siamfc.Tracker(model)"
        )
    info = read_info(weights or DEFAULT_MODEL)
    settings = load_config(config, overrides=overrides, checkpoint=info.settings)
    source = str(weights or DEFAULT_MODEL)
    place = str(info.path.resolve()) if Path(source).expanduser().is_file() else source
    return OwnTracker(name or info.name, place, settings.tracker, str(choose_device(device)))


def _describe_runtime(runtime: str, precision: str) -> dict[str, Any]:
    """What its boxes can depend on: the library with its version, the numbers, and an exported graph's hash."""
    from siamfc.runtimes.libraries import EXTRAS
    from siamfc.versions import library_versions

    folder = Path(runtime)
    exported = runtime not in ("torch", *EXTRAS) and folder.is_dir()
    library = "onnxruntime" if exported else runtime
    return {
        "name": library,
        "version": library_versions().get(library),
        "precision": precision,
        **({"graph": sha256_of(folder / "embedding.onnx")} if exported else {}),
    }


def _with_runtime(choice: OwnTracker, runtime: str, precision: str) -> OwnTracker:
    if (runtime, precision) == (choice.runtime, choice.precision):
        return choice
    from siamfc.checkpoint import load_model
    from siamfc.runtimes.choosing import choose_runtime

    # Built here once for nothing else: what is missing is told before a run begins, not by each of its workers.
    found = choose_runtime(load_model(choice.weights, device=choice.device), runtime, precision)
    folder = Path(runtime).expanduser()
    place = str(folder.resolve()) if runtime not in ("auto", found.name) and folder.is_dir() else found.name
    return replace(choice, runtime=place, precision=found.precision)


def _build(factory: Callable[[], object], what: str) -> AnyTracker:
    try:
        tracker = factory()
    except Exception as error:
        raise TrackerError(f"{what} could not be built ({type(error).__name__}: {error})") from error
    if not (callable(getattr(tracker, "init", None)) and callable(getattr(tracker, "update", None))):
        raise TrackerError(f"{what} gives a {type(tracker).__name__}, which has no init(frame, box) and update(frame)")
    return tracker  # type: ignore[return-value] # checked above
