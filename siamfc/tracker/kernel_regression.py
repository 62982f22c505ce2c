"""A kernel learned so that, slid over features, it gives set maps: ridge regression over a memory of samples."""

from __future__ import annotations

import torch
from torch import Tensor

from siamfc.correlation import cross_correlate, exemplar_gradient


class KernelRegression:
    """Minimises ``sum_k share_k |kernel * features_k - map_k|^2 + regularisation |kernel|^2`` over the kernel.

    By conjugate gradients that begin at the last kernel, so that a few steps are enough after a few new samples, as in
    ATOM (Danelljan et al. 2019, arXiv 1811.07628). The memory holds first samples, which stay, and later ones, of which
    the one that counts least makes room for the next.

    Args:
        features: (K, C, H, W) of the first samples, which share alike.
        maps: (K, h, w) wanted of them; the kernel has ``H - h + 1`` rows and ``W - w + 1`` columns.
        room: How many later samples are remembered.
        least_first_share: Of the first samples together; later ones do not push them below it.
        regularisation: As in the formula.

    Attributes:
        kernel: (1, C, rows, columns); zero before the first `solve`.
    """

    def __init__(
        self, features: Tensor, maps: Tensor, *, room: int, least_first_share: float, regularisation: float
    ) -> None:
        self._first, self._count = len(features), len(features)
        self._least_first_share = least_first_share
        self._regularisation = regularisation
        self._features = _with_room(features, room)
        self._maps = _with_room(maps, room)
        self._shares = _with_room(features.new_full((self._first,), 1 / self._first), room)
        (height, width), (rows, columns) = features.shape[-2:], maps.shape[-2:]
        self.kernel = features.new_zeros(1, features.shape[1], height - rows + 1, width - columns + 1)

    @torch.inference_mode()
    def add(self, features: Tensor, wanted: Tensor, share: float) -> None:
        """Remember a sample, from the next `solve` on.

        Args:
            features: (C, H, W).
            wanted: (h, w), the map.
            share: Of this sample in the sum; all others share the rest as before. Where that leaves the first samples
                less than ``least_first_share``, all later ones, this too, make room for it alike.
        """
        later = self._shares[self._first : self._count]
        if self._count < len(self._features):
            slot, self._count = self._count, self._count + 1
        else:
            slot = self._first + int(later.argmin())
        self._features[slot], self._maps[slot], self._shares[slot] = features, wanted, 0
        shares = self._shares[: self._count]
        shares *= (1 - share) / shares.sum()
        shares[slot] = share
        first, later = shares[: self._first], shares[self._first :]
        raised = (self._least_first_share / first.sum()).clamp_min(1)
        later *= (1 - raised * first.sum()) / later.sum().clamp_min(torch.finfo(later.dtype).tiny)
        first *= raised

    @torch.inference_mode()
    def solve(self, steps: int) -> None:
        """Improve the kernel by so many steps of conjugate gradients, to what the samples say now."""
        features, maps = self._features[: self._count], self._maps[: self._count]
        shares = self._shares[: self._count, None, None]

        lacking = maps - cross_correlate(self.kernel, features)
        residual = exemplar_gradient(shares * lacking, features) - self._regularisation * self.kernel
        direction, size = residual, _square(residual)
        tiny = torch.finfo(size.dtype).tiny
        for _ in range(steps):
            came = cross_correlate(direction, features)
            bent = exemplar_gradient(shares * came, features) + self._regularisation * direction
            step = size / (direction * bent).sum().clamp_min(tiny)
            self.kernel = self.kernel + step * direction
            residual = residual - step * bent
            before, size = size, _square(residual)
            direction = residual + size / before.clamp_min(tiny) * direction


def _with_room(values: Tensor, room: int) -> Tensor:
    return torch.cat([values, values.new_zeros(room, *values.shape[1:])])


def _square(values: Tensor) -> Tensor:
    return values.square().sum()
