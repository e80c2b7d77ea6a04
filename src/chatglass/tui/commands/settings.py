"""Commands on what a session sends: model, system prompt, parameters; and the theme."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from chatglass.tui.commands.table import Command, own_session, refused
from chatglass.values.figures import counted

if TYPE_CHECKING:
    from chatglass.models.wire import ModelRef
    from chatglass.store.records import Parameters
    from chatglass.tui.app import ChatglassApp
    from chatglass.tui.open_session import OpenSession

_EFFORTS = ("minimal", "low", "medium", "high")


async def choose_model(app: ChatglassApp, argument: str) -> None:
    from chatglass.models.endpoints import named_model
    from chatglass.tui.dialogs.model_dialog import ModelDialog

    session, workspace = own_session(app), app.workspace
    if session is None or workspace is None:
        return
    if session.working:
        app.chat.say("The model can be changed when the turn has ended.", "warning")
        return
    current = session.engine.context.model

    async def chosen(ref: ModelRef) -> None:
        await session.engine.context.set_model(ref)
        app.chat.session_changed(session)
        app.chat.say(
            f"{ref.model} · {ref.endpoint} answers from now on, in this session. endpoint and model "
            "in config.toml set what new ones begin with."
        )

    if argument:
        if argument.startswith("demo/"):
            await workspace.start_demo()
        await chosen(named_model(workspace.models.endpoints, current, argument))
    else:
        await ModelDialog(workspace, current).ask(app, chosen)


async def choose_theme(app: ChatglassApp, argument: str) -> None:
    from chatglass.tui.dialogs.choice_list import Choice
    from chatglass.tui.dialogs.dialogs import ChoiceDialog, Chosen

    names = sorted(app.available_themes, key=lambda name: (not name.startswith("chatglass"), name))
    before = app.theme

    async def chosen(answer: Chosen | None) -> None:
        app.theme = answer.value if answer is not None else before
        if answer is not None:
            await app.save_setting(["theme"], answer.value)

    if argument:
        if argument not in names:
            refused(app, f"There is no theme {argument!r}; /theme shows them.")
            return
        await chosen(Chosen(argument))
        return
    choices = [
        Choice(name, name, "dark" if app.available_themes[name].dark else "light") for name in names
    ]

    def preview(name: str) -> None:
        app.theme = name

    await app.push_screen(
        ChoiceDialog("Theme", choices, current=before, on_highlight=preview), chosen
    )


async def system_prompt(app: ChatglassApp, argument: str) -> None:
    from chatglass.tui.dialogs.dialogs import TextDialog

    session = own_session(app)
    if session is None:
        return
    parameters = session.engine.context.session.parameters

    async def take(text: str | None) -> None:
        if text is not None:
            prompt = text.strip() or None
            told = counted(len(prompt), "character") if prompt else "none"
            await _set(app, session, replace(parameters, system_prompt=prompt))
            _tell_set(app, "System prompt", told, "system_prompt")

    if argument:
        await take(argument)
        return
    dialog = TextDialog(
        "System prompt of this session",
        parameters.system_prompt or "",
        multi_line=True,
        hint="Sent before every conversation of this session; empty: none.",
    )
    await app.push_screen(dialog, take)


def _parameter(name: str, title: str, hint: str, parse: Callable[[str], Any]) -> Command:
    """A command that sets one parameter; `parse` raises ValueError with what is wrong."""

    async def run(app: ChatglassApp, argument: str) -> None:
        from chatglass.tui.dialogs.dialogs import TextDialog

        session = own_session(app)
        if session is None:
            return
        parameters = session.engine.context.session.parameters

        def problem(text: str) -> str | None:
            try:
                _value(text, parse)
            except ValueError as error:
                return str(error)
            return None

        async def take(text: str | None) -> None:
            if text is not None:
                value = _value(text, parse)
                await _set(app, session, replace(parameters, **{name: value}))
                told = "the endpoint's default" if value is None else str(value)
                _tell_set(app, title, told, name)

        if argument:
            fault = problem(argument)
            if fault is None:
                await take(argument)
            else:
                refused(app, fault)
            return
        now = getattr(parameters, name)
        initial = "" if now is None else str(now)
        await app.push_screen(TextDialog(title, initial, hint=hint, check=problem), take)

    return run


def _value(text: str, parse: Callable[[str], Any]) -> Any:
    text = text.strip()
    return None if text in ("", "default") else parse(text)


async def _set(app: ChatglassApp, session: OpenSession, parameters: Parameters) -> None:
    await session.engine.context.set_parameters(parameters)
    app.chat.session_changed(session)


def _tell_set(app: ChatglassApp, title: str, told: str, setting: str) -> None:
    """What was set to what, and how it is kept."""
    app.chat.say(
        f"{title}: {told}, in this session. {setting} in config.toml sets it for new ones."
    )


def _temperature(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 2:
        raise ValueError("The temperature is a number from 0 to 2, or `default`.")
    return value


def _tokens(text: str) -> int:
    if not text.isdigit() or int(text) == 0:
        raise ValueError("The most output is a whole number of tokens, or `default`.")
    return int(text)


def _effort(text: str) -> str:
    if text not in _EFFORTS:
        raise ValueError(f"The reasoning effort is one of {', '.join(_EFFORTS)}, or `default`.")
    return text


COMMANDS: dict[str, Command] = {
    "model.choose": choose_model,
    "theme.choose": choose_theme,
    "session.system_prompt": system_prompt,
    "session.temperature": _parameter(
        "temperature", "Temperature", "0 to 2; empty leaves it to the endpoint.", _temperature
    ),
    "session.max_output": _parameter(
        "max_output_tokens",
        "Most output tokens",
        "How long an answer may be; empty leaves it to the endpoint.",
        _tokens,
    ),
    "session.reasoning_effort": _parameter(
        "reasoning_effort",
        "Reasoning effort",
        "minimal, low, medium or high; empty leaves it to the endpoint.",
        _effort,
    ),
}
