"""Words for what is not there (any more)."""

from __future__ import annotations

from chatglass.store.protocol import SessionGone

_ELSEWHERE = "It may have been deleted in another window."


def session_gone(session_id: str) -> SessionGone:
    return SessionGone(f"There is no session {session_id} (any more). {_ELSEWHERE}")


def message_gone(message_id: str, session_id: str = "") -> SessionGone:
    return _gone("message", message_id, session_id)


def request_gone(request_id: str) -> SessionGone:
    return _gone("request", request_id)


def tool_call_gone(tool_call_id: str, session_id: str) -> SessionGone:
    return _gone("tool call", tool_call_id, session_id)


def _gone(what: str, id_: str, session_id: str = "") -> SessionGone:
    where = f" in session {session_id}" if session_id else ""
    return SessionGone(
        f"There is no {what} {id_}{where} (any more). "
        "Its session may have been deleted in another window."
    )
