"""The HTML export runs nothing, loads nothing, and shows all there is."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatglass.store.records import Parameters, ToolResult, WholeSession
from chatglass.store.sqlite import SqliteStore
from chatglass.transfer import html
from store.builders import answer, message, request, session, tool_call
from transfer.generated import whole_sessions
from transfer.imported import exported

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</pre></section></body><iframe src=//evil>",
    "[x](javascript:alert(1)) [y](JaVaScRiPt:alert(1)) [z](data:text/html,<script>1</script>)",
    "[x](<java\nscript:alert(1)>) [y](vbscript:x) [z](file:///etc/passwd) [r](//evil/x) [r](page)",
    "![pixel](https://evil.example/pixel.png) ![p](data:image/svg+xml;base64,PHN2Zy8+)",
    "<https://ok.example/?a=1&b=2> <javascript:alert(1)> <mailto:a@b.example>",
    '[q](https://ok.example/" onclick="alert(1) "t\\" onmouseover=alert(1)")',
    "[a]: javascript:alert(1)\n[a]\n\n<style>@import url(//evil)</style>",
    "\x1b[31mred\x1b[0m \0 \u202egnp.exe",
    "| a | b |\n|---|---|\n| <b onclick=x> | `<script>` |",
    "```html onload=x\n<script>alert(1)</script>\n```",
    "&lt;script&gt; &#60;script&#62; <!-- c --> <![CDATA[x]]> <?php ?>",
)
TAGS = frozenset(
    [
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "article",
        "section",
        "nav",
        "ol",
        "ul",
        "li",
        "a",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "dl",
        "dt",
        "dd",
        "pre",
        "code",
        "div",
        "p",
        "span",
        "b",
        "em",
        "strong",
        "s",
        "details",
        "summary",
        "footer",
        "blockquote",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "hr",
        "br",
        "img",
    ]
)
ATTRIBUTES = frozenset(
    {"href", "rel", "id", "class", "lang", "start", "alt", "src", "style", "open"}
)
EMPTY = frozenset({"meta", "img", "br", "hr"})


@dataclass
class Page(HTMLParser):
    """What a browser would see of a page; asserts that none of it runs or loads anything."""

    text: str = ""
    ids: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS, tag
        given = dict(attrs)
        if tag == "meta":
            assert set(given) <= {"charset", "name", "content", "http-equiv"}
            assert given.get("http-equiv") in (None, "Content-Security-Policy")
            return
        assert set(given) <= ATTRIBUTES, given
        assert given.get("style") in (
            None,
            "text-align:left",
            "text-align:right",
            "text-align:center",
        )
        if tag == "a" and given.get("href") is not None:
            self.links.append(given["href"] or "")
        if tag == "img":
            self.images.append(given["src"] or "")
        else:
            assert "src" not in given
        if given.get("id"):
            assert given["id"] not in self.ids
            self.ids.add(given["id"] or "")
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in EMPTY:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" in self.open:
            assert "url(" not in data
            assert "@import" not in data
        elif "title" not in self.open:
            self.text += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def handle_pi(self, data: str) -> None:
        raise AssertionError(f"an instruction: {data}")

    def unknown_decl(self, data: str) -> None:
        raise AssertionError(f"a declaration: {data}")


def page_of(text: str) -> Page:
    page = Page()
    page.feed(text)
    page.close()
    assert not page.open
    for link in page.links:
        if link.startswith("#"):
            assert link[1:] in page.ids, link
        else:
            assert link.lower().startswith(("http://", "https://", "mailto:")), link
    for image in page.images:
        assert image.startswith(("data:image/png;base64,", "data:image/jpeg;base64,"))
    assert not set(map(ord, text)) & {*range(9), *range(0xB, 0x20), 0x7F, 0x202E}
    return page


def whole_page(whole: WholeSession) -> str:
    return html.head(whole.session.title) + "".join(html.session(whole)) + html.tail()


def with_text(text: str) -> WholeSession:
    """A session that has `text` wherever text can be."""
    row = session(
        title=text, root=text, endpoint=text, model=text, tags=(text,), id="s1",
        parameters=Parameters(system_prompt=text),
    )  # fmt: skip
    parts: list[dict[str, Any]] = [
        {"type": "text", "text": text},
        {"type": "image_url", "image_url": {"url": text}},
        {"type": "file", "file": {"filename": text}},
        {"type": text},
    ]
    first = message("s1", content=json.dumps(parts), content_is_json=True)
    second = answer("s1", first.id, content=text, reasoning=text, model=text, error=text)
    other = answer("s1", first.id, content=text)
    call = tool_call(
        "s1", message_id=second.id, name=text, arguments=text, edited_arguments=text,
        decided_by=text, reason=text, error=text, state="error",
    )  # fmt: skip
    return WholeSession(
        session=row,
        messages=(first, other, second),
        requests=(request("s1", message_id=second.id, model=text),),
        tool_calls=(call,),
        results={call.id: ToolResult(text, text + "!")},
    )


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_only_text(text: str) -> None:
    whole = with_text(text)
    page = page_of(whole_page(whole))
    assert not any("evil" in link and "pixel" not in link for link in page.links)
    # It is all there to be read, as prompt and as result.
    first_line = text.split("\n")[0]
    if first_line.isprintable():
        assert page.text.count(first_line) >= 3


@given(text=st.text(max_size=80) | st.sampled_from(HOSTILE), more=st.sampled_from(HOSTILE))
def test_no_text_breaks_out(text: str, more: str) -> None:
    page_of(whole_page(with_text(f"{text}{more}")))
    page_of(whole_page(with_text(f"{more}\n\n{text}")))


@given(whole=whole_sessions())
def test_every_message_is_on_the_page_once(whole: WholeSession) -> None:
    page = page_of(whole_page(whole))
    assert {f"m-{row.id}" for row in whole.messages} <= page.ids


def test_branches_can_be_reached() -> None:
    first = message("s1")
    left, right = answer("s1", first.id, content="left"), answer("s1", first.id, content="right")
    on_left = message("s1", left.id, content="deeper")
    whole = WholeSession(
        session=session(id="s1", leaf_id=right.id), messages=(first, left, right, on_left)
    )
    page = page_of(whole_page(whole))
    assert f"#m-{left.id}" in page.links
    assert f"#m-{first.id}" in page.links
    assert page.text.index("right") < page.text.index("Branch 1 of 2") < page.text.index("deeper")


def test_markdown_is_rendered() -> None:
    text = html.markdown("**bold** `code`\n\n- a\n\n| x |\n|---|\n| 1 |\n\n[l](https://x.example/)")
    assert "<strong>bold</strong>" in text
    assert "<li>a</li>" in text
    assert "<td>1</td>" in text
    assert '<a href="https://x.example/" rel="noopener noreferrer">l</a>' in text


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("data:image/png;base64,iVBORw0KGgo=", True),
        ("data:image/png;base64,iVBO\nRw0K", True),
        ("data:image/svg+xml;base64,PHN2Zy8+", False),
        ("data:text/html;base64,PHN2Zy8+", False),
        ("https://evil.example/x.png", False),
        ("data:image/png;base64,%%%", False),
        ("data:image/png;base64,abc", False),
    ],
)
def test_only_a_picture_within_the_prompt_is_shown(url: str, shown: bool) -> None:
    parts = [{"type": "image_url", "image_url": {"url": url}}]
    first = message("s1", content=json.dumps(parts), content_is_json=True)
    whole = WholeSession(session=session(id="s1", leaf_id=first.id), messages=(first,))
    assert bool(page_of(whole_page(whole)).images) == shown


async def test_several_sessions_are_one_page_with_a_list(store: SqliteStore) -> None:
    for title in ("First <b>", "Second"):
        row = session(title=title, draft="d")
        await store.create_session(row)
    page = page_of(await exported(store, "html"))
    assert len([link for link in page.links if link.startswith("#s-")]) == 2
    assert page.text.count("First <b>") == 2
