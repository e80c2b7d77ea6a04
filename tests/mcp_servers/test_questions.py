"""Servers' questions that never reach the user."""

from __future__ import annotations

import pytest

from chatglass.tools.mcp.ports import (
    ElicitationAnswer,
    ElicitationQuestion,
    McpPorts,
    SignInQuestion,
)
from chatglass.tools.mcp.questions import answer_question


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "--version", "javascript:alert(1)", "vscode://x", "", "https:"]
)
async def test_only_web_addresses_are_asked_about(url: str) -> None:
    asked: list[str] = []

    async def elicit(question: ElicitationQuestion) -> ElicitationAnswer:
        asked.append(question.url)
        return ElicitationAnswer("accept")

    async def sign_in(question: SignInQuestion) -> bool:
        asked.append(question.url)
        return True

    ports = McpPorts(elicit=elicit, sign_in=sign_in)
    question = {"message": "look", "url": url}
    for kind, refused in (("elicit", {"action": "decline"}), ("sign_in", False)):
        frame = {"server": "own", "kind": kind, "question": question}
        assert await answer_question(ports, frame) == refused
    assert asked == []
    question["url"] = "https://example.org/sign-in"
    frame = {"server": "own", "kind": "elicit", "question": question}
    assert await answer_question(ports, frame) == {"action": "accept"}
