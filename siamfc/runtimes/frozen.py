"""The embedding as torch runs it fastest on a CPU: recorded once, its weights laid out for the processor's kernels.

Recording is TorchScript's. It is deprecated, and kept to this file: `torch.compile`, its successor, needs a C++
compiler on the user's machine. Where recording fails, the plain network is used.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import lru_cache

import torch
from torch import Tensor, nn

from siamfc.runtimes.embedding import Embedding

_AGREEMENT = 1e-4  # of the features' range


def freeze(embedding: Embedding) -> Callable[[Tensor], Tensor]:
    """A function from images to features, for every batch and size; float32 on the CPU, inference only.

    Networks with the same weights share what was recorded, so that a second tracker starts at once.
    """
    return _freeze(_ByContent(embedding))


class _ByContent:
    """An embedding that equals others of the same architecture and weights."""

    def __init__(self, embedding: Embedding) -> None:
        self.embedding = embedding
        self.digest = embedding.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ByContent) and other.digest == self.digest


@lru_cache(maxsize=4)
def _freeze(network: _ByContent) -> Callable[[Tensor], Tensor]:
    embedding = network.embedding
    side = embedding.smallest_px + 16
    generator = torch.Generator().manual_seed(0)
    example = (torch.rand(2, side, side, 3, generator=generator) * 255).permute(0, 3, 1, 2)
    # Not under inference mode: weights that were made there cannot be laid out anew.
    with torch.inference_mode(mode=False), torch.no_grad():
        expected = embedding(example)
        try:
            recorded = _record(embedding, example)
            found = recorded(example)
        except (AttributeError, NotImplementedError, RuntimeError):
            return embedding
        agrees = (found - expected).abs().max() <= _AGREEMENT * (expected.max() - expected.min())
    return recorded if agrees else embedding


def _record(embedding: nn.Module, example: Tensor) -> Callable[[Tensor], Tensor]:
    with warnings.catch_warnings():
        # Of being deprecated, and of the residual paths that read their input's size: recording follows that.
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(embedding, example, check_trace=False)  # type: ignore[no-untyped-call]
        recorded: Callable[[Tensor], Tensor] = torch.jit.optimize_for_inference(torch.jit.freeze(traced))
    return recorded
