"""Exemplar features slid over search features: the plain, not normalised, cross-correlation of the paper."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, matmul

_FEW = 2  # exemplars of one search, up to which a product of matrices is faster than a convolution


def cross_correlate(exemplar_features: Tensor, search_features: Tensor, *, dilation: int = 1) -> Tensor:
    """Similarity of exemplars with every window of searches: ``out[b, i, j] = sum(z[b] * x[b, :, i:i+h, j:j+w])``.

    Args:
        exemplar_features: (N, C, h, w).
        search_features: (B, C, H, W), with ``H >= h`` and ``W >= w``. N and B are equal (pairwise), or one of them
            is 1: one exemplar in many searches, or many exemplars against one search.
        dilation: Cells of the search from one cell of an exemplar to the next; with it a window is
            ``dilation (h - 1) + 1`` cells high.

    Returns:
        (max(N, B), H - dilation (h - 1), W - dilation (w - 1)).

    Raises:
        ValueError: Counts, channels or sizes that do not go together.

    Example:
        >>> import torch
        >>> cross_correlate(torch.ones(2, 4, 3, 3), torch.ones(1, 4, 5, 6)).shape
        torch.Size([2, 3, 4])
    """
    N, C, h, w = exemplar_features.shape
    B, search_channels, H, W = search_features.shape
    rows, columns = H - dilation * (h - 1), W - dilation * (w - 1)
    if search_channels != C or rows < 1 or columns < 1 or (N != B and 1 not in (N, B)):
        raise ValueError(
            f"exemplar features {tuple(exemplar_features.shape)} cannot slide over search features "
            f"{tuple(search_features.shape)}: expected equal channels, a search no smaller than the exemplar, "
            "and equal counts or one of either"
        )
    if (h, w) == (H, W):  # one window each
        return (exemplar_features * search_features).sum(dim=(1, 2, 3))[:, None, None]
    if B == 1 and (N > _FEW or C == 1):
        return F.conv2d(search_features, exemplar_features, dilation=dilation)[0]
    return _slide(exemplar_features, search_features, dilation)


def _slide(exemplar_features: Tensor, search_features: Tensor, dilation: int) -> Tensor:
    """Every cell of the exemplar times every cell of the search, and the sums along the diagonals of that.

    One product of two matrices, which libraries do at the processor's full rate; each window's score is the sum of
    ``h w`` of its entries. A convolution with one output channel multiplies half as much and takes two to three times
    as long; one with a group a pair takes longer still.
    """
    N, C, h, w = exemplar_features.shape
    H, W = search_features.shape[-2:]
    exemplar_cells = exemplar_features.permute(0, 2, 3, 1).reshape(N, h * w, C)
    products = matmul(exemplar_cells, search_features.flatten(2)).view(-1, h, w, H, W)
    each, row, column, search_row, search_column = products.stride()
    windows = products.as_strided(
        (len(products), h, w, H - dilation * (h - 1), W - dilation * (w - 1)),
        (each, row + dilation * search_row, column + dilation * search_column, search_row, search_column),
    )
    return windows.sum(dim=(1, 2))


def exemplar_gradient(maps: Tensor, search_features: Tensor) -> Tensor:
    """The gradient of ``(cross_correlate(z, x) * maps).sum()`` with respect to one exemplar z.

    Args:
        maps: (B, h, w).
        search_features: (B, C, H, W), with ``H >= h`` and ``W >= w``.

    Returns:
        (1, C, H - h + 1, W - w + 1), summed over the searches.

    Example:
        >>> import torch
        >>> exemplar_gradient(torch.ones(2, 3, 4), torch.ones(2, 4, 5, 6)).shape
        torch.Size([1, 4, 3, 3])
    """
    (B, h, w), (C, H, W) = maps.shape, search_features.shape[1:]
    rows, columns = H - h + 1, W - w + 1
    # As in _slide: a product of two matrices, here with the maps laid where each cell of the exemplar meets them.
    laid = maps.new_zeros(B, rows, columns, H, W)
    for row in range(rows):
        for column in range(columns):
            laid[:, row, column, row : row + h, column : column + w] = maps
    summed = matmul(laid.view(B, rows * columns, H * W), search_features.flatten(2).transpose(1, 2)).sum(dim=0)
    return summed.T.reshape(1, C, rows, columns)
