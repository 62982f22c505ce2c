"""Every place in a picture that looks like an exemplar: `match` and `match_map`, one call each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from siamfc.checkpoint import DEFAULT_MODEL, as_model
from siamfc.config import AnySettings, MatchConfig, load_config, parse_section
from siamfc.errors import ConfigError
from siamfc.frames import ColorOrder
from siamfc.matching.maps import Map
from siamfc.matching.matcher import Exemplars, Match, Matcher
from siamfc.model import SiamFC
from siamfc.tiles import Observer


def match(
    picture: NDArray[Any],
    exemplars: Exemplars,
    *,
    scales: tuple[float, float] | None = None,
    rotations: Iterable[float] | None = None,
    threshold: float | None = None,
    max_matches: int | None = None,
    model: SiamFC | str | Path = DEFAULT_MODEL,
    config: AnySettings = None,
    color_order: ColorOrder = "rgb",
    device: str = "auto",
    observe: Observer | None = None,
) -> list[Match]:
    """Every place in a picture that looks like an exemplar, best first.

    As ``cv2.matchTemplate`` and ``skimage.feature.match_template``, but by learned similarity instead of pixels, over
    a range of scales, with the peaks already found, and with scores that one threshold fits.

    Args:
        picture: (H, W, 3) uint8 of any size, or what `siamfc.frames.as_rgb_frame` takes; may be memory-mapped.
        exemplars: An image, all of it the object; a box in an image, ``as_exemplar(image, box)``; or several of them,
            embedded once and correlated in one pass.
        scales: Least and greatest size searched, in times the exemplar's.
        rotations: Turns of the exemplar that are searched, degrees.
        threshold: Least score: 1 is the exemplar itself, 0 the picture's background.
        max_matches: How many to give at most.
        model: A model, a shipped one's name, or a checkpoint's path.
        config: Settings as `siamfc.load_config` takes them, such as a `MatchConfig`; those above go over them, and what
            none sets the model's checkpoint does, else the default.
        color_order: ``"bgr"`` for images as OpenCV gives them; of picture and exemplars alike.
        device: Where to load a model that is given by name or path.
        observe: Called after each tile with the tiles done and the tiles in all.

    Returns:
        Matches, best first: box, score, scale, rotation and exemplar of each.

    Raises:
        BoxError, FrameError, MatchError: A box, picture or exemplar that cannot be used.
        CheckpointError, ConfigError: A model or a setting that cannot be used.

    Example:
        >>> import numpy as np
        >>> from siamfc.boxes import Box
        >>> from siamfc.matching.exemplars import as_exemplar
        >>> squares = np.random.default_rng(0).integers(0, 256, (15, 20, 3), dtype=np.uint8)
        >>> picture = squares.repeat(10, axis=0).repeat(10, axis=1)
        >>> exemplar = as_exemplar(picture, Box(80, 40, 64, 64))
        >>> found = match(picture, exemplar, scales=(1, 1), device="cpu")
        >>> [round(value) for value in found[0].box], found[0].exemplar
        ([80, 40, 64, 64], 0)
    """
    given = {"threshold": threshold, "max_matches": max_matches}
    matcher = _matcher(exemplars, scales, rotations, given, model, config, color_order, device)
    return matcher.search(picture, color_order=color_order, observe=observe).matches()


def match_map(
    picture: NDArray[Any],
    exemplars: Exemplars,
    *,
    scales: tuple[float, float] | None = None,
    rotations: Iterable[float] | None = None,
    model: SiamFC | str | Path = DEFAULT_MODEL,
    config: AnySettings = None,
    color_order: ColorOrder = "rgb",
    device: str = "auto",
    observe: Observer | None = None,
) -> Map:
    """At every pixel of a picture, how much a box centred on it looks like an exemplar, at its best scale.

    Arguments and errors as `match`; as ``match_template`` with ``pad_input=True``, the map is as large as the picture.

    Returns:
        (H, W) float32: 1 is the exemplar itself, 0 the picture's background; not a number near the border, where no
        box fits.

    Example:
        >>> import numpy as np
        >>> squares = np.random.default_rng(0).integers(0, 256, (15, 20, 3), dtype=np.uint8)
        >>> picture = squares.repeat(10, axis=0).repeat(10, axis=1)
        >>> scores = match_map(picture, picture[40:104, 80:144], scales=(1, 1), device="cpu")
        >>> scores.shape, bool(np.nanargmax(scores[72]) in range(104, 121))
        ((150, 200), True)
    """
    matcher = _matcher(exemplars, scales, rotations, {}, model, config, color_order, device)
    return matcher.search(picture, color_order=color_order, observe=observe).map()


def _matcher(
    exemplars: Exemplars,
    scales: tuple[float, float] | None,
    rotations: Iterable[float] | None,
    given: dict[str, float | int | None],
    model: SiamFC | str | Path,
    config: AnySettings,
    color_order: ColorOrder,
    device: str,
) -> Matcher:
    network = as_model(model, device=device)
    chosen = load_config(config, checkpoint=network.settings).match
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if scales is not None:
        if not isinstance(scales, Sequence) or len(scales) != 2:
            raise ConfigError(f"scales are the least and the greatest, such as (0.5, 2), not {scales!r}")
        changes["min_scale"], changes["max_scale"] = scales
    if rotations is not None:
        if not isinstance(rotations, Iterable):
            raise ConfigError(f"rotations are several numbers of degrees, such as (0, 90), not {rotations!r}")
        changes["rotations"] = tuple(rotations)
    settings = parse_section(MatchConfig, {**chosen.model_dump(), **changes}, where="match")
    return Matcher(network, exemplars, settings, color_order=color_order)
