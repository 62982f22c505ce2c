"""How well, how fast and in how much memory `siamfc match` finds things: every figure that the README gives of it.

    python tools/measure_match.py rendered                    # recall, precision, false alarms on rendered pictures
    python tools/measure_match.py rendered --first-seed 5000  # the same on other seeds: for choosing the threshold
    python tools/measure_match.py real otb:OTB plain:VAL      # an object's crop searched in a later frame
    python tools/measure_match.py passes                      # one pass against every window embedded alone
    python tools/measure_match.py large                       # 7680 x 4320 pixels: time, memory, tiles against one pass

`--weights` takes another model, `--set match.KEY=VALUE` another setting. The reported seeds are 0 to 99; the threshold
was chosen on seeds from 5000.
"""

from __future__ import annotations

import argparse
import copy
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from siamfc.boxes import Box, intersection_over_union
from siamfc.checkpoint import DEFAULT_MODEL, load_model
from siamfc.config import MatchConfig, load_config
from siamfc.data import open_dataset
from siamfc.data.rendered_picture import render_picture
from siamfc.dense import DenseSiamFC
from siamfc.folding import fold
from siamfc.frames import Image
from siamfc.matching.exemplars import Exemplar, as_exemplar
from siamfc.matching.matcher import Match, Matcher
from siamfc.matching.peaks import thin_out
from siamfc.model import SiamFC
from siamfc.opencv import cv2
from siamfc.tiles import as_batch, picture_statistics, tile_side, tiled_score_map

_HIT = 0.5  # IoU
_LOWEST = 0.5  # threshold of the tables; every candidate costs time
_LARGE = (4320, 7680)


