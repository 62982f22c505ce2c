"""The network run by torch itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import torch
from torch import Tensor

from siamfc.errors import ConfigError, EnvironmentProblem
from siamfc.model import SiamFC
from siamfc.runtimes.embedding import Embedding
from siamfc.runtimes.frozen import freeze

_HALVES = {"bf16": torch.bfloat16, "fp16": torch.float16}


class TorchRuntime:
    """A `siamfc.runtimes.runtime.Runtime`: folded, channels last, nothing recorded for gradients.

    In float32 on a CPU the network is frozen when the first images come (`siamfc.runtimes.frozen`). In half
    precision the features are computed in it; the correlation stays in float32.

    Raises:
        ConfigError: No such precision.
        EnvironmentProblem: This device computes slower in this precision than in float32, or not at all.
    """

    name: ClassVar[str] = "torch"

    def __init__(self, model: SiamFC, *, precision: str = "fp32") -> None:
        problem = why_not_in_torch(precision, model.device)
        if problem:
            raise EnvironmentProblem(problem)
        self.precision = precision
        self._embedding = Embedding(model)
        self._device, self._dtype = model.device, model.bias.dtype
        if precision in _HALVES:
            self._dtype = _HALVES[precision]
            self._embedding.to(self._dtype)
        self._run: Callable[[Tensor], Tensor] | None = None

    @torch.inference_mode()
    def embed(self, images: Tensor) -> Tensor:
        """See `siamfc.runtimes.runtime.Runtime`."""
        self._embedding.check(images)
        if self._run is None:
            plain = self._device.type != "cpu" or self._dtype != torch.float32
            self._run = self._embedding if plain else freeze(self._embedding)
        return self._run(images.to(self._device, self._dtype))

    def __getstate__(self) -> dict[str, Any]:
        # What was recorded cannot be copied or sent, and is recorded anew in a fraction of a second.
        return {**self.__dict__, "_run": None}


def why_not_in_torch(precision: str, device: torch.device) -> str | None:
    """One line that says why torch should not compute in this precision on this device; None where it can."""
    if precision == "fp32":
        return None
    if precision not in _HALVES:
        raise ConfigError(f"torch computes in fp32, bf16 or fp16, not {precision!r}; int8 needs 'siamfc export'")
    if device.type == "cpu" and not _cpu_has(precision):
        return f"this processor has no {precision} arithmetic that torch could use: it would be slower than fp32"
    return None


def _cpu_has(precision: str) -> bool:
    try:
        operations = torch.ops.mkldnn
        asked = {"bf16": operations._is_mkldnn_bf16_supported, "fp16": operations._is_mkldnn_fp16_supported}
        return bool(asked[precision]())
    except (AttributeError, RuntimeError):  # a torch built without oneDNN
        return False
