"""The slash commands of plain mode."""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from chatglass.chat.drafts import is_folded
from chatglass.config.settings import ApprovalMode
from chatglass.models.endpoints import named_model
from chatglass.models.wire import ModelError
from chatglass.plain.reading_out import title_of
from chatglass.plain.talk import Talk
from chatglass.store.protocol import SessionGone
from chatglass.store.records import SessionQuery
from chatglass.values import figures
from chatglass.values.clock import now_ms
from chatglass.values.text import one_line
from chatglass.values.ways import Way

_LISTED = 20
_LIST_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class PlainCommand:
    """`usage` is what stands behind the slash, `what` says what it does."""

    usage: str
    what: str
    run: Callable[[Talk, str], Awaitable[None]]


async def _help(talk: Talk, argument: str) -> None:
    say = talk.voice.line
    say("Commands")
    for command in COMMANDS.values():
        say(f"/{command.usage}", command.what)
    say(
        "Several lines",
        'end a line with a backslash to go on in the next, or write them between two lines of """.',
    )
    say("Files", "@path in a prompt attaches that file or image.")
    say("Keys", "Ctrl+C stops the answer, twice it leaves; Ctrl+D on an empty line leaves.")


async def _model(talk: Talk, argument: str) -> None:
    engine, say = talk.session.engine, talk.voice.line
    if not argument:
        await _list_models(talk)
        return
    if argument.isdigit() and 0 < int(argument) <= len(talk.lists.models):
        argument = talk.lists.models[int(argument) - 1]
    elif argument.isdigit():
        say("Notice", f"There is no model {argument} in a list. /model lists them with numbers.")
        return
    if argument.startswith("demo/"):
        await talk.workspace.start_demo()
    ref = named_model(talk.workspace.models.endpoints, engine.context.model, argument)
    await engine.context.set_model(ref)
    say("Model", f"{ref.model} of {ref.endpoint} answers from now on.")


async def _list_models(talk: Talk) -> None:
    workspace, say = talk.workspace, talk.voice.line
    now = talk.session.engine.context.model
    say("Model now", f"{now.model or 'none'} of {now.endpoint}")
    await workspace.start_demo()
    talk.lists.models = []
    for name in workspace.models.endpoints:
        try:
            async with asyncio.timeout(_LIST_SECONDS):
                listed = await workspace.models.list_models(name)
        except ModelError as error:
            say(f"Endpoint {name}", error.cause)
            continue
        except TimeoutError:
            say(f"Endpoint {name}", "does not answer.")
            continue
        for model in listed:
            talk.lists.models.append(f"{name}/{model}")
            say(f"{len(talk.lists.models)}", f"{one_line(model, 100)} of {name}")
    say("To choose", "/model and its number or name.")


async def _sessions(talk: Talk, argument: str) -> None:
    query = SessionQuery(title_contains=argument, limit=_LISTED)
    rows = await talk.workspace.store.list_sessions(query)
    talk.lists.sessions = rows
    say = talk.voice.line
    if not rows:
        say("Sessions", "none that fit." if argument else "none is saved yet.")
        return
    for number, row in enumerate(rows, 1):
        age = figures.age(row.updated_at, now_ms())
        when = "just now" if age == "now" else f"{age} ago"
        say(f"{number}", f"{title_of(row)}, {when}, {figures.counted(row.messages, 'message')}.")
    say("To open one", "/open and its number.")


async def _open(talk: Talk, argument: str) -> None:
    if argument.isdigit() and 0 < int(argument) <= len(talk.lists.sessions):
        row = talk.lists.sessions[int(argument) - 1]
    elif argument:
        try:
            row = await talk.workspace.store.find_session(argument)
        except SessionGone as error:
            talk.voice.line("Notice", f"{error} /sessions lists them.")
            return
    else:
        await _sessions(talk, "")
        return
    await talk.open(await talk.workspace.store.get_session(row.id))


async def _new(talk: Talk, argument: str) -> None:
    shown = talk.session.engine.context.session
    row = await talk.workspace.new_session()
    await talk.open(talk.workspace.like(row, shown))


async def _title(talk: Talk, argument: str) -> None:
    engine = talk.session.engine
    if argument:
        await engine.context.rename(argument)
    talk.voice.line("Title", title_of(engine.context.session))


async def _cost(talk: Talk, argument: str) -> None:
    await talk.session.reading.cost()