def main() -> None:
    """Print the figures of one part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=["rendered", "real", "passes", "large", "large-pass"])
    parser.add_argument("data", nargs="*", help="datasets, as siamfc evaluate takes them: otb:PATH, plain:PATH")
    parser.add_argument("--weights", default=DEFAULT_MODEL)
    parser.add_argument("--set", dest="overrides", action="append", default=[], metavar="match.KEY=VALUE")
    parser.add_argument("--seeds", type=int, default=100, help="rendered pictures of each kind")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--pairs", type=int, default=4, help="pairs of frames a sequence")
    parser.add_argument("--tile-px", type=int, default=0, help="large-pass: side of a tile; 0: the whole picture")
    arguments = parser.parse_args()
    model = load_model(arguments.weights, device="cpu")
    assert model.info is not None
    config = load_config(overrides=arguments.overrides, checkpoint=model.info.settings).match
    print(f"{model.info.name} (sha256 {model.info.short_hash}), torch {torch.__version__}", end=", ")
    print(f"{torch.get_num_threads()} threads; {config}")
    parts: dict[str, Callable[[], None]] = {
        "rendered": lambda: measure_rendered(model, config, arguments.first_seed, arguments.seeds),
        "real": lambda: measure_real(model, config, arguments.data, arguments.pairs),
        "passes": lambda: measure_passes(model),
        "large": lambda: measure_large(arguments.weights),
        "large-pass": lambda: large_pass(model, arguments.tile_px),
    }
    parts[arguments.part]()


@dataclass
class Tally:
    """Scores of right and wrong finds."""

    objects: int = 0
    right: list[float] = field(default_factory=list)
    wrong: list[float] = field(default_factory=list)

    def add(self, found: list[Match], boxes: tuple[Box, ...]) -> None:
        """Count finds of one picture; each object is found once."""
        self.objects += len(boxes)
        taken: set[int] = set()
        for match in found:
            overlap = intersection_over_union(match.box, np.array(boxes)) if boxes else np.zeros(1)
            best = int(overlap.argmax())
            is_right = overlap[best] >= _HIT and best not in taken
            (self.right if is_right else self.wrong).append(match.score)
            taken |= {best} if is_right else set()

    def at(self, threshold: float) -> tuple[float, float]:
        """Recall and precision."""
        right, wrong = (sum(score >= threshold for score in scores) for scores in (self.right, self.wrong))
        return right / max(self.objects, 1), right / max(right + wrong, 1)


def measure_rendered(model: SiamFC, config: MatchConfig, first: int, seeds: int) -> None:
    """Recall and precision with three copies and eight other things; matches where the object is not."""
    low = config.model_copy(update={"threshold": min(config.threshold, _LOWEST)})
    with_object, without, seconds = Tally(), Tally(), 0.0
    for seed in range(first, first + seeds):
        for copies, tally in ((3, with_object), (0, without)):
            picture = render_picture(seed, copies=copies)
            matcher = Matcher(model, picture.exemplar, low)
            started = time.perf_counter()
            found = matcher.search(picture.image).matches()
            seconds += time.perf_counter() - started
            tally.add(found, picture.boxes)
    print(f"seeds {first} to {first + seeds - 1}, 640 x 480 px, {1000 * seconds / 2 / seeds:.0f} ms a picture")
    print(f"{'threshold':>10}{'recall':>9}{'precision':>11}{'matches in pictures without the object':>41}")
    for threshold in sorted({*np.round(np.arange(_LOWEST, 0.86, 0.025), 3).tolist(), config.threshold}):
        recall, precision = with_object.at(threshold)
        alarms = sum(score >= threshold for score in without.wrong)
        mark = "  default" if threshold == config.threshold else ""
        print(f"{threshold:10.3f}{recall:9.3f}{precision:11.3f}{alarms:41d}{mark}")
    grid = np.arange(_LOWEST, 0.95, 0.005)
    wrong = np.sort([*with_object.wrong, *without.wrong])[::-1]
    errors = [sum(wrong >= at) + sum(score < at for score in with_object.right) for at in grid]
    best = grid[np.array(errors) == min(errors)]
    print(f"fewest errors, {min(errors)}, at thresholds from {best[0]:.3f} to {best[-1]:.3f}")


def measure_real(model: SiamFC, config: MatchConfig, data: list[str], pairs: int) -> None:
    """How often the best match hits in a later frame, beside OpenCV's template matching; and with strange exemplars."""
    hits: dict[str, list[bool]] = {"siamfc": [], "cv2.TM_CCOEFF_NORMED": []}
    seconds, processor = dict.fromkeys(hits, 0.0), dict.fromkeys(hits, 0.0)
    true_scores, strange_scores = [], []
    other: tuple[str, Exemplar] | None = None
    low = config.model_copy(update={"threshold": -1.0, "max_matches": 5})
    for name, first, box, later, truth in _frame_pairs(data, pairs):
        matcher = Matcher(model, as_exemplar(first, box), low)
        methods: dict[str, Callable[[], list[Match]]] = {
            "siamfc": partial(_search, matcher, later),
            "cv2.TM_CCOEFF_NORMED": partial(_template_matches, first, box, later, low),
        }
        for method, search in methods.items():
            started, busy = time.perf_counter(), time.process_time()
            best = search()[0]
            seconds[method] += time.perf_counter() - started
            processor[method] += time.process_time() - busy
            hits[method].append(bool(intersection_over_union(best.box, truth) > _HIT))
            if method == "siamfc" and hits[method][-1]:
                true_scores.append(best.score)
        if other is not None and other[0] != name:
            strange_scores.append(Matcher(model, other[1], low).search(later).matches()[0].score)
        other = name, as_exemplar(first, box)
    count = len(hits["siamfc"])
    for method, row in hits.items():
        times = f"{seconds[method] / count:.2f} s a pair, {processor[method] / count:.2f} s of the processor"
        print(f"{method:22} {sum(row)} of {count} hit ({np.mean(row):.3f}), {times}")
    print(f"ratio of hits {sum(hits['siamfc']) / max(sum(hits['cv2.TM_CCOEFF_NORMED']), 1):.2f}")
    for what, scores in (("the object itself", true_scores), ("an object of another sequence", strange_scores)):
        quantiles = np.quantile(scores, [0.05, 0.25, 0.5, 0.75, 0.95]).round(2).tolist()
        above = np.mean(np.array(scores) >= config.threshold)
        print(f"best score for {what}: quantiles 5 to 95 % {quantiles}, {above:.0%} reach {config.threshold}")


def _search(matcher: Matcher, picture: Image) -> list[Match]:
    return matcher.search(picture).matches()


def _frame_pairs(data: list[str], pairs: int) -> Iterator[tuple[str, Image, Box, Image, Box]]:
    """Name, frame, box, later frame and box there: drawn with a fixed seed from every sequence."""
    rng = np.random.default_rng(0)
    for spec in data:
        for sequence in open_dataset(spec):
            known = np.flatnonzero(sequence.in_view)
            drawn = [np.sort(rng.choice(known, 2, replace=False)) for _ in range(pairs)]
            wanted = {int(index) for pair in drawn for index in pair}
            frames = {index: frame for index, frame in enumerate(sequence) if index in wanted}
            for first, later in drawn:
                boxes = [Box(*sequence.boxes[index].tolist()) for index in (first, later)]
                yield sequence.name, frames[int(first)], boxes[0], frames[int(later)], boxes[1]


