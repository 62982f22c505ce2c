"""What was measured, as plain numbers: JSON out and in, and every figure by name as people read it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from siamfc.equivariance.weight_sharing import SharingResult
from siamfc.errors import SourceError


@dataclass(frozen=True)
class NetworkFigures:
    """One network, or one variant of the small one; what cannot be asked of it is None.

    Attributes:
        key: Its short name.
        name: Its name in tables and figures.
        stride: Pixels per cell of its map.
        windows: As `siamfc.equivariance.measures.window_error`.
        whole_strides: As `whole_stride_error`.
        shifts: As `shift_curve`.
        peaks: As `peak_errors`.
        invariance: As `invariance_curve`.
        border: As `border_curve`.
    """

    key: str
    name: str
    stride: int
    windows: float | None
    whole_strides: float
    shifts: list[float]
    peaks: list[float]
    invariance: list[float] | None
    border: list[float] | None

    @property
    def between(self) -> float:
        """The worst of the shift curve: what a shift by a part of a stride leaves over."""
        return max(self.shifts)

    @property
    def peak_at_whole_strides(self) -> float:
        """The worst of the peak's errors at whole strides, pixels."""
        return max(self.peaks[:: self.stride])

    @property
    def peak_between(self) -> float:
        """The worst of the peak's errors at all shifts, pixels."""
        return max(self.peaks)


@dataclass(frozen=True)
class EquivarianceReport:
    """Everything that ``siamfc equivariance`` measures.

    Attributes:
        pictures: Which pictures, in words.
        picture_count: How many.
        seed: Of training.
        steps: Of training the small network and the two scorers.
        small_weights: Of the small network.
        head_weights: Of its fully connected head.
        networks: One entry a network or variant.
        sharing: The two scorers taught on the left half.
    """

    pictures: str
    picture_count: int
    seed: int
    steps: int
    small_weights: int
    head_weights: int
    networks: list[NetworkFigures]
    sharing: list[SharingResult]

    def network(self, key: str) -> NetworkFigures | None:
        """The network of this key, None where it was not measured."""
        return next((network for network in self.networks if network.key == key), None)

    def to_json(self) -> str:
        """The report as JSON, curves on one line each."""
        facts = asdict(self) | {"sharing": [result._asdict() for result in self.sharing]}
        return json.dumps(facts, indent=1)


def read_report(path: Path) -> EquivarianceReport:
    """A report that ``siamfc equivariance`` wrote.

    Raises:
        SourceError: The file is not there, or is none.
    """
    try:
        facts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        networks = [NetworkFigures(**network) for network in facts.pop("networks")]
        sharing = [SharingResult(**result) for result in facts.pop("sharing")]
        return EquivarianceReport(networks=networks, sharing=sharing, **facts)
    except OSError as error:
        raise SourceError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, AttributeError):
        raise SourceError(f"{path} is not a report of siamfc equivariance") from None


def named_figures(report: EquivarianceReport) -> dict[str, str]:
    """Every figure as text by name, such as ``padded.windows``: what tables print and documents quote."""
    figures = {
        "pictures": report.pictures,
        "picture_count": str(report.picture_count),
        "seed": str(report.seed),
        "steps": str(report.steps),
        "small_weights": f"{report.small_weights:,}",
        "head_weights": f"{report.head_weights:,}",
    }
    for network in report.networks:
        figures |= {f"{network.key}.{name}": text for name, text in _of_network(network)}
    for result in report.sharing:
        key = result.name.split()[0]
        figures |= {
            f"sharing.{key}.weights": f"{result.weights:,}",
            f"sharing.{key}.left": f"{result.left:.0%}",
            f"sharing.{key}.right": f"{result.right:.0%}",
            "sharing.chance": f"{result.chance:.0%}",
        }
    return figures


def error_text(value: float | None) -> str:
    """An error in standard deviations: two digits, exponents where it is rounding.

    Example:
        >>> error_text(0.731), error_text(4.2e-15), error_text(0.0), error_text(None)
        ('0.73', '4e-15', '0', 'cannot be asked')
    """
    if value is None:
        return "cannot be asked"
    if value == 0:
        return "0"
    return f"{value:.2f}" if value >= 0.005 else f"{value:.0e}"


def _of_network(network: NetworkFigures) -> Iterator[tuple[str, str]]:
    yield "name", network.name
    yield "stride", str(network.stride)
    yield "windows", error_text(network.windows)
    yield "whole_strides", error_text(network.whole_strides)
    yield "between", error_text(network.between)
    yield "peak_at_whole_strides", f"{network.peak_at_whole_strides:.2g}"
    yield "peak_between", f"{network.peak_between:.2g}"
    if network.invariance is not None:
        for shift in (1, 2, 4, 8, 16):
            yield f"invariance_{shift}", f"{network.invariance[shift]:.3f}"
    if network.border is not None:
        for ring, value in enumerate(network.border[:5]):
            yield f"border_{ring}", error_text(value)
    else:
        yield "border_0", error_text(None)
