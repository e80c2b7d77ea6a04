"""DiagnosticsScreen: versions, paths, the terminal, and the end of the log."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from chatglass.tui.inspector.json_view import JsonView

if TYPE_CHECKING:
    from chatglass.tui.app import ChatglassApp

_PACKAGES = (
    "chatglass",
    "textual",
    "openai",
    "chuk-ai-session-manager",
    "genai-prices",
    "pydantic",
    "rich",
)
_VARIABLES = ("TERM", "COLORTERM", "TERM_PROGRAM", "TMUX", "SSH_TTY", "LANG", "NO_COLOR")
_LOG_BYTES = 20_000


class DiagnosticsScreen(ModalScreen[None]):
    """What a bug report needs; it holds no key and no message."""

    app: ChatglassApp
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "close", "Close")]

    _store_size = "size not read yet"

    def compose(self) -> ComposeResult:
        view = JsonView()
        view.border_title = "Diagnostics"
        view.border_subtitle = "Esc closes"
        yield view

    def on_mount(self) -> None:
        view = self.query_one(JsonView)
        view.load(self._text(), "text")
        view.focus()
        self.run_worker(self._read_size, group="size", exit_on_error=False)

    async def _read_size(self) -> None:
        """How large the store and its search index are, which it has to be asked for."""
        from chatglass.store.protocol import StoreError
        from chatglass.tui.sessions.session_words import index_size

        workspace = self.app.workspace
        if workspace is None:
            return
        try:
            self._store_size = index_size(await workspace.store.size())
        except StoreError as error:
            self._store_size = str(error)
        self.query_one(JsonView).load(self._text(), "text")

    def _text(self) -> str:
        size = self.app.size
        lines = [f"{name} {_version(name)}" for name in _PACKAGES]
        lines += [f"python {platform.python_version()} on {platform.platform()}", ""]
        lines += [f"screen {size.width}×{size.height}, theme {self.app.theme}"]
        lines += [f"{name}={os.environ[name]}" for name in _VARIABLES if name in os.environ]
        lines += ["", *self._workspace_lines()]
        return "\n".join(lines)

    def _workspace_lines(self) -> list[str]:
        workspace = self.app.workspace
        if workspace is None:
            return ["The program still starts."]
        endpoints = [
            f"endpoint {endpoint.name}: {endpoint.base_url}"
            for endpoint in workspace.models.endpoints.values()
        ]
        return [
            f"settings {workspace.paths.config_file}",
            f"store {workspace.store.location}, {self._store_size}",
            f"log {workspace.paths.log}",
            *endpoints,
            "",
            *self._end_of_log(),
        ]

    def _end_of_log(self) -> list[str]:
        assert self.app.workspace is not None
        try:
            with self.app.workspace.paths.log.open("rb") as file:
                file.seek(0, os.SEEK_END)
                file.seek(max(file.tell() - _LOG_BYTES, 0))
                return file.read().decode("utf-8", "replace").splitlines()[-100:]
        except FileNotFoundError:
            return ["The log is empty; --debug fills it."]
        except OSError as error:
            return [f"The log can't be read: {error.strerror}."]

    def action_close(self) -> None:
        self.dismiss(None)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
