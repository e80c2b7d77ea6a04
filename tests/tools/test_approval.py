"""What a grant covers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from chatglass.chat.ports import PendingCall
from chatglass.tools.approval import SessionGrants, describe_grant
from chatglass.tools.tool import Assessment, ToolSpec

if TYPE_CHECKING:
    from tests.tools.conftest import Bench


def pending(bench: Bench, name: str, root: str = "", **arguments: Any) -> PendingCall:
    tool = bench.manager.get(name)
    valid = tool.validate(arguments)
    return PendingCall(
        session_id="s", turn_id="t", tool_call_id="c", spec=tool.spec, arguments=valid,
        assessment=tool.assess(valid, bench.root), root=root or str(bench.root),
    )  # fmt: skip


def test_a_command_is_granted_word_for_word(bench: Bench):
    grants = SessionGrants(str(bench.root))
    call = pending(bench, "run_command", command="git status")
    assert not grants.covers(call)
    grants.grant(call)
    assert grants.covers(call)
    assert grants.covers(pending(bench, "run_command", command="git status", timeout_s=5))
    assert not grants.covers(pending(bench, "run_command", command="git status -s"))
    assert not grants.covers(pending(bench, "run_command", command="git  status"))
    assert not grants.covers(pending(bench, "run_command", root="/", command="git status"))
    assert describe_grant(call) == f"this command, word for word, in {bench.root}: git status"


def test_a_file_is_granted_with_its_content_and_target(bench: Bench):
    grants = SessionGrants(str(bench.root))
    call = pending(bench, "write_file", path="a", content="x")
    grants.grant(call)
    assert grants.covers(pending(bench, "write_file", path="a", content="x"))
    assert not grants.covers(pending(bench, "write_file", path="a", content="y"))
    assert not grants.covers(pending(bench, "read_file", path="a"))
    assert describe_grant(call).endswith(f"exactly this content to {bench.root / 'a'}")
    (bench.root / "a").symlink_to("b")
    assert not grants.covers(pending(bench, "write_file", path="a", content="x"))


def test_a_page_is_granted_by_origin(bench: Bench):
    def fetch(url: str, always: bool = False, server: str = "") -> PendingCall:
        return PendingCall(
            session_id="s", turn_id="t", tool_call_id="c", arguments={"url": url}, root="/w",
            spec=ToolSpec(name="fetch_url", description="", parameters={}, server=server),
            assessment=Assessment(verdict="ask", why="", rule="r", always_ask=always),
        )  # fmt: skip

    grants = SessionGrants("/w")
    grants.grant(fetch("https://Example.org/a"))
    assert grants.covers(fetch("https://example.org:443/b?c=d"))
    for other in ("http://example.org/a", "https://example.org:8443/", "https://www.example.org/",
                  "https://example.org.evil.net/"):  # fmt: skip
        assert not grants.covers(fetch(other))
    # Found at a private address now: that always asks. A server's tool of that name is another.
    assert not grants.covers(fetch("https://example.org/a", always=True))
    assert not grants.covers(fetch("https://example.org/a", server="other"))
    assert describe_grant(fetch("https://example.org/a")) == "fetch_url from https://example.org"


def test_what_always_asks_is_not_granted(bench: Bench):
    call = pending(bench, "write_file", path=".git/config", content="x")
    with pytest.raises(ValueError, match="always asks"):
        SessionGrants(str(bench.root)).grant(call)
    assert describe_grant(call).startswith("nothing: ")


def test_another_root_ends_all_grants(bench: Bench):
    grants = SessionGrants(str(bench.root))
    call = pending(bench, "run_command", command="ls")
    grants.grant(call)
    grants.moved_to(f"{bench.root}/.")
    assert len(grants) == 1
    grants.moved_to(str(bench.home))
    assert not grants.covers(call)
    grants.moved_to(str(bench.root))
    assert not grants.covers(call)
