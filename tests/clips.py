"""Little videos and folders of images that tests of the upper rooms share, rendered from the demo's clip."""

from __future__ import annotations

from pathlib import Path

from siamfc.data import RenderedClip, render_clip
from siamfc.opencv import cv2
from siamfc.video import VideoWriter
from siamfc.video.pyav import av

SIZE = (180, 240)  # (height, width)


def short_clip(num_frames: int = 8, seed: int = 0) -> RenderedClip:
    return render_clip(seed, num_frames=num_frames, frame_size=SIZE)


def write_video(path: Path, clip: RenderedClip, *, frame_rate: float = 25) -> Path:
    with VideoWriter(path, frame_rate=frame_rate) as writer:
        for image in clip:
            writer.write(image)
    return path


def write_lossless(path: Path, clip: RenderedClip) -> Path:
    """A Matroska file, which does not say how many frames it holds."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = clip.frame_size[1], clip.frame_size[0], "bgr0"
        for image in clip:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())
    return path


def write_images(folder: Path, clip: RenderedClip) -> Path:
    folder.mkdir(parents=True)
    for number, image in enumerate(clip, start=1):
        _, data = cv2.imencode(".png", image[..., ::-1])
        (folder / f"{number}.png").write_bytes(data.tobytes())
    return folder


def box_text(clip: RenderedClip) -> str:
    """The first box as ``--box`` takes it."""
    return ",".join(f"{value:.2f}" for value in clip.boxes[0])
