"""The objects in an annotation file of PASCAL VOC's XML form, which ImageNet took over."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from siamfc.errors import BoxError, SourceError

_CORNERS = ("xmin", "ymin", "xmax", "ymax")


class XmlObject(NamedTuple):
    """An ``<object>``: its class, the first and last pixel inside its box as the file counts them, and its marks.

    ``marks`` are the texts of its other children: ``occluded``, ``truncated``, ``difficult``, ``trackid``, ...
    """

    kind: str
    left: float
    top: float
    right: float
    bottom: float
    marks: dict[str, str]


class XmlImage(NamedTuple):
    """An annotation file: the image's name as it stands there, and its objects in order."""

    file_name: str
    objects: list[XmlObject]


def read_xml(path: Path) -> XmlImage:
    """The objects of a file.

    Raises:
        SourceError: The file cannot be opened or is not XML.
        BoxError: An object lacks a corner of its box, or one is not a number.
    """
    try:
        root = ElementTree.parse(path).getroot()  # noqa: S314 - expat 2.4.1 and later refuse entities that multiply
    except OSError as error:
        raise SourceError(f"cannot read {path}: {error.strerror or error}") from error
    except ElementTree.ParseError as error:
        raise SourceError(f"{path} is not XML: {error}") from error
    objects = [_read_object(path, place, node) for place, node in enumerate(root.findall("object"), start=1)]
    return XmlImage((root.findtext("filename") or "").strip(), objects)


def _read_object(path: Path, place: int, node: ElementTree.Element) -> XmlObject:
    texts = [node.findtext(f"bndbox/{corner}") for corner in _CORNERS]
    try:
        left, top, right, bottom = (float(text or "") for text in texts)
    except ValueError:
        raise BoxError(
            f"{path}, object {place}: expected the numbers {', '.join(_CORNERS)} in its bndbox, came {texts}"
        ) from None
    marks = {child.tag: (child.text or "").strip() for child in node if len(child) == 0}
    return XmlObject(marks.pop("name", ""), left, top, right, bottom, marks)
