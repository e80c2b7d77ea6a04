"""Why a connection ended, in words; out of the nested groups that the SDK raises."""

from __future__ import annotations

from typing import cast

import httpx2
import mcp_types as types
from mcp.client.auth import OAuthFlowError
from mcp.shared.exceptions import MCPError

from chatglass.tools.mcp.host.oauth import SignInFailed
from chatglass.values.text import one_line


class Lost(Exception):
    """The connection ended, or never stood. `str()` says why; `final`: trying again is no use."""

    def __init__(self, text: str, *, final: bool = False) -> None:
        super().__init__(text)
        self.final = final


def leaves(error: BaseException) -> list[BaseException]:
    """The errors in nested groups, in order."""
    if isinstance(error, BaseExceptionGroup):
        group = cast("BaseExceptionGroup[BaseException]", error)
        return [leaf for part in group.exceptions for leaf in leaves(part)]
    return [error]


def is_final(error: BaseException) -> bool:
    return any(
        isinstance(leaf, SignInFailed) or (isinstance(leaf, Lost) and leaf.final)
        for leaf in leaves(error)
    )


def is_closing(error: BaseException) -> bool:
    """Whether it says no more than that the other side closed the connection."""
    return any(
        isinstance(leaf, MCPError) and leaf.code == types.CONNECTION_CLOSED
        for leaf in leaves(error)
    )


def may_be_older(error: BaseException) -> bool:
    """Whether an HTTP server may speak SSE only: it refused the first message, but it is there."""
    return any(isinstance(leaf, MCPError | httpx2.HTTPStatusError) for leaf in leaves(error))


def cause(error: BaseException) -> str:
    """The first cause, in words."""
    leaf = leaves(error)[0]
    text = one_line(str(leaf), 500)
    if isinstance(leaf, Lost | MCPError | SignInFailed):
        return text
    if isinstance(leaf, httpx2.ConnectError | httpx2.ConnectTimeout):
        return f"It can't be reached: {text}"
    if isinstance(leaf, httpx2.HTTPStatusError):
        return f"It answered {leaf.response.status_code} {leaf.response.reason_phrase}."
    if isinstance(leaf, OAuthFlowError):
        return f"Signing in failed: {text}"
    return f"{type(leaf).__name__}: {text}" if text else type(leaf).__name__
