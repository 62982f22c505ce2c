"""A tracker as a TraX server: how the VOT toolkit, and whatever else speaks TraX, runs it in a process of its own.

This speaks the protocol itself, though the PyPI package vot-trax (4.0.2) has a server: that one takes every letter
outside of ASCII in an image's path for the end of the stream and goes on with uninitialised memory, it has wheels for
two platforms, and the part needed here is five kinds of line. The tests talk to it with that package's client.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from io import FileIO
from time import monotonic, sleep
from typing import NamedTuple, Protocol

from siamfc.boxes import Box
from siamfc.errors import EnvironmentProblem, SiamfcError, SourceError
from siamfc.evaluation.trax_messages import (
    Message,
    format_message,
    format_region,
    parse_image,
    parse_message,
    parse_region,
)
from siamfc.frames import Image

_CONNECT_SECONDS = 10.0
_NOT_FOR_PEOPLE = (
    "no TraX client speaks here: it is the VOT toolkit that starts 'siamfc vot', by the command in its trackers.ini; "
    "'siamfc vot --help' shows the entry"
)


class Scored(Protocol):
    """Where a target is, and how sure that is; `siamfc.TrackResult` is one."""

    @property
    def box(self) -> Box:
        """In frame pixels."""

    @property
    def score(self) -> float:
        """Higher is surer."""


class ScoringTracker(Protocol):
    """What a session asks of a tracker; `siamfc.Tracker` is one."""

    def init(self, frame: Image, box: Box) -> Scored:
        """Take the target from a frame (H, W, 3) uint8 RGB."""

    def update(self, frame: Image) -> Scored:
        """Find it in the next."""


class Channel(NamedTuple):
    """A conversation: the client's lines as they come, and how to send one back at once."""

    requests: Iterable[bytes]
    send: Callable[[bytes], object]


def serve(tracker: ScoringTracker, channel: Channel, *, name: str, description: str) -> None:
    """Answer a client until it says ``quit``.

    Every answer is a rectangle, with the score as the property ``confidence``, which the toolkit's long-term measures
    read. An ``initialize`` may come at any time. What goes wrong is told to the client before it is raised.

    Args:
        tracker: Anything with ``init`` and ``update``.
        channel: From `open_channel`.
        name: What the tracker is called.
        description: One line more.

    Raises:
        SourceError: The client left without ``quit`` or said something out of place, or an image cannot be read.
        BoxError: A region that is none, or lies outside the frame.
    """
    started = False
    try:
        _send(channel, _hello(name, description))
        for line in channel.requests:
            # Paths are bytes: surrogates carry those that are no UTF-8 through to the file system.
            request = parse_message(line.decode("utf-8", "surrogateescape"))
            if request is None:
                continue
            if request.kind == "quit":
                return
            found = _obey(tracker, request, started)
            started = True
            _send(channel, Message("state", (format_region(found.box),), {"confidence": f"{found.score:.6g}"}))
    except SiamfcError as error:
        with suppress(OSError):
            _send(channel, Message("quit", properties={"trax.reason": str(error)}))
        raise
    except OSError as error:
        raise SourceError(f"the connection to the TraX client broke: {error.strerror or error}") from None
    raise SourceError("the TraX client left without saying quit" if started else _NOT_FOR_PEOPLE)


@contextmanager
def open_channel() -> Iterator[Channel]:
    """The way to the client that started this program: its TCP port where ``TRAX_SOCKET`` is set, else the pipes.

    Meanwhile what anything else writes to standard output goes to standard error, so that it cannot break a message.

    Raises:
        EnvironmentProblem: There is no client: standard input is a terminal.
        SourceError: Nobody listens at the port.
    """
    port = os.environ.get("TRAX_SOCKET")
    with ExitStack() as stack:
        if port:
            connection = stack.enter_context(_connect(port))
            yield Channel(stack.enter_context(connection.makefile("rb")), connection.sendall)
        elif sys.stdin is None or sys.stdin.isatty():
            raise EnvironmentProblem(_NOT_FOR_PEOPLE)
        else:
            yield Channel(sys.stdin.buffer, stack.enter_context(_standard_output()).write)


def _hello(name: str, description: str) -> Message:
    # Version 3 is what the documentation describes; 4 adds several targets at once. Any client can send a path,
    # and every client turns the masks of VOT 2020 and later into a region named here.
    return Message(
        "hello",
        properties={
            "trax.version": "3",
            "trax.name": name,
            "trax.description": description,
            "trax.family": "SiamFC",
            "trax.image": "path;",
            "trax.region": "rectangle;polygon;",
            "trax.channels": "color;",
        },
    )


def _obey(tracker: ScoringTracker, request: Message, started: bool) -> Scored:
    from siamfc.video import read_image

    kind, arguments = request.kind, request.arguments
    if kind == "initialize" and len(arguments) == 2:
        return tracker.init(read_image(parse_image(arguments[0])), parse_region(arguments[1]))
    if kind == "frame" and len(arguments) == 1 and started:
        return tracker.update(read_image(parse_image(arguments[0])))
    raise SourceError(
        "a TraX client sends initialize with an image and a region, then frame with an image, then quit; "
        f"out of place came {kind} with {len(arguments)} arguments"
    )


def _send(channel: Channel, message: Message) -> None:
    channel.send(format_message(message).encode("ascii"))


def _connect(port: str) -> socket.socket:
    """A connection to the port on this machine; a client may start us a moment before it listens."""
    if not port.isdecimal() or int(port) > 65535:
        raise SourceError(f"TRAX_SOCKET is the number of a port, not {port!r}")
    deadline = monotonic() + _CONNECT_SECONDS
    while monotonic() < deadline:
        connection = socket.socket()
        problem = connection.connect_ex(("127.0.0.1", int(port)))
        if problem == 0:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connection
        connection.close()
        sleep(0.1)
    raise SourceError(f"nobody listens at port {port} (TRAX_SOCKET): {os.strerror(problem)}")


@contextmanager
def _standard_output() -> Iterator[FileIO]:
    sys.stdout.flush()
    with os.fdopen(os.dup(1), "wb", buffering=0) as replies:
        os.dup2(2, 1)
        try:
            yield replies
        finally:
            sys.stdout.flush()
            os.dup2(replies.fileno(), 1)
