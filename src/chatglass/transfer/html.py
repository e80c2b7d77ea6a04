"""Sessions as one HTML file that loads nothing and runs nothing.

All text is escaped; Markdown of answers is rendered without raw HTML, its links go to http(s) and
mailto alone, its images are links. A Content-Security-Policy in the file forbids the rest again.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from chatglass.chat.compaction.versions import holding, place_of_fold
from chatglass.store.records import (
    CompactionRow,
    MessageRow,
    RequestRow,
    ToolCallRow,
    ToolResult,
    WholeSession,
)
from chatglass.transfer import words
from chatglass.transfer.content import Attached, content_of
from chatglass.transfer.html_style import STYLE
from chatglass.transfer.shown import Branch, Tree
from chatglass.values.text import one_line, visible

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_LINK = re.compile(r"(?:https?://|mailto:)", re.IGNORECASE)
_IMAGE = re.compile(r"data:(image/(?:png|jpeg|gif|webp));base64,([A-Za-z0-9+/=\s]+)")


def head(title: str) -> str:
    """The beginning of the file."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escaped(one_line(title, 200))}</title>\n<style>{STYLE}</style>\n"
        "</head>\n<body>\n"
    )


def contents(titles: Sequence[tuple[str, str]]) -> str:
    """Links to the sessions of the file, given as (id, title)."""
    links = "".join(
        f'<li><a href="#s-{escaped(id_)}">{escaped(one_line(title, 200))}</a></li>\n'
        for id_, title in titles
    )
    return f"<nav><ol>\n{links}</ol></nav>\n"


def tail() -> str:
    return "</body>\n</html>\n"


def escaped(text: str) -> str:
    """`text` for HTML, in elements and attributes, its control characters shown."""
    return html.escape(visible(text))


def session(whole: WholeSession) -> Iterator[str]:
    """One session in pieces."""
    yield from _Session(whole).parts()


def _folds(whole: WholeSession, shown: Sequence[MessageRow]) -> dict[str, CompactionRow]:
    """The compactions of the shown path, by the message before which they stand."""
    places = {row.id: place for place, row in enumerate(shown)}
    found: dict[str, CompactionRow] = {}
    for row in holding(whole.compactions, places.__contains__):
        found.setdefault(place_of_fold(row, shown, places.get), row)
    return found


class _Session:
    def __init__(self, whole: WholeSession) -> None:
        self._whole = whole
        self._tree = Tree(whole.messages)
        self._shown = self._tree.path(whole.session.leaf_id)
        self._results: Mapping[str, ToolResult] = whole.results
        self._calls: dict[str, list[ToolCallRow]] = defaultdict(list)
        for call in whole.tool_calls:
            self._calls[call.message_id].append(call)
        self._requests: dict[str, list[RequestRow]] = defaultdict(list)
        for request in whole.requests:
            self._requests[request.message_id or ""].append(request)
        self._folds = _folds(whole, self._shown)

    def parts(self) -> Iterator[str]:
        row = self._whole.session
        yield f'<article id="s-{escaped(row.id)}">\n'
        yield f"<h1>{escaped(one_line(words.title_of(row), 300))}</h1>\n<dl>\n"
        for name, value in words.session_facts(row):
            yield f"<dt>{name}</dt><dd>{escaped(value)}</dd>\n"
        yield "</dl>\n"
        if row.parameters.system_prompt:
            yield _details("System prompt", _pre(row.parameters.system_prompt))
        for message in self._shown:
            yield from self._message(message)
        for branch in self._tree.branches(self._shown):
            yield from self._branch(branch)
        yield "</article>\n"

    def _branch(self, branch: Branch) -> Iterator[str]:
        first = branch.messages[0]
        origin = f' href="#m-{escaped(first.parent_id)}"' if first.parent_id else ""
        where = f"<a{origin}>after this message</a>" if origin else "from the start"
        yield f'<section class="branch"><h2>Branch {branch.place} of {branch.of}, {where}</h2>\n'
        for message in branch.messages:
            yield from self._message(message)
        yield "</section>\n"

    def _message(self, row: MessageRow) -> Iterator[str]:
        if row.role == "tool":
            # Its call shows it. The anchor stays, for a branch that begins below it.
            yield f'<span id="m-{escaped(row.id)}"></span>\n'
            return
        if (fold := self._folds.get(row.id)) is not None:
            sizes = f": {fold.tokens_before:,} → {fold.tokens_after:,} tokens"
            what = "Compacted" + (sizes if fold.tokens_after else "")
            yield _details(what, _pre(fold.summary or "(left out)"))
        yield f'<section id="m-{escaped(row.id)}" class="{row.role}">\n'
        yield f"<h2>{escaped(words.heading(row))}{self._siblings(row)}</h2>\n"
        content = content_of(row)
        if row.reasoning:
            yield _details("Thought", _pre(row.reasoning))
        if content.text and row.role == "assistant":
            yield f'<div class="text">{markdown(content.text)}</div>\n'
        elif content.text:
            yield f"{_pre(content.text)}\n"
        for each in content.attached:
            yield _attachment(each)
        if row.error:
            yield f'<p class="error">Error: {escaped(row.error)}</p>\n'
        for call in self._calls[row.id]:
            yield self._call(call)
        if facts := words.request_facts(self._requests[row.id]):
            yield f"<footer>{escaped(facts)}</footer>\n"
        yield "</section>\n"

    def _siblings(self, row: MessageRow) -> str:
        siblings = self._tree.siblings(row)
        if len(siblings) < 2:
            return ""
        links = [
            f"<b>{number}</b>"
            if each.id == row.id
            else f'<a href="#m-{escaped(each.id)}">{number}</a>'
            for number, each in enumerate(siblings, start=1)
        ]
        return f' <span class="forks">branches {" ".join(links)}</span>'

    def _call(self, call: ToolCallRow) -> str:
        mark = words.MARKS.get(call.state, "·")
        name = f"{mark} <code>{escaped(one_line(call.name, 200))}</code>"
        inner = [f"<h3>Arguments</h3>{_pre(call.arguments)}"]
        if call.edited_arguments is not None:
            inner.append(f"<h3>Ran with</h3>{_pre(call.edited_arguments)}")
        result = self._results.get(call.id)
        if result is not None:
            inner.append(f"<h3>Result</h3>{_pre(result.produced)}")
            if result.seen != result.produced:
                inner.append(f"<h3>What the model saw</h3>{_pre(result.seen)}")
        if call.error:
            inner.append(f'<p class="error">{escaped(call.error)}</p>')
        return (
            f'<details class="call"><summary>{name} '
            f"{escaped(words.call_facts(call))}</summary>\n{''.join(inner)}</details>\n"
        )


