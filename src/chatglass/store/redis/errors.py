"""What Redis answers, in words: what the scripts refuse, and when the server counts as away."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from chatglass.store.protocol import StoreError
from chatglass.store.sqlite.missing import (
    message_gone,
    request_gone,
    session_gone,
    tool_call_gone,
)

_FAULT = "This is a fault in chatglass; please report it."


class AwayError(Exception):
    """The server can't be reached, or takes no writes now; it may later. `str()` is the cause."""


class ChangedError(Exception):
    """What was read before a write is no longer so; read again and try again."""


# https://redis.io/docs/latest/develop/reference/protocol-spec/ calls the first word the error's
# prefix. Servers before 7 put it after `-` into the message of a script's own error.
_FOR_NOW = re.compile(
    r"\b(OOM|MISCONF|READONLY|NOREPLICAS|LOADING|MASTERDOWN|CLUSTERDOWN|BUSY|NOPERM|NOAUTH|WRONGPASS)\b"
)
_WORDS = {
    "OOM": "its memory is full",
    "MISCONF": "it can't write to its disk",
    "READONLY": "it is a replica that takes no writes",
    "NOREPLICAS": "its replicas are missing",
    "LOADING": "it is still loading its data",
    "MASTERDOWN": "its master is down",
    "CLUSTERDOWN": "its cluster is down",
    "BUSY": "it is busy with a script",
    "NOPERM": "its user may not do what is needed",
    "NOAUTH": "it wants a password",
    "WRONGPASS": "it refuses the password",
}


def cause_for_now(answer: str) -> str | None:
    """Why the server takes nothing for now; None where that is not what its error says."""
    found = _FOR_NOW.search(answer)
    return _WORDS[found.group(1)] if found else None


def refused(answer: Sequence[bytes]) -> StoreError | None:
    """The error that a script's answer means; None for `ok`. Raises ChangedError and AwayError."""
    code, *words = (word.decode() for word in answer)
    if code == "ok":
        return None
    if code == "changed":
        raise ChangedError
    if code == "gap":
        raise AwayError("an earlier write did not pass")
    return _ERRORS[code](*words)


def _final(message_id: str, row: str) -> StoreError:
    status = json.loads(row).get("status", "complete")
    return StoreError(
        f"Message {message_id} is final ({status}) and is not changed. "
        "Another window may have settled it; open the session again."
    )


def _held(session_id: str, holder: str) -> StoreError:
    given: dict[str, Any] = json.loads(holder)
    where = f" on {given['host']}" if given.get("host") else ""
    return StoreError(
        f"Session {session_id} is open in another chatglass (process {given['pid']}{where}), and "
        "nothing of it was changed. Close it there first."
    )


def _duplicate(what: str, id_: str) -> StoreError:
    return StoreError(f"There is a {what} {id_} already, and it was left as it is. {_FAULT}")


def _elsewhere(what: str, id_: str, session_id: str) -> StoreError:
    if what == "call":
        return tool_call_gone(id_, "")
    return StoreError(f"The {what} {id_} belongs to session {session_id} and can't move. {_FAULT}")


def _moved(message_id: str) -> StoreError:
    return StoreError(
        f"Message {message_id} can't move to another place in the tree. "
        f"Add a new message there instead. {_FAULT}"
    )


def _request_gone(request_id: str, _session_id: str) -> StoreError:
    return request_gone(request_id)


def missing_blob(digest: str) -> StoreError:
    return StoreError(
        f"There is no blob {digest} in the store. The request that refers to it can't be shown "
        "as it was sent; put the blob before the request."
    )


_ERRORS: dict[str, Callable[..., StoreError]] = {
    "session": session_gone,
    "message": message_gone,
    "request": _request_gone,
    "call": tool_call_gone,
    "final": _final,
    "moved": _moved,
    "duplicate": _duplicate,
    "elsewhere": _elsewhere,
    "blob": missing_blob,
    "held": _held,
}
