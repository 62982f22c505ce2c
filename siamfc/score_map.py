"""From score maps to the peak: upsampling, scale penalty, cosine window, and what a cell means in pixels."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Alignment = Literal["corners", "edges"]

_BICUBIC_A = -0.75  # as in torch and OpenCV; MATLAB's imresize has -0.5


def score_map_cells(search_px: int, exemplar_px: int, stride: int) -> int:
    """Cells of a score map along one side: the windows of ``exemplar_px`` that fit, ``stride`` apart.

    Example:
        >>> score_map_cells(255, 127, 8)
        17
    """
    return (search_px - exemplar_px) // stride + 1


def displacement_px(cell: float, *, search_px: int, exemplar_px: int, stride: int) -> float:
    """How far the centre of a cell's window lies from the search image's centre, in search pixels.

    Cell ``j`` stands for the window ``[stride j, stride j + exemplar_px)``. Where the image's centre is not on the
    grid of windows, the centre of the map is not zero, and this says so.

    Example:
        >>> displacement_px(8, search_px=255, exemplar_px=127, stride=8)
        0.0
        >>> displacement_px(8, search_px=259, exemplar_px=127, stride=8)
        -2.0
    """
    return stride * cell + (exemplar_px - search_px) / 2


def upsampled_cells(cells: int, factor: int, alignment: Alignment) -> int:
    """Cells along one side after upsampling: 17 become 257 with corners aligned, 272 with edges.

    Example:
        >>> upsampled_cells(17, 16, "corners"), upsampled_cells(17, 16, "edges")
        (257, 272)
    """
    return (cells - 1) * factor + 1 if alignment == "corners" else cells * factor


def score_map_position(upsampled_cell: float, factor: int, alignment: Alignment) -> float:
    """Place of an upsampled cell on the score map it came from, in cells.

    Example:
        >>> score_map_position(128, 16, "corners"), score_map_position(135.5, 16, "edges")
        (8.0, 8.0)
    """
    return upsampled_cell / factor if alignment == "corners" else (upsampled_cell + 0.5) / factor - 0.5


@lru_cache(maxsize=32)
def bicubic_matrix(cells: int, factor: int, alignment: Alignment) -> NDArray[np.float64]:
    """The matrix K (upsampled cells, cells) that upsamples one side; ``K R K.T`` upsamples a map R bicubically.

    Cells beyond the border repeat it, as in ``torch.nn.functional.interpolate``.
    """
    count = upsampled_cells(cells, factor, alignment)
    positions = np.array([score_map_position(cell, factor, alignment) for cell in range(count)])
    first = np.floor(positions).astype(int) - 1
    matrix = np.zeros((count, cells))
    for tap in range(4):
        source = first + tap
        weights = _bicubic_kernel(np.abs(positions - source))
        np.add.at(matrix, (np.arange(count), np.clip(source, 0, cells - 1)), weights)
    matrix.setflags(write=False)
    return matrix


def _bicubic_kernel(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    a = _BICUBIC_A
    near = ((a + 2) * distance - (a + 3)) * distance**2 + 1
    far = ((a * distance - 5 * a) * distance + 8 * a) * distance - 4 * a
    return np.where(distance <= 1, near, np.where(distance < 2, far, 0.0))


def upsample(score_maps: Tensor, factor: int, alignment: Alignment, *, out: Tensor | None = None) -> Tensor:
    """Score maps (S, h, w) upsampled bicubically, as two small matrix products.

    Args:
        score_maps: (S, h, w).
        factor: Upsampled cells per cell.
        alignment: Where the upsampled cells lie.
        out: Where to put the result; None: into a new tensor.

    Returns:
        (S, h', w') with h', w' from `upsampled_cells`, on the same device and in the same dtype.
    """
    place = (score_maps.dtype, score_maps.device)
    rows = _bicubic_tensor(score_maps.shape[-2], factor, alignment, *place)
    columns = _bicubic_tensor(score_maps.shape[-1], factor, alignment, *place)
    # Above the minimum, so that a map of one value stays one value: rounding would put a peak somewhere on it.
    lowest = score_maps.amin(dim=(-2, -1), keepdim=True)
    return torch.matmul(rows @ (score_maps - lowest), columns.T, out=out).add_(lowest)


@lru_cache(maxsize=32)
def _bicubic_tensor(cells: int, factor: int, alignment: Alignment, dtype: torch.dtype, device: torch.device) -> Tensor:
    return torch.tensor(bicubic_matrix(cells, factor, alignment), dtype=dtype, device=device)


def penalise_scales(responses: Tensor, penalty: float) -> Tensor:
    """Responses (S, h, w) above their common minimum, those of every scale but the middle one times ``penalty``.

    Logits can be negative, and a factor below 1 on a negative number would reward the change it should punish; so
    the minimum over all scales is taken off first. The result is never negative.
    """
    factors = scale_factors(len(responses), penalty, responses.dtype, responses.device)
    return (responses - responses.min()) * factors[:, None, None]


@lru_cache(maxsize=32)
def scale_factors(num_scales: int, penalty: float, dtype: torch.dtype, device: torch.device) -> Tensor:
    """What each scale's response is multiplied by, (num_scales,): ``penalty``, and 1 for the middle one."""
    factors = [1.0 if scale == num_scales // 2 else penalty for scale in range(num_scales)]
    return torch.tensor(factors, dtype=dtype, device=device)


@lru_cache(maxsize=32)
def cosine_window(height: int, width: int) -> NDArray[np.float64]:
    """Hann window (height, width) with sum 1: the prior that a target moves little between frames."""
    window = np.outer(np.hanning(height), np.hanning(width)) if min(height, width) > 2 else np.ones((height, width))
    window /= window.sum()
    window.setflags(write=False)
    return window


@lru_cache(maxsize=32)
def weighted_window(height: int, width: int, influence: float, dtype: torch.dtype, device: torch.device) -> Tensor:
    """`cosine_window` times its weight in the response."""
    return influence * torch.tensor(cosine_window(height, width), dtype=dtype, device=device)


def apply_window(response: Tensor, influence: float, *, full_contrast: float = 0.0) -> Tensor:
    """The response (h, w), scaled to minimum 0 and sum 1, mixed with the cosine window.

    A response of one value everywhere says nothing, and the window alone decides.

    Args:
        response: Of the scale that was chosen.
        influence: The window's weight.
        full_contrast: Contrast, the highest cell above the lowest, from which the response has all of the other
            weight; one of half the contrast has half of it.
    """
    above = response - response.min()
    share = above / above.sum().clamp_min(torch.finfo(above.dtype).tiny)  # nothing above the minimum: zeros
    weight = (1 - influence) * contrast_weight(float(above.max()), full_contrast)
    return weight * share + weighted_window(*response.shape, influence, response.dtype, response.device)


def contrast_weight(contrast: float, full_contrast: float) -> float:
    """How much a response counts that has this contrast.

    Example:
        >>> contrast_weight(3.0, 4.0), contrast_weight(5.0, 4.0), contrast_weight(0.0, 0.0)
        (0.75, 1.0, 1.0)
    """
    return contrast / full_contrast if contrast < full_contrast else 1.0


def find_peak(response: Tensor) -> tuple[float, float]:
    """Row and column of the highest cell; the mean of the neighbouring cells that share the maximum.

    An even map with a centred peak has four equal highest cells; taking the first of them would move a still object
    by half a cell in every frame. Rounding makes equal cells differ in their last digits, so "share" allows for it.
    """
    row, column = divmod(int(response.argmax()), response.shape[1])
    top, left = max(row - 1, 0), max(column - 1, 0)
    around = response[top : row + 2, left : column + 2].tolist()
    cells = {(top + down, left + right): value for down, line in enumerate(around) for right, value in enumerate(line)}
    return shared_peak(cells, (row, column), lowest=float(response.min()), dtype=response.dtype)


def shared_peak(
    cells: dict[tuple[int, int], float], highest: tuple[int, int], *, lowest: float, dtype: torch.dtype
) -> tuple[float, float]:
    """What `find_peak` makes of the highest cell and its neighbours.

    Args:
        cells: Values by (row, column), at least of the highest cell and its neighbours.
        highest: Row and column of the highest cell.
        lowest: The least value of the whole response.
        dtype: In which the values were computed.
    """
    row, column = highest
    value = cells[highest]
    least = value - 8 * torch.finfo(dtype).eps * max(abs(value), value - lowest)
    least = torch.tensor(least, dtype=dtype).item()
    sharing = [
        (r, c) for (r, c), other in cells.items() if other >= least and abs(r - row) <= 1 and abs(c - column) <= 1
    ]
    if len(sharing) not in (2, 4):  # a plateau is no even map's centre
        return float(row), float(column)
    return sum(r for r, _ in sharing) / len(sharing), sum(c for _, c in sharing) / len(sharing)
