"""HTML from nested calls, in which every text is escaped unless it is HTML already."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

_VOID = {"circle", "img", "line", "meta", "polyline", "rect"}


class Markup(str):
    """Text that is HTML; plain ``str`` is text that is not."""

    __slots__ = ()


def el(tag: str, *children: str | Iterable[str], **attributes: str | float | None) -> Markup:
    """An element.

    Args:
        tag: Its name.
        children: Texts, which are escaped, elements, which are not, or lists of both.
        attributes: By name, ``class_`` for class and ``stroke_width`` for stroke-width; None leaves one out.

    Example:
        >>> el("p", "a < b ", el("b", "c"), class_="note")
        '<p class="note">a &lt; b <b>c</b></p>'
    """
    inner = join(*children)
    words = [
        f'{name.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for name, value in attributes.items()
        if value is not None
    ]
    head = " ".join([tag, *words])
    # Shapes of SVG need the slash, and HTML allows it.
    return Markup(f"<{head}/>" if tag in _VOID else f"<{head}>{inner}</{tag}>")


def join(*children: str | Iterable[str], by: str = "") -> Markup:
    """Texts and elements one after the other, texts escaped."""
    parts: list[str] = []
    for child in children:
        parts.extend([child] if isinstance(child, str) else child)
    return Markup(escape(by).join(part if isinstance(part, Markup) else escape(part) for part in parts))
