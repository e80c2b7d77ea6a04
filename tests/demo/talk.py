"""Speaking raw HTTP to a demo server."""

from __future__ import annotations

import json
from typing import Any

import httpx2

from chatglass.models.demo import DemoServer


class Client:
    """Sends completion requests, and takes streams apart."""

    def __init__(self, demo: DemoServer) -> None:
        self.demo = demo
        self.http = httpx2.AsyncClient(
            base_url=demo.base_url,
            headers={"Authorization": f"Bearer {demo.token}"},
            trust_env=False,
        )

    async def post(self, messages: list[dict[str, Any]] | str, **fields: Any) -> httpx2.Response:
        return await self.http.post("/chat/completions", json=body(messages, **fields))

    async def stream(self, messages: list[dict[str, Any]] | str, **fields: Any) -> list[Any]:
        """The JSON of all events; `[DONE]` as the text."""
        fields = {"stream_options": {"include_usage": True}, **fields}
        response = await self.post(messages, stream=True, **fields)
        assert response.status_code == 200, response.text
        lines = [line for line in response.text.split("\n\n") if line]
        assert all(line.startswith("data: ") for line in lines)
        return [line[6:] if line == "data: [DONE]" else json.loads(line[6:]) for line in lines]

    async def ask(self, messages: list[dict[str, Any]] | str, **fields: Any) -> dict[str, Any]:
        """The message of an answer that is not streamed."""
        response = await self.post(messages, **fields)
        assert response.status_code == 200, response.text
        return response.json()["choices"][0]["message"]


def body(messages: list[dict[str, Any]] | str, **fields: Any) -> dict[str, Any]:
    if isinstance(messages, str):
        messages = [{"role": "user", "content": messages}]
    return {"model": "demo-fast", "messages": messages, **fields}


def tool(name: str, **properties: Any) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    return {
        "type": "function",
        "function": {"name": name, "description": "", "parameters": schema},
    }


BUILT_IN = [
    tool("read_file", path={"type": "string"}),
    tool("list_directory", path={"type": "string"}),
    tool("search_files", pattern={"type": "string"}, path={"type": "string"}),
    tool("write_file", path={"type": "string"}, content={"type": "string"}),
    tool("run_command", command={"type": "string"}),
    tool("fetch_url", url={"type": "string"}),
    tool("calculate", expression={"type": "string"}),
    tool("current_time"),
]
