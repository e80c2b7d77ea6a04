"""What the approval panel asks about a call that only the program knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from chatglass.chat.ports import PendingCall
    from chatglass.chat.workspace import Workspace
    from chatglass.tools.rules.suggestions import Suggestion
    from chatglass.tui.screens.chat_screen import ChatScreen


class CallWords(Protocol):
    """What the panel asks about a call that only the program knows."""

    def suggestions(self, call: PendingCall) -> Sequence[Suggestion]:
        """The rules that "always" may save, narrowest first."""
        ...

    def why_none(self, call: PendingCall) -> str:
        """Why there are none."""
        ...

    def place(self, call: PendingCall) -> str:
        """Where a rule is saved, and where it holds."""
        ...

    def objection(self, call: PendingCall, arguments: dict[str, Any]) -> str:
        """What is wrong with edited arguments; empty where they fit the schema."""
        ...


class NoWords:
    """Of a panel that stands alone: no rule is saved, and every argument fits."""

    def suggestions(self, call: PendingCall) -> Sequence[Suggestion]:
        return ()

    def why_none(self, call: PendingCall) -> str:
        return "rules can't be saved here"

    def place(self, call: PendingCall) -> str:
        return ""

    def objection(self, call: PendingCall, arguments: dict[str, Any]) -> str:
        return ""


class ChatWords:
    """What the panel asks about a call, from the workspace."""

    def __init__(self, chat: ChatScreen) -> None:
        self._chat = chat

    @property
    def _workspace(self) -> Workspace:
        assert self._chat.app.workspace is not None
        return self._chat.app.workspace

    def suggestions(self, call: PendingCall) -> Sequence[Suggestion]:
        from chatglass.tools.rules.suggestions import suggestions

        return suggestions(call, self._workspace.surroundings)

    def why_none(self, call: PendingCall) -> str:
        from chatglass.tools.rules.suggestions import why_none

        return why_none(call)

    def place(self, call: PendingCall) -> str:
        return f"In {self._workspace.rules.file}, for sessions in {call.root}"

    def objection(self, call: PendingCall, arguments: dict[str, Any]) -> str:
        from chatglass.tools.tool import InvalidArguments, UnknownTool

        try:
            self._workspace.tools.get(call.spec.name).validate(arguments)
        except (InvalidArguments, UnknownTool) as error:
            return str(error)
        return ""
