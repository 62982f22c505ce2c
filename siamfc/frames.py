"""One conversion: whatever a user calls a frame becomes ``uint8`` RGB (H, W, 3)."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from siamfc.errors import FrameError

Image = NDArray[np.uint8]
ColorOrder = Literal["rgb", "bgr"]


def as_rgb_frame(frame: NDArray[Any], color_order: ColorOrder = "rgb") -> Image:
    """A frame as ``uint8`` RGB, contiguous.

    Args:
        frame: (H, W), (H, W, 1), (H, W, 3) or (H, W, 4); ``uint8``, or ``uint16`` with white at 65535. Grey is
            repeated over the three colours, a fourth channel (alpha) is dropped.
        color_order: ``"bgr"`` for frames as OpenCV gives them.

    Returns:
        (H, W, 3); the very array given where nothing had to change.

    Raises:
        FrameError: Another shape or type, or a side of zero.

    Example:
        >>> as_rgb_frame(np.full((2, 2), 65535, np.uint16))[0, 0].tolist()
        [255, 255, 255]
    """
    checked_color_order(color_order)
    if not isinstance(frame, np.ndarray):
        raise FrameError(f"a frame is a NumPy array (H, W, 3) of uint8, not {type(frame).__name__}{_advice(frame)}")
    if frame.dtype == np.uint16:
        frame = (frame >> 8).astype(np.uint8)
    if frame.dtype != np.uint8:
        hint = ": where white is 1, give (255 * frame).astype('uint8')" if frame.dtype.kind == "f" else ""
        raise FrameError(f"a frame holds uint8, or uint16 with white at 65535, not {frame.dtype}{hint}")
    if frame.ndim == 2:
        frame = frame[..., None]
    if frame.ndim != 3 or frame.shape[2] not in (1, 3, 4) or 0 in frame.shape:
        first = frame.ndim == 3 and frame.shape[0] in (1, 3, 4)
        hint = ": colours come last, frame.transpose(1, 2, 0)" if first else ""
        raise FrameError(f"a frame has the shape (H, W), (H, W, 1), (H, W, 3) or (H, W, 4), not {frame.shape}{hint}")
    if frame.shape[2] == 1:
        frame = np.repeat(frame, 3, axis=2)
    frame = np.ascontiguousarray(frame[..., :3])
    if color_order == "rgb":
        return frame
    return as_bgr(frame)  # the same swap, either way


def checked_color_order(color_order: ColorOrder) -> ColorOrder:
    """The order given; raises FrameError where it is none."""
    if color_order not in ("rgb", "bgr"):
        raise FrameError(f'color_order is "rgb" or "bgr", not {color_order!r}')
    return color_order


def _advice(frame: object) -> str:
    """What to give in the place of something that is no array."""
    if isinstance(frame, str | Path):
        return ": siamfc.video.read_image reads a file"
    if hasattr(frame, "image"):
        return ": give its .image"
    if type(frame).__module__.partition(".")[0] == "torch":
        return ": a tensor (3, H, W) of 0..255 becomes one by .permute(1, 2, 0).byte().cpu().numpy()"
    return ""


def as_bgr(frame: Image) -> Image:
    """A ``uint8`` RGB frame (H, W, 3) in OpenCV's order of colours, a copy.

    Example:
        >>> as_bgr(np.array([[[1, 2, 3]]], np.uint8))[0, 0].tolist()
        [3, 2, 1]
    """
    from siamfc.opencv import cv2  # up to thirty times as fast as NumPy here

    return np.asarray(cv2.cvtColor(np.ascontiguousarray(frame), cv2.COLOR_RGB2BGR), dtype=np.uint8)
