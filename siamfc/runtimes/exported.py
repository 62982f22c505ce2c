"""A model as a folder of ONNX graphs: written, checked against torch, and loaded again."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from siamfc.errors import ConfigError, EnvironmentProblem
from siamfc.files import write_text, write_whole
from siamfc.model import ExemplarKernel, SiamFC
from siamfc.results import refuse_existing
from siamfc.runtimes.calibration import CropPair
from siamfc.runtimes.embedding import Embedding
from siamfc.runtimes.libraries import need
from siamfc.runtimes.onnx_graph import (
    FEATURES,
    MAPS,
    OFFSET,
    WEIGHT,
    build_correlation_graph,
    build_embedding_graph,
)
from siamfc.runtimes.onnx_runtime import OnnxRuntime, check_on_cpu, open_session
from siamfc.runtimes.quantisation import QuantisationReport, compare, quantise
from siamfc.runtimes.runtime import Runtime
from siamfc.runtimes.torch_runtime import TorchRuntime
from siamfc.runtimes.trial import AGREEMENT, deviation, trial_input
from siamfc.versions import library_versions

EMBEDDING, CORRELATION, DESCRIPTION = "embedding.onnx", "correlation.onnx", "export.json"
_FORMAT_VERSION = 1


@dataclass(frozen=True)
class Check:
    """How far the exported graphs are from torch on some pictures; largest differences as shares of the range.

    Attributes:
        pictures: Which pictures.
        size: Their side, pixels.
        features: Of the embedding.
        score_maps: Of both graphs together; None where the pictures are too small for a map.
    """

    pictures: str
    size: int
    features: float
    score_maps: float | None


@dataclass(frozen=True)
class Export:
    """What was written: the files, how they compare with torch, and what 8 bits changed."""

    files: list[Path]
    checks: list[Check]
    quantisation: QuantisationReport | None


def export_model(
    model: SiamFC,
    folder: Path,
    *,
    precision: str = "fp32",
    pairs: Sequence[CropPair] = (),
    overwrite: bool = False,
) -> Export:
    """Write ``embedding.onnx``, ``correlation.onnx`` and ``export.json``, which says what they are.

    Args:
        model: On the CPU.
        folder: Made where it is not there.
        precision: ``fp32``, or ``int8`` for an embedding that is quantised on ``pairs``.
        pairs: Crops for the quantisation.
        overwrite: Replace an earlier export.

    Raises:
        ConfigError: No such precision, or int8 without crops.
        EnvironmentProblem: onnx or onnxruntime is not installed, or the graphs disagree with torch in fp32.
        OutputError: The files are there already, or cannot be written.
    """
    if precision not in ("fp32", "int8"):
        raise ConfigError(f"an export is fp32 or int8, not {precision!r}")
    if precision == "int8" and not pairs:
        raise ConfigError("int8 needs frames to be calibrated on: give --calibrate VIDEO|FOLDER|LAYOUT:PATH")
    check_on_cpu("an export", model)
    files = [folder / name for name in (EMBEDDING, CORRELATION, DESCRIPTION)]
    if not overwrite:
        refuse_existing(files)
    embedding = Embedding(model)
    graph: bytes = build_embedding_graph(embedding).SerializeToString()
    correlation: bytes = build_correlation_graph(embedding.out_channels).SerializeToString()
    if precision == "int8":
        graph = quantise(graph, pairs)
    runtime, exact = OnnxRuntime(model, precision=precision, graph=graph), TorchRuntime(model)
    checks = _compare_with_torch(model, exact, runtime, correlation)
    worst = max(max(check.features, check.score_maps or 0.0) for check in checks)
    if precision == "fp32" and worst > AGREEMENT:
        raise EnvironmentProblem(
            f"the exported graphs differ from torch by {worst:.1e} of the range, more than {AGREEMENT:g}: not written"
        )
    report = compare(model, exact, runtime, pairs) if precision == "int8" else None
    for path, content in ((files[0], graph), (files[1], correlation)):
        with write_whole(path, overwrite=overwrite) as temporary:
            temporary.write_bytes(content)
    description = _describe(model, embedding.digest, precision, checks, report)
    write_text(files[2], json.dumps(description, indent=2) + "\n", overwrite=overwrite)
    return Export(files, checks, report)


def load_exported(model: SiamFC, folder: Path, *, precision: str = "fp32") -> OnnxRuntime:
    """The runtime that runs an exported embedding; ``precision`` is the export's, whichever that is, or fp32.

    Raises:
        EnvironmentProblem: The folder holds no export, or one of another model.
        ConfigError: A precision that the export has not.
    """
    try:
        description = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
        graph = (folder / EMBEDDING).read_bytes()
        own, digest = str(description["precision"]), str(description["model"]["digest"])
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise EnvironmentProblem(f"{folder} holds no export of 'siamfc export' ({error})") from None
    if precision not in (own, "fp32"):
        raise ConfigError(f"{folder} was exported in {own}, not {precision}")
    if Embedding(model).digest != digest:
        name = description["model"].get("name")
        raise EnvironmentProblem(f"{folder} was exported from other weights ({name}): export these, or give its own")
    return OnnxRuntime(model, precision=own, graph=graph)


def _compare_with_torch(model: SiamFC, exact: Runtime, runtime: Runtime, correlation: bytes) -> list[Check]:
    kernel, searches = trial_input(model)
    noise = torch.rand(3, 255, 255, 3, generator=torch.Generator().manual_seed(0)).permute(0, 3, 1, 2) * 255
    checks = []
    for name, pictures in (("a rendered scene", searches), ("noise", noise)):
        expected, found = exact.embed(pictures), runtime.embed(pictures)
        maps = _correlate_exported(correlation, kernel, found)
        score_maps = deviation(kernel.score_maps(expected), maps)
        checks.append(Check(name, pictures.shape[-1], deviation(expected, found), score_maps))
        small = pictures[:1, :, 64:191, 64:191]
        checks.append(Check(name, 127, deviation(exact.embed(small), runtime.embed(small)), None))
    return checks


def _correlate_exported(correlation: bytes, kernel: ExemplarKernel, features: Tensor) -> Tensor:
    values = {FEATURES: features, WEIGHT: kernel.weight, OFFSET: kernel.offset}
    inputs = {name: value.detach().contiguous().numpy() for name, value in values.items()}
    return torch.from_numpy(open_session(correlation).run([MAPS], inputs)[0])[:, 0]


def _describe(
    model: SiamFC, digest: str, precision: str, checks: list[Check], report: QuantisationReport | None
) -> dict[str, Any]:
    libraries = {name: need(name).__version__ for name in ("onnx", "onnxruntime")}
    return {
        "format_version": _FORMAT_VERSION,
        "model": {
            **model.describe(),
            "digest": digest,
            "tracker_settings": model.settings,
            "stride": model.stride,
        },
        "precision": precision,
        "graphs": {
            EMBEDDING: "images (B, 3, H, W) float32, 0..255, RGB -> features (B, C, h, w)",
            CORRELATION: "features (B, C, H, W), weight (N, C, h, w), offset (N,) -> maps (B, N, rows, columns)",
        },
        "differences_from_torch": [dataclasses.asdict(check) for check in checks],
        "quantisation": dataclasses.asdict(report) if report else None,
        "versions": {**library_versions(), **libraries},
    }
