"""What every runtime offers: the work of a frame between crops and score maps."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from siamfc.model import ExemplarKernel


class Runtime(Protocol):
    """A network made ready to be run fast, by one library at one precision.

    It does what is done in every frame. Exemplars are embedded once, by torch in full precision
    (`siamfc.model.SiamFC.exemplar_kernel`), so all runtimes look for the same thing.
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
            (B, C, h, w), for `correlate` of the same runtime.
        """

    def correlate(self, kernel: ExemplarKernel, features: Tensor) -> Tensor:
        """Score maps, logits, of exemplars slid over searches.

        Args:
            kernel: Of N exemplars.
            features: Of B searches, from `embed`; N and B are equal, or one of them is 1.

        Returns:
            (max(N, B), h, w) float32, on the model's device.
        """