async def _tools(talk: Talk, argument: str) -> None:
    specs = talk.workspace.tools.specs()
    if not specs:
        talk.voice.line("Tools", "none.")
    for spec in specs:
        talk.voice.line(one_line(spec.name, 80), one_line(spec.description, 200))


async def _calls(talk: Talk, argument: str) -> None:
    await talk.session.reading.calls()


async def _call(talk: Talk, argument: str) -> None:
    if argument.isdigit():
        await talk.session.reading.call(int(argument))
    else:
        talk.voice.line("Notice", "/call wants the number of a call; /calls lists them.")


async def _history(talk: Talk, argument: str) -> None:
    await talk.session.reading.history(int(argument) if argument.isdigit() and int(argument) else 5)


async def _retry(talk: Talk, argument: str) -> None:
    if await talk.session.engine.branch_before_answer():
        await talk.answer_again()
    else:
        talk.voice.line("Notice", "There is no prompt to answer again.")


async def _continue(talk: Talk, argument: str) -> None:
    if talk.session.engine.queue:
        await talk.send_queued()
    else:
        talk.voice.line("Notice", "Nothing waits.")


async def _draft(talk: Talk, argument: str) -> None:
    engine = talk.session.engine
    row = (
        await talk.workspace.store.get_session(engine.session_id) if engine.context.stored else None
    )
    if row is None or not row.draft:
        talk.voice.line("Notice", "There is no draft in this session.")
        return
    if is_folded(row.draft):
        talk.voice.line("Notice", "The draft holds attached files: open it in the full screen.")
        return
    await engine.save_draft("")
    talk.voice.line("You", row.draft)
    await talk.say_to_model(row.draft)


async def _attach(talk: Talk, argument: str) -> None:
    if argument:
        await talk.attach_path(argument)
    names = ", ".join(one_line(one.label, 80) for one in talk.attached)
    talk.voice.line("Attached to the next prompt", names or "nothing; /attach PATH attaches a file")


async def _folder(talk: Talk, argument: str) -> None:
    talk.voice.line("Folder", str(Path(talk.session.engine.context.session.root)))


async def _mode(talk: Talk, argument: str) -> None:
    modes: dict[str, ApprovalMode] = {"ask": "ask", "default": "default", "all": "all"}
    if argument and argument not in modes:
        talk.voice.line("Notice", f"There is no mode {argument}. There are ask, default and all.")
        return
    if argument:
        talk.session.policy.mode = modes[argument]
    talk.say_mode()


async def _quit(talk: Talk, argument: str) -> None:
    talk.leaving = True


def _table(*commands: PlainCommand) -> dict[str, PlainCommand]:
    return {command.usage.split()[0]: command for command in commands}


COMMANDS = _table(
    PlainCommand("help", "this list", _help),
    PlainCommand("model [number or name]", "list the models, or choose one", _model),
    PlainCommand("sessions [text]", "list the saved sessions, newest first", _sessions),
    PlainCommand("open NUMBER", "go on with a listed session, or one by its id", _open),
    PlainCommand("new", "begin a new session", _new),
    PlainCommand("title [text]", "say the session's title, or give it another", _title),
    PlainCommand("history [count]", "read the last prompts and answers", _history),
    PlainCommand("retry", "ask for the last answer again, as a new branch", _retry),
    PlainCommand("continue", "send what waits since the program ended", _continue),
    PlainCommand("draft", "send the prompt that was kept unsent", _draft),
    PlainCommand("attach [path]", "attach a file or image to the next prompt", _attach),
    PlainCommand("cost", "what this session has cost, and how full the context is", _cost),
    PlainCommand("tools", "list the tools the model may call", _tools),
    PlainCommand("calls", "list the tool calls of this session", _calls),
    PlainCommand("call NUMBER", "read one call: arguments, decision, result", _call),
    PlainCommand("mode [ask, default or all]", "say which tool calls ask, or change it", _mode),
    PlainCommand("folder", "say the session's working directory", _folder),
    PlainCommand("quit", "leave", _quit),
)


def name_way(way: Way) -> str:
    """The command for an action that an advice offers, where there is one here."""
    return f"/{way}" if way in COMMANDS else ""


def nearest(name: str) -> str:
    """What a mistyped command may have meant."""
    near = difflib.get_close_matches(name, COMMANDS, n=1, cutoff=0.5)
    return f"Did you mean /{near[0]}?" if near else "/help lists the commands."
