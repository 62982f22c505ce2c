"""All figures in one call: the networks, the variants, and the two scorers taught on the left half."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Literal, get_args

from torch import nn

from siamfc.checkpoint import DEFAULT_MODEL, as_model, load_model
from siamfc.equivariance.measures import (
    border_curve,
    invariance_curve,
    peak_errors,
    shift_curve,
    shifted_maps,
    whole_stride_error,
    window_error,
)
from siamfc.equivariance.probes import (
    MARGIN_PX,
    Picture,
    Probe,
    build_probes,
    read_pictures,
    rendered_pictures,
    target_probes,
)
from siamfc.equivariance.report import EquivarianceReport, NetworkFigures
from siamfc.equivariance.scorers import (
    LARGE_EXEMPLAR_PX,
    LARGE_SEARCH_PX,
    ConvolutionalScorer,
    FullyConnectedScorer,
    Scorer,
    model_scorer,
    small_scorer,
)
from siamfc.equivariance.small_network import EXEMPLAR_PX, SEARCH_PX, SmallNetwork, Variant
from siamfc.equivariance.small_training import Watcher, train_fully_connected_head, train_small_network
from siamfc.equivariance.weight_sharing import SharingResult, compare_weight_sharing
from siamfc.errors import ConfigError
from siamfc.model import SiamFC

Part = Literal["small", "default", "paper", "sharing"]
PARTS: tuple[Part, ...] = get_args(Part)

VARIANTS: dict[str, tuple[str, Variant]] = {
    "max": ("small: max pooling (trained)", Variant()),
    "average": ("small: average pooling", Variant(pooling="average")),
    "none": ("small: no pooling", Variant(pooling="none")),
    "dense": ("small: no strides", Variant(strided=False)),
    "padded": ("small: zero padding", Variant(padded=True)),
}

_WINDOWS = 16  # a picture, each embedded alone


def measure_equivariance(
    images: str | Path | None = None,
    *,
    count: int = 4,
    steps: int = 200,
    seed: int = 0,
    model: SiamFC | str | Path = DEFAULT_MODEL,
    parts: Collection[Part] = PARTS,
    watch: Watcher = lambda _what, _done, _total: None,
) -> EquivarianceReport:
    """Measure which features of a network make its score map follow a shift of the picture.

    Args:
        images: A folder of pictures with sides of at least 223 px; None takes rendered ones.
        count: At most so many of them.
        steps: Training steps of the small network and of the two scorers; its fully connected head takes half.
        seed: Of weights and samples.
        model: Measured as "default".
        parts: Which to measure: the small network's variants, the default, the paper's network, weight sharing.
        watch: Told of the progress.

    Raises:
        ConfigError: A part that is not known, or no picture asked for.
        SourceError: The folder holds no picture of that size.
        CheckpointError: No such model.
    """
    unknown = [part for part in parts if part not in PARTS]
    if unknown:
        raise ConfigError(f"there is no part {unknown[0]!r} to measure; the parts are {', '.join(PARTS)}")
    if count < 1:
        raise ConfigError(f"at least one picture is measured, not {count}")
    least = LARGE_SEARCH_PX + 2 * MARGIN_PX
    pictures = rendered_pictures(count) if images is None else read_pictures(Path(images), count, least_px=least)
    large = build_probes(pictures, exemplar_px=LARGE_EXEMPLAR_PX, search_px=LARGE_SEARCH_PX)
    networks: list[NetworkFigures] = []
    if "paper" in parts:
        paper = load_model("alexnet", device="cpu")
        networks.append(_measure("alexnet", model_scorer("alexnet", paper, large[0].canvas), large, watch))
    if "default" in parts:
        default = as_model(model, device="cpu")
        name = default.info.name if default.info else default.config.backbone
        networks.append(_measure("default", model_scorer(name, default, large[0].canvas), large, watch))
    small, head = SmallNetwork(), nn.Linear(1, 1)
    if "small" in parts:
        small = train_small_network(steps=steps, seed=seed, watch=watch)
        head = train_fully_connected_head(small, steps=max(steps // 2, 1), seed=seed, watch=watch)
        networks.extend(_measure_small(small, head, pictures, watch))
    sharing: list[SharingResult] = []
    if "sharing" in parts:
        backgrounds = [picture.image for picture in pictures]
        sharing = compare_weight_sharing(backgrounds, steps=steps, seed=seed, watch=watch)
    return EquivarianceReport(
        pictures="rendered by the package" if images is None else str(images),
        picture_count=len(pictures),
        seed=seed,
        steps=steps,
        small_weights=_count(small),
        head_weights=_count(head),
        networks=networks,
        sharing=sharing,
    )


def _measure_small(
    small: SmallNetwork, head: nn.Linear, pictures: Sequence[Picture], watch: Watcher
) -> Iterator[NetworkFigures]:
    probes = build_probes(pictures, exemplar_px=EXEMPLAR_PX, search_px=SEARCH_PX)
    for key, (name, variant) in VARIANTS.items():
        yield _measure(key, small_scorer(name, small, variant), probes, watch)
    # It has learned one target at one size, so it is asked for nothing else.
    known = target_probes(len(pictures), exemplar_px=EXEMPLAR_PX, search_px=SEARCH_PX)
    yield _measure("connected", FullyConnectedScorer("small: fully connected head", small, head), known, watch)


def _measure(key: str, scorer: Scorer, probes: list[Probe], watch: Watcher) -> NetworkFigures:
    """A scorer's figures; a fully connected one takes neither a window alone nor a larger picture."""
    watch(scorer.name, 0, 2)
    maps = shifted_maps(scorer, probes)
    watch(scorer.name, 1, 2)
    convolutional = isinstance(scorer, ConvolutionalScorer)
    figures = NetworkFigures(
        key=key,
        name=scorer.name,
        stride=scorer.stride,
        windows=window_error(scorer, probes, windows=_WINDOWS) if convolutional else None,
        whole_strides=whole_stride_error(maps, scorer.stride),
        shifts=shift_curve(maps, scorer.stride),
        peaks=peak_errors(maps, scorer.stride),
        invariance=invariance_curve(scorer, probes) if isinstance(scorer, ConvolutionalScorer) else None,
        border=border_curve(scorer, probes) if convolutional else None,
    )
    watch(scorer.name, 2, 2)
    return figures


def _count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())
