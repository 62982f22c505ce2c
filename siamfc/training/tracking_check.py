"""The short tracking evaluation of a run: the model of the moment on given sequences, by OTB's figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from siamfc.config import TrackerConfig
from siamfc.data import open_dataset
from siamfc.errors import SourceError
from siamfc.evaluation.evaluating import evaluate
from siamfc.evaluation.metrics import OnePassScore
from siamfc.evaluation.trackers import factory_tracker
from siamfc.model import SiamFC
from siamfc.tracker.tracker import Tracker


def tracking_check(data: str, config: TrackerConfig) -> Callable[[SiamFC], Mapping[str, float]]:
    """What measures a model by tracking every sequence of a dataset, in one pass from the first box.

    Args:
        data: ``LAYOUT:PATH``.
        config: The tracker's settings.

    Returns:
        A function from a model to ``success_auc`` and ``precision``, means over the sequences.

    Raises:
        SourceError: The dataset cannot be opened.
    """
    dataset = open_dataset(data)

    def measure(model: SiamFC) -> Mapping[str, float]:
        choice = factory_tracker(lambda: Tracker(model, config), name="training")
        score = evaluate(dataset, protocol="ope", trackers=choice).trackers[0]
        if not isinstance(score.score, OnePassScore):
            raise SourceError(f"no sequence of {data} could be tracked: {'; '.join(score.problems.values())}")
        return {"success_auc": score.score.success_auc, "precision": score.score.precision}

    return measure
