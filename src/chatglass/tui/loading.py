"""Heavy imports, in threads, after the first frame.

An import holds the interpreter for as long as it compiles or runs a module; a shorter switch
interval lets the event loop in between, so that keys are painted meanwhile, and between two modules
a key goes first.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from chatglass.tui.import_pauses import PAUSES

if TYPE_CHECKING:
    from chatglass.chat.workspace import Workspace

_SWITCH_SECONDS = 0.0005


def import_panels() -> None:
    """The panels that stand behind the first frame: 60 ms of modules and their regular expressions."""
    with _yielding():
        from chatglass.tui.approval import panel
        from chatglass.tui.inspector import inspector, session_calls

        _ = panel, inspector, session_calls


def import_engine() -> type[Workspace]:
    """What is needed to show a session: settings, store, models, tools (about 0.3 s of CPU)."""
    with _yielding():
        from chatglass.chat.workspace import Workspace
        from chatglass.tui import session_view
        from chatglass.tui.markdown import document

        _ = session_view, document  # with the session come its items, and answers among them
        return Workspace


async def start_telemetry(workspace: Workspace) -> None:
    """As `telemetry.configured` has it. Raises ConfigError."""
    from chatglass.telemetry.configured import start_telemetry as start

    await start(workspace)


def import_services() -> None:
    """What is needed to send: openai and genai-prices (about 0.8 s), SessionManager (1.5 s);
    and the first lexer, which code in an answer would wait for."""
    with _yielding():
        from chatglass.chat import ledger
        from chatglass.models import preload
        from chatglass.tui.markdown import highlight

        preload.preload()
        highlight.warm()
        ledger.preload()


@contextmanager
def _yielding() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(_SWITCH_SECONDS)
    try:
        with PAUSES.during():
            yield
    finally:
        sys.setswitchinterval(before)
