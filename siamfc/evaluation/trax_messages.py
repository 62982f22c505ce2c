"""The text of TraX, the protocol of the VOT toolkit: one message a line, behind a prefix that tells it from output.

As ``docs/protocol.rst`` of github.com/votchallenge/trax describes it; where that is silent, as its C library does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import unquote

from siamfc.boxes import Box, as_box
from siamfc.errors import BoxError, SourceError

_PREFIX = "@@TRAX:"
_ARGUMENT = re.compile(r'"([^"\\]*(?:\\.[^"\\]*)*)"|(\S+)')
_PROPERTY = re.compile(r"([A-Za-z0-9._]{1,64})=(.*)", re.DOTALL)
_SCHEME = re.compile(r"([a-z][a-z+.-]+):")  # two letters at least, since one is a drive of Windows


class Message(NamedTuple):
    """One line of the conversation.

    Attributes:
        kind: ``hello``, ``initialize``, ``frame``, ``state`` or ``quit``.
        arguments: What the kind asks for, in order.
        properties: Named values that may follow.
    """

    kind: str
    arguments: tuple[str, ...] = ()
    properties: Mapping[str, str] = MappingProxyType({})


def parse_message(line: str) -> Message | None:
    r"""The message on a line, or None where the line is other output of the program that wrote it.

    Example:
        >>> parse_message('@@TRAX:frame "file:///a \\"b\\".jpg" "time=3" \n')
        Message(kind='frame', arguments=('file:///a "b".jpg',), properties={'time': '3'})
        >>> parse_message("loading weights")
    """
    if not line.startswith(_PREFIX):
        return None
    kind, _, rest = line.removeprefix(_PREFIX).strip().partition(" ")
    arguments, properties = [], {}
    for quoted, bare in _ARGUMENT.findall(rest):
        text = _unescape(quoted or bare)
        found = _PROPERTY.fullmatch(text)
        if found:
            properties[found[1]] = found[2]
        else:
            arguments.append(text)
    return Message(kind.lower(), tuple(arguments), properties)


def format_message(message: Message) -> str:
    r"""A message as one line, its end included, in ASCII: the C library takes any other letter for the stream's end.

    Example:
        >>> format_message(Message("quit", properties={"trax.reason": 'no "a.jpg"'}))
        '@@TRAX:quit "trax.reason=no \\"a.jpg\\""\n'
    """
    named = (f"{key}={value}" for key, value in message.properties.items())
    words = [f'"{_escape(word)}"' for word in (*message.arguments, *named)]
    return " ".join([_PREFIX + message.kind, *words]) + "\n"


def parse_region(text: str) -> Box:
    """The box that a rectangle ``left,top,width,height`` or a polygon ``x1,y1,x2,y2,...`` stands for, frame pixels.

    Raises:
        BoxError: Neither of them, a number that is not finite, or no area.

    Example:
        >>> parse_region("0,0,4,0,4,2,0,2")
        Box(x=0.0, y=0.0, width=4.0, height=2.0)
    """
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        raise BoxError(
            f"a region is a rectangle left,top,width,height or a polygon x1,y1,x2,y2,..., not {text[:80]!r}"
        ) from None
    return as_box(numbers if len(numbers) == 4 else Box.from_polygon(numbers))


def format_region(box: Box) -> str:
    """A box as a rectangle, with the four decimals that the C library writes.

    Example:
        >>> format_region(Box(1, 2.5, 3, 4))
        '1.0000,2.5000,3.0000,4.0000'
    """
    return ",".join(f"{value:.4f}" for value in box)


def parse_image(text: str) -> Path:
    """The file that an image argument names: a path, alone or behind ``file://``.

    The C library puts ``file://`` before the bare path; ``%20`` and the like are read as a URL's where no file has
    them in its name.

    Raises:
        SourceError: Another way to send an image, which `siamfc.evaluation.trax` does not offer.

    Example:
        >>> parse_image("file:///data/ball/00000001.jpg").as_posix()
        '/data/ball/00000001.jpg'
    """
    scheme = _SCHEME.match(text)
    if scheme is None:
        return Path(text)
    if scheme[1] != "file":
        raise SourceError(f"an image comes as a path or as file://..., not as '{text[:40]}'")
    path = Path(text.removeprefix("file:").removeprefix("//"))
    decoded = Path(unquote(str(path)))
    return decoded if decoded.exists() and not path.exists() else path


def _escape(text: str) -> str:
    text = text.encode("ascii", "backslashreplace").decode("ascii")
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _unescape(text: str) -> str:
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] == "n" else found[1], text)
