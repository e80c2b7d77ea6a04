"""read_result: a tool's result, or a text among a call's arguments, that was left out of what is sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

from pydantic import Field

from chatglass.tools import policy
from chatglass.tools.function_tool import CallContext, FunctionTool
from chatglass.tools.tool import ToolOutput

_PAGE = 6_000
_LARGEST_PAGE = 12_000

FindResult = Callable[[str], Awaitable[str | None]]
"""The result or argument of this session that an id names, as the model saw or wrote it."""


def read_result_tool(find: FindResult) -> FunctionTool:
    async def read_result(
        context: CallContext,
        id: Annotated[str, "The id that stands where it was left out."],
        offset: Annotated[int, Field(ge=0, description="The first character to read, from 0.")] = 0,
        limit: Annotated[
            int, Field(ge=1, le=_LARGEST_PAGE, description="How many characters.")
        ] = _PAGE,
    ) -> ToolOutput:
        """Read a result of an earlier tool call, or a text that was given to one, that was left out of this conversation."""
        text = await find(id)
        if text is None:
            return ToolOutput.error(
                f"There is no result {id!r} in this conversation. Use the id that stands in the note"
                " that a result was left out."
            )
        if offset >= len(text) and text:
            return ToolOutput.error(f"That result has {len(text):,} characters.")
        page = text[offset : offset + limit]
        end = offset + len(page)
        if end < len(text):
            page += (
                f"\n[Characters {offset:,} to {end:,} of {len(text):,}; go on with offset={end}]"
            )
        return ToolOutput("ok", page, page)

    return FunctionTool(
        read_result,
        lambda arguments, root: policy.harmless("It only reads what this conversation has."),
        read_only=True,
        timeout_s=10.0,
        output_limit=_LARGEST_PAGE + 200,
    )
