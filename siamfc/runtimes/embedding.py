"""The part of a model that every frame goes through: pixels in, features out, without checks or state."""

from __future__ import annotations

import hashlib

from torch import Tensor, nn

from siamfc.folding import fold
from siamfc.model import SiamFC


class Embedding(nn.Module):
    """`SiamFC.features` of a folded model, and nothing else: what other libraries are given.

    Args:
        model: Any model; it is folded here.
    """

    def __init__(self, model: SiamFC) -> None:
        super().__init__()
        folded = fold(model)
        self.normalise, self.backbone, self.neck = folded.normalise, folded.backbone, folded.neck
        self.out_channels = folded.out_channels
        self.smallest_px = folded.backbone.receptive_field
        self.eval()

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) float, 0..255 -> (B, C, h, w)."""
        features: Tensor = self.neck(self.backbone(self.normalise(images)))
        return features

    def check(self, images: Tensor) -> None:
        """Raise ValueError for what is no batch of pictures, or too small for one feature cell."""
        if images.ndim != 4 or images.shape[1] != 3 or min(images.shape[-2:]) < self.smallest_px:
            raise ValueError(
                f"images have the shape (B, 3, H, W) with at least {self.smallest_px} px a side for this network, "
                f"not {tuple(images.shape)}"
            )

    @property
    def digest(self) -> str:
        """Hash of architecture and weights, 32 hexadecimal digits: equal for networks that compute the same."""
        content = hashlib.blake2b(type(self.backbone).__name__.encode(), digest_size=16)
        for name, tensor in self.state_dict().items():
            content.update(name.encode())
            content.update(tensor.detach().cpu().numpy().tobytes())
        return content.hexdigest()
