"""The network run by torch itself."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from siamfc.correlation import cross_correlate
from siamfc.folding import fold
from siamfc.model import ExemplarKernel, SiamFC


class TorchRuntime:
    """A `siamfc.runtimes.runtime.Runtime`: folded, channels last, nothing recorded for gradients."""

    name: ClassVar[str] = "torch"
    precision = "fp32"

    def __init__(self, model: SiamFC) -> None:
        self._model = fold(model)

    @torch.inference_mode()
    def embed(self, images: Tensor) -> Tensor:
        """See `siamfc.runtimes.runtime.Runtime`."""
        return self._model.features(images)

    @torch.inference_mode()
    def correlate(self, kernel: ExemplarKernel, features: Tensor) -> Tensor:
        """See `siamfc.runtimes.runtime.Runtime`."""
        return cross_correlate(kernel.weight, features) + kernel.offset[:, None, None]
