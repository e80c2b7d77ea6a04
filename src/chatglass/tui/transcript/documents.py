"""The Markdown documents of answers; what makes them is imported with the first."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chatglass.tui.markdown.document import MarkdownDocument


_COLOURS_AT_ONCE = 200
"""Lines of code, which take 20 ms. Those of an answer with more get their colours in slices, as
5,000 of them would hold up keys for half a second, at each width anew."""


class MarkdownDocuments:
    """`Documents` that keeps eleven modules out of the way of the first frame."""

    def __call__(self, text: str = "", *, complete: bool = True) -> MarkdownDocument:
        from chatglass.tui.markdown.document import MarkdownDocument

        return MarkdownDocument(text, complete=complete, colours_at_once=_COLOURS_AT_ONCE)

    def estimate_height(self, text: str, width: int) -> int:
        from chatglass.tui.markdown.document import MarkdownDocument

        return MarkdownDocument.estimate_height(text, width)
