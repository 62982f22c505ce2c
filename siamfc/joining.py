"""Two networks in one that matches at two levels: a shallow one knows where things are, a deep one what they are."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from siamfc.backbones import MobileNetV2
from siamfc.errors import ConfigError
from siamfc.model import SiamFC, build_model

_SAME = ("backbone", "standardisation", "batch_norm_eps", "neck_channels", "shallow_block")


def join_levels(shallow: SiamFC, deep: SiamFC) -> SiamFC:
    """One network with the features of both, whose score map is the sum of theirs; nothing is learned.

    First layers that are the same in both are computed once. Of an exemplar those cells are slid that both have, the
    shallow one's inner ones; box regression, which compares all of the shallow one's, gain and bias are the shallow
    one's. The score has to be calibrated anew.

    Args:
        shallow: A MobileNetV2 cut at a block.
        deep: Another, cut at a later one, begun with the same weights.

    Returns:
        The network, in evaluation mode on the CPU.

    Raises:
        ConfigError: Networks that are no such pair.
    """
    below, above = shallow.backbone, deep.backbone
    unlike = [name for name in _SAME if getattr(shallow.config, name) != getattr(deep.config, name)]
    if unlike:
        raise ConfigError(f"two networks are joined that are alike but for their cut, and these differ in {unlike[0]}")
    if not isinstance(below, MobileNetV2) or not isinstance(above, MobileNetV2) or shallow.config.shallow_block:
        raise ConfigError("two networks are joined whose backbone is a mobilenetv2 with one level")
    first, last = shallow.config.last_block, deep.config.last_block
    if first >= last:
        raise ConfigError(f"the second network is the deeper, and its last block {last} is not after {first}")
    if shallow.config.neck_channels:
        raise ConfigError("networks with a neck cannot be joined: it would mix the levels")
    shared = _shared_layers(below.features, above.features)
    if not shared:
        raise ConfigError(
            "these networks have no first layer in common, number for number: join such as were trained from the same "
            "weights with their first layers kept (optimiser.frozen_layers)"
        )
    border_px = shallow.config.regression_border_px + shallow.stride * (last - first)
    config = shallow.config.model_copy(
        update={
            "last_block": last,
            "shallow_block": first,
            "shared_layers": shared,
            "regression_border_px": border_px,
            "calibrated": False,
        }
    )
    joined = build_model(config).eval()
    renamed = {
        name.replace("backbone.features.", "backbone.shallow."): value for name, value in shallow.state_dict().items()
    }
    wanted = joined.state_dict()
    joined.load_state_dict(
        {
            **wanted,
            **{name: value for name, value in deep.state_dict().items() if name.startswith("backbone.")},
            **{name: value for name, value in renamed.items() if name.startswith("backbone.") and name in wanted},
            **_head(shallow, deep),
        }
    )
    return joined


def _head(shallow: SiamFC, deep: SiamFC) -> dict[str, Tensor]:
    """What is neither network's backbone: the shallow one's, and statistics of the channels of both."""
    own = {
        name: value
        for name, value in shallow.state_dict().items()
        if name in ("gain", "bias") or name.startswith("box_regression.")
    }
    if shallow.config.standardisation == "fixed":
        for name in ("channel_mean", "channel_deviation"):
            own[name] = torch.cat([getattr(shallow, name), getattr(deep, name)])
    return own


def _shared_layers(first: nn.Sequential, second: nn.Sequential) -> int:
    """How many first layers are the same; not the last of the first, which is an expansion alone."""
    count = 0
    for one, other in zip(list(first)[:-1], second, strict=False):
        own, others = one.state_dict(), other.state_dict()
        if own.keys() != others.keys() or not all(torch.equal(value, others[name]) for name, value in own.items()):
            break
        count += 1
    return count
