"""Exemplars slid over searches as one matrix product and sums along its diagonals; for inference."""

from __future__ import annotations

from torch import Tensor, matmul

from siamfc.model import ExemplarKernel


def slide(kernel: ExemplarKernel, features: Tensor) -> Tensor:
    """What `siamfc.correlation.cross_correlate` gives of a kernel and features, plus the kernel's offset.

    Every cell of the exemplar times every cell of the search is one product of two matrices, which libraries do at
    the processor's full rate; each window's score is then the sum of ``h w`` of its entries. A convolution with one
    output channel multiplies half as much and still takes two to three times as long.

    Args:
        kernel: Of N exemplars.
        features: (B, C, H, W) of B searches; N and B are equal, or one of them is 1.

    Returns:
        (max(N, B), H - h + 1, W - w + 1), in the kernel's type.

    Raises:
        ValueError: Counts, channels or sizes that do not go together.
    """
    N, C, h, w = kernel.weight.shape
    B, channels, H, W = features.shape
    if channels != C or h > H or w > W or (N != B and 1 not in (N, B)):
        raise ValueError(
            f"a kernel {tuple(kernel.weight.shape)} cannot slide over search features {tuple(features.shape)}: "
            "expected equal channels, a search no smaller than the exemplar, and equal counts or one of either"
        )
    exemplar_cells = kernel.weight.permute(0, 2, 3, 1).reshape(N, h * w, C)
    search_cells = features.to(kernel.weight.dtype).flatten(2)
    products = matmul(exemplar_cells, search_cells).view(-1, h, w, H, W)
    each, row, column, search_row, search_column = products.stride()
    windows = products.as_strided(
        (len(products), h, w, H - h + 1, W - w + 1),
        (each, row + search_row, column + search_column, search_row, search_column),
    )
    return windows.sum(dim=(1, 2)) + kernel.offset[:, None, None]
