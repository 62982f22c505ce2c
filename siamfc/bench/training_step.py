"""A training step of this package on random crops, timed."""

from __future__ import annotations

import copy
import time

import torch

from siamfc.bench.machine import wait_for
from siamfc.config import LabelConfig, OptimiserConfig
from siamfc.folding import fold_batch_norms
from siamfc.model import SiamFC
from siamfc.training.labels import positive_cells
from siamfc.training.loss import pair_losses
from siamfc.training.optimisation import build_optimiser, choose_trained, parameter_groups
from siamfc.training.scoring_pairs import PairScorer

_EXEMPLAR_PX, _SEARCH_PX, _RADIUS_PX = 127, 239, 16


class TrainingStep:
    """Forward, loss, backward and update of a copy of the model, on as many pairs as ``batch`` says.

    Batch norm is folded, as for fine-tuning; crops are made once and are on the device.
    """

    def __init__(self, model: SiamFC, *, batch: int) -> None:
        self.batch = batch
        self._device = model.device
        network = copy.deepcopy(model).eval()
        config = OptimiserConfig(name="sgd", train_gain=False, frozen_layers=0)
        fold_batch_norms(network)
        choose_trained(network, config)
        self._scorer = PairScorer(network, group_size=1)
        self._scorer.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it
        self._optimiser = build_optimiser(parameter_groups(network, frozenset(), config), config)
        for group in self._optimiser.param_groups:
            group["lr"] = 1e-9  # the same work on weights that stay what they are
        generator = torch.Generator().manual_seed(0)
        self._exemplars, self._searches = (
            (torch.rand(batch, size, size, 3, generator=generator) * 255).permute(0, 3, 1, 2).to(self._device)
            for size in (_EXEMPLAR_PX, _SEARCH_PX)
        )
        centers = torch.full((batch, 2), _SEARCH_PX / 2)
        self._positive = positive_cells(
            centers, search_size=_SEARCH_PX, exemplar_size=_EXEMPLAR_PX, stride=model.stride, radius=_RADIUS_PX
        ).to(self._device)
        self._strangers = torch.zeros(batch, 1, dtype=torch.bool, device=self._device)

    def seconds(self) -> float:
        """Do one step; how long it took."""
        wait_for(self._device)
        began = time.perf_counter()
        maps = self._scorer(self._exemplars, self._searches).maps
        label = LabelConfig(ranking_weight=0, group_size=1)
        loss = pair_losses(maps, self._positive, self._positive.to(maps.dtype), self._strangers, label).total.mean()
        self._optimiser.zero_grad()
        torch.autograd.backward(loss)
        self._optimiser.step()
        wait_for(self._device)
        return time.perf_counter() - began
