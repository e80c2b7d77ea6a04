"""The readable text of an HTML page: headings, paragraphs, lists and links, no scripts."""

from __future__ import annotations

import re
import threading
from html.parser import HTMLParser
from urllib.parse import urljoin

from chatglass.tools.threads import check

_SILENT = frozenset(
    ["script", "style", "noscript", "template", "svg", "head", "iframe", "object", "canvas"]
)
_BREAKS = frozenset(
    [
        "p",
        "div",
        "section",
        "article",
        "header",
        "footer",
        "main",
        "nav",
        "aside",
        "ul",
        "ol",
        "table",
        "tr",
        "br",
        "hr",
        "pre",
        "blockquote",
        "form",
        "figure",
        "figcaption",
        "dl",
        "dt",
        "dd",
        "details",
        "summary",
    ]
)
_HEADINGS = {f"h{level}": "#" * level for level in range(1, 7)}
_LARGEST = 2_000_000
"""Characters of HTML: the parser is Python, and takes about a second for them."""
_PIECE = 64 * 1024


def html_text(page: str, base: str, stop: threading.Event) -> tuple[str, str]:
    """(title, text) of `page`, links resolved against `base`. Raises Stopped."""
    reader = _Reader(base)
    for start in range(0, min(len(page), _LARGEST), _PIECE):
        check(stop)
        reader.feed(page[start : min(start + _PIECE, _LARGEST)])
    reader.close()
    return reader.result()


class _Reader(HTMLParser):
    def __init__(self, base: str) -> None:
        super().__init__(convert_charrefs=True)
        self._base = base
        self._parts: list[str] = []
        self._title: list[str] = []
        self._silent: list[str] = []
        self._in_title = False
        self._verbatim = 0
        self._links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "title":
            self._in_title = True
        elif tag in _SILENT:
            self._silent.append(tag)
        elif tag == "body":
            # A page may leave <head> open.
            self._silent.clear()
        elif tag in _HEADINGS:
            self._parts.append(f"\n\n{_HEADINGS[tag]} ")
        elif tag == "li":
            self._parts.append("\n- ")
        elif tag in ("td", "th"):
            self._parts.append(" | ")
        elif tag in _BREAKS:
            self._parts.append("\n")
            self._verbatim += tag == "pre"
        elif tag == "a":
            self._links.append(next((value or "" for name, value in attrs if name == "href"), ""))
        elif tag == "img":
            alternative = next((value for name, value in attrs if name == "alt" and value), "")
            self._parts.append(f"[image: {alternative}]" if alternative else "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "title":
            self._in_title = False
        elif self._silent and tag in self._silent:
            while self._silent.pop() != tag:
                continue
        elif tag in _BREAKS or tag in _HEADINGS:
            self._parts.append("\n")
            self._verbatim = max(0, self._verbatim - (tag == "pre"))
        elif tag == "a" and self._links:
            link = self._links.pop()
            if link and not link.startswith(("#", "javascript:", "data:")):
                self._parts.append(f" ({self._resolved(link)})")

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self._title.append(data)
        elif not self._silent:
            self._parts.append(data if self._verbatim else re.sub(r"\s+", " ", data))

    def result(self) -> tuple[str, str]:
        text = "".join(self._parts)
        text = re.sub(r"[ \t]+\n", "\n", text)
        text = re.sub(r"\n[ \t]*\n\s*\n", "\n\n", text)
        return " ".join("".join(self._title).split()), text.strip()

    def _resolved(self, link: str) -> str:
        try:
            return urljoin(self._base, link)
        except ValueError:
            return link
