"""What was granted for this session: exactly the calls that were shown."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any, Protocol

from chatglass.tools.addresses import origin, split_url
from chatglass.tools.tool import Assessment, InvalidArguments, ToolSpec


class AskedCall(Protocol):
    """A validated call with its assessment; `chat.ports.PendingCall` is one."""

    @property
    def spec(self) -> ToolSpec: ...
    @property
    def arguments(self) -> Mapping[str, Any]: ...
    @property
    def assessment(self) -> Assessment: ...
    @property
    def root(self) -> str: ...


class SessionGrants:
    """The calls of one session that need no further question, until it ends or changes its root."""

    def __init__(self, root: str) -> None:
        self._root = os.path.realpath(root)
        self._granted: set[str] = set()

    @property
    def root(self) -> str:
        """The working directory they hold in, resolved."""
        return self._root

    def grant(self, call: AskedCall) -> None:
        """Let this very call pass from now on. Raises ValueError where only a person may answer."""
        if call.assessment.always_ask or call.assessment.verdict == "deny":
            raise ValueError(f"{call.spec.name}: {call.assessment.rule}; it can't be granted.")
        self._granted.add(_key(call))

    def covers(self, call: AskedCall) -> bool:
        """Whether this call was granted. What always asks, or is denied, never is."""
        if call.assessment.always_ask or call.assessment.verdict == "deny":
            return False
        return _key(call) in self._granted

    def moved_to(self, root: str) -> None:
        """The session goes on in `root`: in another one nothing is granted any more."""
        if os.path.realpath(root) != self._root:
            self._root = os.path.realpath(root)
            self._granted.clear()

    def clear(self) -> None:
        self._granted.clear()

    def __len__(self) -> int:
        return len(self._granted)


def describe_grant(call: AskedCall) -> str:
    """What "this session" would cover, for the question."""
    if call.assessment.always_ask:
        return f"nothing: {call.assessment.rule}"
    if _is_builtin(call, "run_command"):
        return f"this command, word for word, in {call.root}: {call.arguments['command']}"
    if _is_builtin(call, "fetch_url") and (site := _origin(call)):
        return f"fetch_url from {site}"
    path = call.assessment.details.get("path")
    if _is_builtin(call, "write_file") and path:
        return f"write_file of exactly this content to {path}"
    name = f"{call.spec.name} of {call.spec.server}" if call.spec.server else call.spec.name
    arguments = json.dumps(dict(call.arguments), ensure_ascii=False, sort_keys=True)
    return f"{name} with exactly these arguments: {arguments}"


def _key(call: AskedCall) -> str:
    """Two calls with the same key are the same to the user who granted one."""
    covered: dict[str, Any] = dict(call.arguments)
    if _is_builtin(call, "run_command"):
        # How long it may take is no part of what it does.
        covered = {"command": call.arguments["command"]}
    elif _is_builtin(call, "fetch_url") and (site := _origin(call)):
        covered = {"origin": site}
    # A link may lead elsewhere by now: then it is another call.
    place = call.assessment.details.get("path", "")
    root = os.path.realpath(call.root)
    return json.dumps([call.spec.server, call.spec.name, covered, place, root], sort_keys=True)


def _is_builtin(call: AskedCall, name: str) -> bool:
    return call.spec.name == name and not call.spec.server


def _origin(call: AskedCall) -> str:
    try:
        return origin(*split_url(call.arguments["url"]))
    except InvalidArguments:
        return ""
