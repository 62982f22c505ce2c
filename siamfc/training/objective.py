"""What a step learns from: the losses of a batch's score maps, of its boxes, and of what a teacher says."""

from __future__ import annotations

import torch
from torch import nn

from siamfc.config import TrainConfig
from siamfc.model import SiamFC, without_border
from siamfc.training.box_loss import asked_windows, box_losses
from siamfc.training.labels import batch_labels, batch_strangers
from siamfc.training.loading import PairBatch
from siamfc.training.loss import PairLosses, pair_losses
from siamfc.training.scoring_pairs import PairScores
from siamfc.training.teaching import Teacher, teaching_loss


class Objective:
    """From a batch to its losses.

    Args:
        config: All settings.
        stride: Pixels a cell of the model that is trained.
        teacher: A model whose score maps are learned from too, ``labels.teacher_weight`` as strong as the labels.
        device: Where the batches go.
    """

    def __init__(self, config: TrainConfig, *, stride: int, teacher: SiamFC | None, device: torch.device) -> None:
        self._config = config
        self._stride = stride
        self._device = device
        self._teacher = Teacher(teacher, config, stride=stride, device=device) if teacher is not None else None

    @property
    def teacher_digest(self) -> str | None:
        """Names the teacher; None without one."""
        return self._teacher.digest if self._teacher else None

    def losses(self, scorer: nn.Module, batch: PairBatch) -> PairLosses:
        """The losses of a batch.

        Args:
            scorer: A `PairScorer`, as the devices have set it up.
            batch: Pairs, their photometry still to be applied.
        """
        config, device = self._config, self._device
        exemplars, searches = (
            look.apply(images.to(device).float()).contiguous(memory_format=torch.channels_last)
            for look, images in zip(batch.looks, (batch.exemplars, batch.searches), strict=True)
        )
        windows = config.labels.teacher_windows if self._teacher else 0
        sizes = batch.sizes[:, 0].to(device)
        asked = asked_windows(batch, config, self._stride).to(device) if config.model.box_regression else None
        scores: PairScores = scorer(exemplars, searches, windows, sizes=sizes, asked=asked)
        score_maps = scores.maps.float()
        labels = batch_labels(batch, config, self._stride)
        size = config.labels.group_size
        losses = pair_losses(
            score_maps[:, :size],
            labels.positive.to(device),
            labels.place.to(device),
            batch_strangers(batch, size).to(device),
            config.labels,
        )
        total = losses.total
        if asked is not None and scores.change is not None:
            boxes = box_losses(scores.change.float(), asked, batch, config, self._stride)
            total = total + config.labels.box_weight * boxes
        if self._teacher is not None:
            inner = without_border(exemplars, config.exemplar_border_px)
            apart = teaching_loss(score_maps, self._teacher.score_maps(inner, searches, windows, sizes), size)
            total = total + config.labels.teacher_weight * apart
        return losses._replace(total=total)
