"""What a server may ask of the client: the user's input, a sampled answer, the roots."""

from __future__ import annotations

import json
from typing import Any, Protocol

import mcp_types as types
from mcp.client import ClientRequestContext

from chatglass.tools.mcp.host.log_book import LogBook
from chatglass.tools.tool import JsonObject

_REJECTED = -1
"""What the specification gives for a sampling request that the user rejected."""


class AsksApp(Protocol):
    roots: list[str]

    async def ask(self, server: str, kind: str, question: JsonObject) -> Any: ...


class Callbacks:
    """Passes a server's questions on to the app. Cancelled by the server, they are withdrawn."""

    def __init__(self, host: AsksApp, server: str, log: LogBook, *, sampling: bool) -> None:
        self._host = host
        self._server = server
        self._log = log
        self.sampling = sampling

    async def elicit(
        self, context: ClientRequestContext, params: types.ElicitRequestParams
    ) -> types.ElicitResult | types.ErrorData:
        question: JsonObject = {"message": params.message[:16_000]}
        if isinstance(params, types.ElicitRequestURLParams):
            question["url"] = params.url
        else:
            question["schema"] = params.requested_schema
        answer = await self._host.ask(self._server, "elicit", question)
        if answer is None:
            return types.ElicitResult(action="cancel")
        return types.ElicitResult(action=answer["action"], content=answer.get("content"))

    async def sample(
        self, context: ClientRequestContext, params: types.CreateMessageRequestParams
    ) -> types.CreateMessageResult | types.ErrorData:
        asked = params.model_dump(mode="json", by_alias=True, exclude_none=True)
        answer = await self._host.ask(self._server, "sample", asked)
        if answer is None:
            return types.ErrorData(code=_REJECTED, message="The user declined.")
        if "failed" in answer:
            return types.ErrorData(code=types.INTERNAL_ERROR, message=answer["failed"])
        return types.CreateMessageResult(
            role="assistant",
            content=types.TextContent(text=answer["text"]),
            model=answer["model"],
            stop_reason=answer.get("stop_reason", "endTurn"),
        )

    async def list_roots(self, context: ClientRequestContext) -> types.ListRootsResult:
        return types.ListRootsResult.model_validate(
            {"roots": [{"uri": uri} for uri in self._host.roots]}
        )

    async def log_message(self, params: types.LoggingMessageNotificationParams) -> None:
        data = params.data
        text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False, default=str)
        self._log.message(params.level, f"{params.logger}: {text}" if params.logger else text)