def _pre(text: str) -> str:
    # A line break right behind the tag is dropped; this one saves the text's own.
    return f"<pre>\n{escaped(text)}</pre>"


def _details(summary: str, inner: str) -> str:
    return f"<details><summary>{escaped(summary)}</summary>\n{inner}</details>\n"


def _attachment(each: Attached) -> str:
    """An image that is in the prompt itself is shown, one elsewhere only named."""
    label = escaped(one_line(each.label, 200))
    if (found := _IMAGE.fullmatch(each.url)) is not None:
        kind, data = found.groups()
        try:
            whole = base64.b64decode(data, validate=False)
        except binascii.Error:
            return f"<p>Attached: {label}</p>\n"
        again = base64.b64encode(whole).decode()
        return f'<p><img src="data:{kind};base64,{again}" alt="{label}"></p>\n'
    if _is_safe(each.url):
        return f"<p>Attached: {_anchor(each.url, label)}</p>\n"
    return f"<p>Attached: {label}</p>\n"


def _anchor(url: str, inner: str) -> str:
    return f'<a href="{escaped(url)}" rel="noopener noreferrer">{inner}</a>'


def _is_safe(url: str) -> bool:
    return _LINK.match(url) is not None


class _Renderer(RendererHTML):
    """Images become links: a file that is read must not tell anybody."""

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        token = tokens[idx]
        label = html.escape(self.renderInlineAsText(token.children, options, env)) or "image"
        url = str(token.attrGet("src") or "")
        return _anchor(url, f"[{label}]") if _is_safe(url) else f"[{label}]"


def _make_parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}, renderer_cls=_Renderer)
    parser.enable(["table", "strikethrough"])
    parser.validateLink = _is_safe  # pyright: ignore[reportAttributeAccessIssue]
    parser.add_render_rule("link_open", _link_open)
    return parser


def _link_open(
    self: RendererHTML, tokens: Sequence[Token], idx: int, options: Any, env: Any
) -> str:
    url = str(tokens[idx].attrGet("href") or "")
    if not _is_safe(url):
        return "<a>"
    return f'<a href="{escaped(url)}" rel="noopener noreferrer">'


_parser: list[MarkdownIt] = []


def markdown(text: str) -> str:
    """Markdown as safe HTML."""
    if not _parser:
        _parser.append(_make_parser())
    return _parser[0].render(visible(text))
