"""The model picker: what endpoints list, what answers on this machine, the demo, and free text."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from chatglass.models.discovery import discover
from chatglass.models.endpoints import named_model
from chatglass.models.wire import Endpoint, ModelError, ModelRef
from chatglass.tui.dialogs.choice_list import Choice
from chatglass.tui.dialogs.dialogs import ChoiceDialog, Chosen

if TYPE_CHECKING:
    from textual.app import App

    from chatglass.chat.workspace import Workspace

_SEPARATOR = "\n"
"""Between endpoint and model in a choice's value: neither can hold it."""
_LIST_SECONDS = 5.0


class ModelDialog:
    """Shows at once what is known, and adds what endpoints and local servers list meanwhile."""

    def __init__(self, workspace: Workspace, current: ModelRef) -> None:
        self._workspace = workspace
        self._current = current
        self._models: dict[str, list[str]] = {
            name: list(endpoint.models) for name, endpoint in workspace.models.endpoints.items()
        }
        self._notes: dict[str, str] = {}
        self._models.setdefault(current.endpoint, [])
        if current.model and current.model not in self._models[current.endpoint]:
            self._models[current.endpoint].insert(0, current.model)
        self._dialog = ChoiceDialog(
            "Model",
            self._choices(),
            current=_value(current),
            free_text=True,
            hint="Any name may be typed: it goes to the current endpoint, or write endpoint/model.",
        )

    async def ask(self, app: App[None], chosen: Callable[[ModelRef], Awaitable[None]]) -> None:
        """Open the dialog; `chosen` is called with the answer, if there is one."""
        search = app.run_worker(
            self._search, group="model-search", exclusive=True, exit_on_error=False
        )

        async def closed(answer: Chosen | None) -> None:
            search.cancel()
            if answer is None:
                return
            if answer.choice is None:
                await chosen(
                    named_model(self._workspace.models.endpoints, self._current, answer.value)
                )
                return
            endpoint, _, model = answer.value.partition(_SEPARATOR)
            if model:
                await chosen(ModelRef(endpoint, model))

        await app.push_screen(self._dialog, closed)

    def _choices(self) -> list[Choice]:
        endpoints = self._workspace.models.endpoints
        choices: list[Choice] = []
        for name, models in self._models.items():
            where = _where(endpoint) if (endpoint := endpoints.get(name)) else ""
            group = f"{name} · {where}" if where else name
            choices += [
                Choice(_value(ModelRef(name, model)), model, group=group) for model in models
            ]
            if not models:
                note = self._notes.get(name, "asking …")
                choices.append(Choice(_value(ModelRef(name, "")), "no models", note, group))
        return choices

    async def _search(self) -> None:
        workspace = self._workspace
        await workspace.start_demo()
        for endpoint in await discover():
            workspace.models.add(endpoint)
        await asyncio.gather(*(self._list(name) for name in workspace.models.endpoints))

    async def _list(self, name: str) -> None:
        await self._workspace.models.recognise(name)
        try:
            async with asyncio.timeout(_LIST_SECONDS):
                listed = await self._workspace.models.list_models(name)
        except ModelError as error:
            listed, self._notes[name] = [], error.cause
        except TimeoutError:
            listed, self._notes[name] = [], "does not answer"
        known = self._models.setdefault(name, [])
        known += [model for model in listed if model not in known]
        self._dialog.set_choices(self._choices())


def _where(endpoint: Endpoint) -> str:
    """Its address, and that it costs nothing where that is so."""
    if endpoint.is_demo:
        return "built in, costs nothing"
    return f"{endpoint.base_url} · free" if endpoint.is_free else endpoint.base_url


def _value(ref: ModelRef) -> str:
    return f"{ref.endpoint}{_SEPARATOR}{ref.model}"
