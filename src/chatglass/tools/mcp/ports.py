"""What servers, or the settings of a project, ask of the user. Who shows nothing answers none."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from chatglass.tools.mcp.forms import FormField
from chatglass.tools.mcp.trust import AskTrust


@dataclass(frozen=True, slots=True, kw_only=True)
class ElicitationQuestion:
    """A server wants something of the user: `fields` to fill in, or `url` to be visited.

    All of it is the server's text. A server must not ask for secrets by a form.
    """

    server: str
    message: str
    fields: tuple[FormField, ...] = ()
    url: str = ""


@dataclass(frozen=True, slots=True)
class ElicitationAnswer:
    """`cancel`: dismissed without a choice. `content` by field name, where it was accepted."""

    action: Literal["accept", "decline", "cancel"]
    content: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingQuestion:
    """A server wants an answer of the user's model. `request` is the whole of it, as it was sent
    (`messages`, `systemPrompt`, `maxTokens`, ...)."""

    server: str
    request: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingAnswer:
    text: str
    model: str
    stop_reason: str = "endTurn"


@dataclass(frozen=True, slots=True)
class SamplingFailed:
    """There is no answer, and the user is not why. `reason` goes to the server."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInQuestion:
    """A server wants the user to sign in at `url` (OAuth). Accepting opens it in a browser."""

    server: str
    url: str


Elicit = Callable[[ElicitationQuestion], Awaitable[ElicitationAnswer]]
Sample = Callable[[SamplingQuestion], Awaitable[SamplingAnswer | SamplingFailed | None]]
"""None: declined."""
SignIn = Callable[[SignInQuestion], Awaitable[bool]]


@dataclass(frozen=True, slots=True, kw_only=True)
class McpPorts:
    """Each is cancelled when its question no longer stands. A port that is None answers no:
    untrusted files stay unused, elicitations and sign-ins are declined. Without `sample` servers
    are told that there is no sampling; so are those that the settings don't name.
    """

    ask_trust: AskTrust | None = None
    elicit: Elicit | None = None
    sample: Sample | None = None
    sign_in: SignIn | None = None
