"""The Markdown documents of answers; what makes them is imported with the first."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chatglass.tui.markdown.document import MarkdownDocument


class MarkdownDocuments:
    """`Documents` that keeps eleven modules out of the way of the first frame."""

    def __call__(self, text: str = "", *, complete: bool = True) -> MarkdownDocument:
        from chatglass.tui.markdown.document import MarkdownDocument

        return MarkdownDocument(text, complete=complete)

    def estimate_height(self, text: str, width: int) -> int:
        from chatglass.tui.markdown.document import MarkdownDocument

        return MarkdownDocument.estimate_height(text, width)
