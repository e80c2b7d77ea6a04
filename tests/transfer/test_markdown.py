"""The Markdown export: what is within a text ends with it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from chatglass.store.records import ToolResult, WholeSession
from chatglass.transfer import markdown
from chatglass.transfer.words import size
from store.builders import answer, finished, message, request, session, tool_call

PIECES = st.lists(
    st.sampled_from(["`", "``", "```", "````", "~~~", "~~~~~", "\n", "    ", "  ", "text", "# x", "> ", "- "]),
    max_size=25,
).map("".join)  # fmt: skip


def blocks(text: str) -> list[tuple[str, str]]:
    return [(token.type, token.content) for token in MarkdownIt("commonmark").parse(text)]


@given(text=PIECES)
def test_a_fence_is_longer_than_any_within(text: str) -> None:
    assert blocks(markdown.fenced(text)) == [("fence", f"{text}\n")]


@given(text=PIECES.filter(lambda text: ">" not in text and "-" not in text))
def test_a_code_block_that_an_answer_leaves_open_ends_with_it(text: str) -> None:
    document = f"{markdown.closed(text).rstrip()}\n\n## the next message\n"
    assert blocks(document)[-2][1] == "the next message"


def document(whole: WholeSession) -> str:
    return "".join(markdown.text(whole))


def test_a_session_reads_well() -> None:
    first = message("s1", content="Why?")
    second = answer("s1", first.id, content="Since …", model="m-1", reasoning="Let me\nsee")
    other = answer("s1", first.id, content="other")
    sent = request("s1", message_id=second.id)
    call = tool_call(
        "s1", message_id=second.id, state="ok", started_at=1_000, finished_at=1_020,
        result_bytes=3_100, decided_by="user", name="read_*file*",
    )  # fmt: skip
    text = document(
        WholeSession(
            session=session(id="s1", title="# A *title*", leaf_id=second.id),
            messages=(first, other, second),
            requests=(type(sent)(**{**_fields(sent), **finished(sent)}),),
            tool_calls=(call,),
            results={call.id: ToolResult("\n".join(map(str, range(100))), "")},
        )
    )
    assert text.startswith("# \\# A \\*title\\*\n")
    assert "\n## You · " in text
    assert "\n## Assistant · m-1 · " in text
    assert "> Let me\n> see\n" in text
    assert "**✓ `read_*file*`** ok · 0.02 s · 3.1 kB · decided by user\n" in text
    assert "\n18\n19\n… 240 more characters\n```" in text
    assert "*90 tokens in, 10 out · $0.0041*" in text
    assert "1 other branch with 1 message left out of this file" in text
    assert "other\n" not in text.replace("1 other branches", "")


def _fields(row: object) -> dict[str, object]:
    return {name: getattr(row, name) for name in row.__slots__}  # type: ignore[attr-defined]


def test_figures() -> None:
    assert [size(count) for count in (0, 999, 1_000, 999_960, 10**13)] == [
        "0 B", "999 B", "1.0 kB", "1.0 MB", "10000.0 GB",
    ]  # fmt: skip
