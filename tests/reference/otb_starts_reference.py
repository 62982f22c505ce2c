"""OTB's starts in the 1-based whole pixels of its MATLAB toolkit, one case after the other."""

from __future__ import annotations

from math import ceil, floor

OneBased = tuple[float, float, float, float]


def temporal_starts(boxes: list[OneBased]) -> list[int]:
    """1-based numbers of the frames in which a temporal robustness run starts; needs 38 candidates or more."""
    length = len(boxes)
    candidates = [number for number, box in enumerate(boxes, start=1) if min(box) > 0]
    last = max(place for place, number in enumerate(candidates, start=1) if length - number + 1 >= 20)
    places = []
    place = 1.0
    while place <= last + 1e-9 and len(places) < 19:
        places.append(floor(place + 1e-9))
        place += last / 19
    return [candidates[place - 1] for place in [*places, last]]


def spatial_start(box: OneBased, case: str, *, width: int, height: int) -> OneBased:
    """The box of one spatial robustness run in a picture of this size."""
    x, y, w, h = box
    last_column, last_row = x + w - 1, y + h - 1
    if case == "left":
        x -= ceil(0.1 * w)
    elif case == "right":
        x += ceil(0.1 * w)
    elif case == "up":
        y -= ceil(0.1 * h)
    elif case == "down":
        y += ceil(0.1 * h)
    elif case.startswith("scale"):
        scale = int(case[-2:]) / 10
        center_x, center_y = x + w / 2, y + h / 2
        w, h = w * scale, h * scale
        x, y, w, h = (floor(value + 0.5) for value in (center_x - w / 2, center_y - h / 2, w, h))
    else:
        vertical, horizontal = case.split("-")
        by_x, by_y = 0.1 * w, 0.1 * h
        if horizontal == "left":
            x = floor(x - by_x + 0.5)
        else:
            last_column = floor(last_column + by_x + 0.5)
        if vertical == "top":
            y = floor(y - by_y + 0.5)
        else:
            last_row = floor(last_row + by_y + 0.5)
        w, h = last_column - x + 1, last_row - y + 1
    x, y = max(x, 1), max(y, 1)
    return x, y, min(w, width - x + 1), min(h, height - y + 1)
