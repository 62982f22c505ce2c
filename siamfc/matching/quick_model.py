"""A model that embeds by the fastest torch runtime, and is otherwise the model that it was."""

from __future__ import annotations

from torch import Tensor, nn

from siamfc.folding import fold
from siamfc.model import SiamFC
from siamfc.runtimes.torch_runtime import TorchRuntime


def quicken(model: SiamFC) -> SiamFC:
    """A copy, for inference only and at the network's own stride, whose features differ by rounding alone."""
    quick = fold(model)
    quick.add_module("backbone", _RuntimeBackbone(model))
    quick.normalise, quick.neck = nn.Identity(), nn.Identity()  # the runtime does their work, too
    return quick


class _RuntimeBackbone(nn.Module):
    """From pixels to a model's features, as one layer."""

    def __init__(self, model: SiamFC) -> None:
        super().__init__()
        self._runtime = TorchRuntime(model)
        self.stride, self.receptive_field = model.stride, model.backbone.receptive_field
        self.out_channels = model.out_channels

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W), 0..255 -> (B, C, h, w)."""
        return self._runtime.embed(images)