def _template_matches(first: Image, box: Box, later: Image, config: MatchConfig) -> list[Match]:
    """OpenCV's normalised correlation coefficient over the same scales, with the same suppression."""
    left, top = max(round(box.x), 0), max(round(box.y), 0)
    template = first[top : round(box.y + box.height), left : round(box.x + box.width)]
    boxes: list[NDArray[np.float64]] = []
    scores: list[NDArray[np.float64]] = []
    for scale in config.scales:
        size = [max(2, round(side * scale)) for side in template.shape[1::-1]]
        if size[0] > later.shape[1] or size[1] > later.shape[0]:
            continue
        resized = cv2.resize(template, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        result = cv2.matchTemplate(later, resized, cv2.TM_CCOEFF_NORMED)
        peaks = np.argsort(-result, axis=None)[:200]
        rows, columns = np.unravel_index(peaks, result.shape)
        boxes.append(np.column_stack([columns, rows, *(np.full(len(peaks), float(side)) for side in size)]))
        scores.append(result[rows, columns].astype(np.float64))
    every, score = np.concatenate(boxes), np.concatenate(scores)
    kept = thin_out(every, score, max_overlap=config.max_overlap, at_most=config.max_matches)
    return [Match(Box(*every[row].tolist()), float(score[row]), 1.0) for row in kept]


def measure_passes(model: SiamFC) -> None:
    """Time of one pass and of embedding each window alone, at the network's stride and at every pixel."""
    picture = render_picture(0, size=(480, 640)).image[:255, :255]
    folded = fold(model)
    statistics = picture_statistics(DenseSiamFC(folded, folded.stride), picture)
    exemplar, search = as_batch(picture[64:191, 64:191]), as_batch(picture)
    batch = torch.cat([search[..., :127, step : step + 127] for step in range(0, 128, 8)])
    for stride in (8, 1):
        network, windows = DenseSiamFC(folded, stride), ((255 - 127) // stride + 1) ** 2
        with torch.inference_mode():
            one_pass = _median_seconds(partial(network, exemplar, search, statistics))
            alone = _median_seconds(partial(folded.embed, batch, statistics)) / len(batch)
        ratio = windows * alone / one_pass
        print(
            f"stride {stride}: 255 x 255 px, {windows} windows: one pass {1000 * one_pass:.1f} ms; alone "
            f"{1000 * alone:.2f} ms a window in batches of {len(batch)}, {windows * alone:.2f} s: {ratio:.0f} times"
        )


def _median_seconds(work: Callable[[], object], rounds: int = 5) -> float:
    work()
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return float(np.median(times))


def measure_large(weights: str) -> None:
    """A picture of 7680 x 4320 px in tiles and in one piece, each in a process of its own; then whether they agree."""
    for tile_px in (tile_side(8), 0):
        command = [sys.executable, __file__, "large-pass", "--weights", weights, "--tile-px", str(tile_px)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - this very script
        print(done.stdout.splitlines()[-1], flush=True)


def large_pass(model: SiamFC, tile_px: int) -> None:
    """Time, peak memory and a checksum of one pass."""
    picture = large_picture()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    network = DenseSiamFC(fold(model), 8)
    exemplar = as_batch(picture[1000:1127, 1000:1127])
    started = time.perf_counter()
    if tile_px:
        score_map = tiled_score_map(network, exemplar, picture, tile_px=tile_px)[0]
    else:
        with torch.inference_mode():
            score_map = network(exemplar, as_batch(picture))[0].numpy()
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    part = picture[:1500, :2000]
    exact = DenseSiamFC(copy.deepcopy(model).double(), 8)
    with torch.inference_mode():
        whole = exact(exemplar, as_batch(part))[0].numpy()
    tiles = tiled_score_map(exact, exemplar, part, tile_px=700)[0]
    print(
        f"{'tiles of ' + str(tile_px) + ' px' if tile_px else 'one piece'}: map {score_map.shape}, {seconds:.1f} s, "
        f"peak {peak / 2**20:.2f} GiB, {(peak - before) / 2**20:.2f} above the picture; mean {score_map.mean():.9f}, "
        f"deviation {score_map.std():.9f}; in float64, on a part, tiles differ from one pass by at most "
        f"{np.abs(tiles - whole).max() / whole.std():.1e} of the map's deviation"
    )


def large_picture() -> NDArray[np.uint8]:
    """(4320, 7680, 3): rendered pictures side by side."""
    pictures = [render_picture(seed, size=(1080, 1920), others=30).image for seed in range(4)]
    row = np.concatenate(pictures, axis=1)
    return np.concatenate([np.roll(row, 700 * shift, axis=1) for shift in range(4)])


if __name__ == "__main__":
    main()
