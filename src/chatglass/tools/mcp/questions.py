"""Servers' questions on their way from the host to the ports, and the answers back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chatglass.tools.mcp.config_file import is_url
from chatglass.tools.mcp.forms import form_fields, form_problems
from chatglass.tools.mcp.ports import (
    ElicitationAnswer,
    ElicitationQuestion,
    McpPorts,
    SamplingFailed,
    SamplingQuestion,
    SignInQuestion,
)
from chatglass.tools.tool import JsonObject

_DECLINED = {"action": "decline"}


async def answer_question(ports: McpPorts, frame: JsonObject) -> Any:
    """The value of the `answer` frame for an `ask` frame."""
    server: str = frame["server"]
    question: JsonObject = frame["question"]
    match frame["kind"]:
        case "elicit":
            return await _elicit(ports, server, question)
        case "sample":
            return await _sample(ports, server, question)
        case "sign_in":
            if ports.sign_in is None or not is_url(question["url"]):
                return False
            return await ports.sign_in(SignInQuestion(server=server, url=question["url"]))
        case other:
            raise ValueError(f"unknown question {other!r}")


async def _elicit(ports: McpPorts, server: str, question: JsonObject) -> JsonObject:
    if ports.elicit is None:
        return _DECLINED
    fields = form_fields(question.get("schema", {}))
    url = question.get("url", "")
    if "url" in question and not is_url(url):
        # Whatever else this machine opens by an address (a file, a program's own scheme) no server
        # may ask for.
        return _DECLINED
    answer = await ports.elicit(
        ElicitationQuestion(server=server, message=question["message"], fields=fields, url=url)
    )
    if answer.action != "accept":
        return {"action": answer.action}
    if url:
        return {"action": "accept"}
    if form_problems(fields, answer.content):
        # The form shows what is wrong; what comes here all the same is no answer.
        return {"action": "cancel"}
    return {"action": "accept", "content": _given(answer)}


def _given(answer: ElicitationAnswer) -> Mapping[str, Any]:
    """What was left empty is left out."""
    return {name: value for name, value in answer.content.items() if value not in (None, "")}


async def _sample(ports: McpPorts, server: str, question: JsonObject) -> JsonObject | None:
    if ports.sample is None:
        return None
    answer = await ports.sample(SamplingQuestion(server=server, request=question))
    if answer is None:
        return None
    if isinstance(answer, SamplingFailed):
        return {"failed": answer.reason}
    return {"text": answer.text, "model": answer.model, "stop_reason": answer.stop_reason}
