"""What every runtime offers: the network's work in a frame, from crops to features."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor


class Runtime(Protocol):
    """A network made ready to be run fast, by one library at one precision.

    It does what is done in every frame. Exemplars are embedded once, by torch in full precision
    (`siamfc.model.SiamFC.exemplar_kernel`), and slid by it, so all runtimes look for the same thing in the same way;
    but what a tracker's filter learns it learns from the features of its runtime.
    """

    @property
    def name(self) -> str:
        """``torch``, ``onnxruntime`` or ``openvino``."""

    @property
    def precision(self) -> str:
        """What it computes in: ``fp32``, ``bf16``, ``fp16`` or ``int8``."""

    def embed(self, images: Tensor) -> Tensor:
        """`siamfc.model.SiamFC.features` of images.

        Args:
            images: (B, 3, H, W), 0..255, RGB, uint8 or float; channels last in memory is fastest.

        Returns:
            (B, C, h, w), for `siamfc.model.ExemplarKernel.score_maps`.
        """
