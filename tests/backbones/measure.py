"""Measured properties of a network: multiply-accumulates, sizes layer by layer, receptive field."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn


@torch.no_grad()
def count_macs(network: nn.Module, side_px: int) -> int:
    """Multiply-accumulates of all convolutions for one image."""
    total = 0

    def add(module: nn.Conv2d, _inputs: tuple[Tensor], output: Tensor) -> None:
        nonlocal total
        total += output.numel() * module.weight[0].numel()

    network = copy.deepcopy(network)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(add)
    network(torch.zeros(1, 3, side_px, side_px))
    return total


@torch.no_grad()
def layer_sides(network: nn.Module, kinds: tuple[type[nn.Module], ...], side_px: int) -> list[int]:
    """Side of the output of each layer of these kinds, in order of computation."""
    sides: list[int] = []
    network = copy.deepcopy(network)
    for module in network.modules():
        if isinstance(module, kinds):
            module.register_forward_hook(lambda _module, _inputs, output: sides.append(output.shape[-1]))
    network(torch.zeros(1, 3, side_px, side_px))
    return sides


def seen_pixels(network: nn.Module, side_px: int, cell: tuple[int, int]) -> tuple[range, range]:
    """Rows and columns of the image on which one feature cell depends, by the gradient.

    A maximum passes the gradient of one pixel only, so several random images are looked at.
    """
    touched = torch.zeros(side_px, side_px, dtype=torch.bool)
    generator = torch.Generator().manual_seed(0)
    for _ in range(4):
        image = (torch.rand(1, 3, side_px, side_px, generator=generator) * 255).requires_grad_()
        features = network(image)[0, :, cell[0], cell[1]]
        weights = torch.randn(len(features), generator=generator)
        (gradient,) = torch.autograd.grad(features @ weights, image)
        touched |= (gradient[0] != 0).any(dim=0)
    rows, columns = (torch.nonzero(touched.any(dim=dim)).flatten() for dim in (1, 0))
    return range(int(rows[0]), int(rows[-1]) + 1), range(int(columns[0]), int(columns[-1]) + 1)
