"""`chatglass tools list|call`: the tools there are, and one called without a model."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from json import loads
from typing import Any, cast

from chatglass.chat.ports import PendingCall
from chatglass.chat.workspace import Workspace
from chatglass.commands.mcp import ask_ports
from chatglass.commands.printing import complain, emit, emit_json, note
from chatglass.config.errors import ConfigError
from chatglass.config.options import Options
from chatglass.tools.mcp.contents import contents_of, plain_text
from chatglass.tools.mcp.events import ConfigFaulty, McpEvent, ProjectIgnored
from chatglass.tools.tool import Assessment, InvalidArguments, Progress, ToolSpec, UnknownTool
from chatglass.values.exit_codes import DONE, FAILED, INTERRUPTED, USAGE
from chatglass.values.text import one_line

_WITHIN_S = 60.0


async def run_tools(found: argparse.Namespace) -> int:
    """Raises ConfigError."""
    options = Options(
        data_dir=found.data_dir,
        config=found.config,
        mcp_config=tuple(found.mcp_config),
        tools=tuple(found.tools),
    )
    wanted = found.name if found.action == "call" else None
    async with _tools(options, wanted) as (workspace, faults):
        if found.action == "list":
            _list(workspace, json=found.json)
            return FAILED if faults else DONE
        return await _call(workspace, found.name, found.arguments, json=found.json)


@asynccontextmanager
async def _tools(
    options: Options, wanted: str | None
) -> AsyncGenerator[tuple[Workspace, list[str]]]:
    """The tools of every source, loaded, and what went wrong meanwhile, which is said as well. Where
    one is `wanted`, nothing else is waited for."""
    workspace = Workspace(options)
    here = asyncio.Event()
    faults: list[str] = []

    def fault(text: str) -> None:
        faults.append(text)
        complain(text)

    def look() -> bool:
        if wanted is not None and any(spec.name == wanted for spec in workspace.tools.specs()):
            here.set()
        return here.is_set()

    def tell(event: McpEvent) -> None:
        look()
        match event:
            case ConfigFaulty(problems):
                for problem in problems:
                    fault(str(problem))
            case ProjectIgnored(file=file, reason=reason):
                fault(f"{file}: its servers are not started: {reason}.")
            case _:
                pass

    try:
        own = workspace.make_own_tools()
        if own is not None:
            own.on_problem = lambda problem: fault(str(problem))
            own.start()
        if workspace.has_servers and not look():
            servers = workspace.make_servers(ask_ports())
            servers.subscribe(tell)
            servers.start()
            await _first(servers.settled(_WITHIN_S), here.wait())
            for server in servers.snapshots():
                if not look() and server.state in ("starting", "failed", "restarting"):
                    fault(f"{server.name}: {server.state}. {server.error}".rstrip())
        if own is not None and not look():
            await own.settled()
        yield workspace, faults
    finally:
        await workspace.close()


async def _first(*awaited: Coroutine[Any, Any, Any]) -> None:
    """Wait for one of them, and stop the others."""
    tasks = [asyncio.ensure_future(one) for one in awaited]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


# -- list


def _list(workspace: Workspace, *, json: bool) -> None:
    specs = workspace.tools.specs()
    if json:
        emit_json([_record(workspace, spec) for spec in specs])
        return
    name_width = max((len(spec.name) for spec in specs), default=0)
    source_width = max((len(_source(spec)) for spec in specs), default=0)
    for spec in specs:
        about = one_line(spec.description.split("\n\n")[0], 120)
        emit(f"{spec.name:<{name_width}}  {_source(spec):<{source_width}}  {workspace.usual_verdict(spec):<5}  {about}\n")  # fmt: skip


def _record(workspace: Workspace, spec: ToolSpec) -> dict[str, Any]:
    kind = "mcp" if spec.server else "own" if spec.own else "built-in"
    return {
        "name": spec.name,
        "kind": kind,
        "source": spec.server or spec.own or None,
        "policy": workspace.usual_verdict(spec),
        "rules": workspace.rules_of(spec.name),
        "description": spec.description,
        "parameters": dict(spec.parameters),
    }


def _source(spec: ToolSpec) -> str:
    if spec.server:
        return f"mcp {one_line(spec.server, 40)}"
    return f"own {one_line(spec.own, 60)}" if spec.own else "built-in"


# -- call


async def _call(workspace: Workspace, name: str, text: str, *, json: bool) -> int:
    """Whoever names a tool and its arguments has decided: nothing asks, but what is denied is."""
    try:
        tool = workspace.tools.get(name)
        arguments = tool.validate(_parsed(text))
        assessment = await asyncio.to_thread(tool.assess, arguments, workspace.root)
    except UnknownTool as error:
        complain(str(error))
        return USAGE
    except InvalidArguments as error:
        complain(str(error))
        return USAGE
    if denied := _denied_by(workspace, tool.spec, arguments, assessment):
        complain(f"{name} is denied: {denied}")
        return FAILED
    running = asyncio.ensure_future(tool.run(arguments, workspace.root, _progressed))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, running.cancel)
    try:
        output = await running
    except asyncio.CancelledError:
        complain(f"{name} was stopped; it may have taken effect.")
        return INTERRUPTED
    contents = contents_of(output.produced) if tool.spec.server and not json else None
    given = output.produced if contents is None else plain_text(contents)
    if output.status == "error":
        complain(f"{name}: {given}")
        return FAILED
    emit(given + ("" if given.endswith("\n") or not sys.stdout.isatty() else "\n"))
    return DONE


def _denied_by(
    workspace: Workspace, spec: ToolSpec, arguments: dict[str, Any], assessment: Assessment
) -> str:
    """What denies the call, also where it can't be told whether a rule that denies means it."""
    if assessment.verdict == "deny":
        return assessment.why
    call = PendingCall(
        session_id="",
        turn_id="",
        tool_call_id="",
        spec=spec,
        arguments=arguments,
        assessment=assessment,
        root=str(workspace.root),
    )
    ruling = workspace.rules.book(call.root).ruling(call)
    refused = ruling is not None and (ruling.verdict == "deny" or ruling.speaker == "doubt")
    return f"{ruling.by} of the settings." if ruling is not None and refused else ""


def _parsed(text: str) -> dict[str, Any]:
    """Raises ConfigError."""
    if text == "-":
        text = sys.stdin.read()
    try:
        parsed: Any = loads(text)
    except ValueError as error:
        raise ConfigError(f"The arguments are not valid JSON: {error}.") from error
    if not isinstance(parsed, dict):
        raise ConfigError('The arguments must be a JSON object, as {"path": "."}.')
    return cast("dict[str, Any]", parsed)


def _progressed(progress: Progress) -> None:
    if sys.stderr.isatty():
        share = "" if progress.fraction is None else f"{progress.fraction:.0%} "
        note(f"{share}{one_line(progress.message, 200)}")
