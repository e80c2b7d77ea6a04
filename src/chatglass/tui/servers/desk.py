"""ServerDesk: between the MCP servers and the user: it starts them, puts their questions into
dialogs one after the other, and says when one fails."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chatglass.config.errors import ConfigError
from chatglass.tui.composer.completion import Completion
from chatglass.values import figures
from chatglass.values.figures import counted
from chatglass.values.text import one_line

if TYPE_CHECKING:
    from textual.notifications import SeverityLevel

    from chatglass.chat.workspace import Workspace
    from chatglass.tools.mcp.events import McpEvent, ServerSnapshot
    from chatglass.tools.mcp.ports import (
        ElicitationAnswer,
        ElicitationQuestion,
        McpPorts,
        SamplingAnswer,
        SamplingFailed,
        SamplingQuestion,
        SignInQuestion,
    )
    from chatglass.tools.mcp.servers import McpServers
    from chatglass.tools.mcp.trust import TrustAnswer, TrustQuestion
    from chatglass.tui.app import ChatglassApp
    from chatglass.tui.open_session import OpenSession
    from chatglass.tui.servers.question import QuestionDialog
    from chatglass.tui.servers.template_offers import TemplateOffers

LATE_MS = 5_000
"""A server that took longer to be ready is worth a word."""


@dataclass(slots=True)
class _Waiting:
    """A question that was asked, until it is answered or no longer stands."""

    dialog: QuestionDialog[Any]
    answer: asyncio.Future[Any]
    words: str
    told: bool = False


class ServerDesk:
    """Light until `start` finds that servers are configured."""

    def __init__(self, app: ChatglassApp) -> None:
        self._app = app
        self.running: McpServers | None = None
        self._templates: TemplateOffers | None = None
        self._waiting: list[_Waiting] = []
        self._shown: _Waiting | None = None
        self._states: dict[str, str] = {}

    async def start(self) -> None:
        """Start the servers of the workspace in the background, if any are configured."""
        workspace = self._app.workspace
        if workspace is None or not workspace.has_servers:
            return
        try:
            servers = await asyncio.to_thread(self._make, workspace)
        except ConfigError as error:
            self._app.chat.say(str(error), "error")
            return
        from chatglass.tui.servers.template_offers import TemplateOffers

        self.running = servers
        self._templates = TemplateOffers(servers, self._ready)
        servers.subscribe(self._take)
        self._app.chat.composer.set_offers(self)
        servers.start()
        self.roots_changed()

    def _make(self, workspace: Workspace) -> McpServers:
        from chatglass.tui.servers import form_dialog, screen, trust_dialog  # noqa: F401

        return workspace.make_servers(self._ports())

    def _ports(self) -> McpPorts:
        from chatglass.tools.mcp.ports import McpPorts

        return McpPorts(
            ask_trust=self._ask_trust,
            elicit=self._elicit,
            sample=self._sample,
            sign_in=self._sign_in,
        )

    def roots_changed(self) -> None:
        """Tell the servers where the work is: the roots of the open sessions."""
        if self.running is not None and self._app.workspace is not None:
            roots = [session.engine.context.root for session in self._app.sessions.values()]
            self.running.set_roots(list(dict.fromkeys([self._app.workspace.root, *roots])))

    # -- questions

    async def _ask_trust(self, question: TrustQuestion) -> TrustAnswer:
        from chatglass.tools.mcp.trust import TrustAnswer
        from chatglass.tui.servers.trust_dialog import TrustDialog

        words = f"{question.file.name} of this project names MCP servers."
        return await self._ask(TrustDialog(question), words) or TrustAnswer("not_now")

    async def _elicit(self, question: ElicitationQuestion) -> ElicitationAnswer:
        from chatglass.tools.mcp.ports import ElicitationAnswer
        from chatglass.tui.servers.form_dialog import FormDialog

        title = f"{question.server} asks you"
        if question.url:
            opened = await self._visit(title, question.message, question.url)
            actions: Mapping[bool | None, Any] = {True: "accept", False: "decline", None: "cancel"}
            return ElicitationAnswer(actions[opened])
        hint = "What you enter goes to the server. Never enter a password or a key here."
        dialog = FormDialog(title, question.message, question.fields, hint=hint)
        return await self._ask(dialog, f"{title}.") or ElicitationAnswer("cancel")

    async def _sample(self, question: SamplingQuestion) -> SamplingAnswer | SamplingFailed | None:
        """Ask about one request of a server, and send it to the model of the session it is for."""
        from chatglass.chat.sampling import SamplingRefused
        from chatglass.store.protocol import StoreError
        from chatglass.tools.mcp.ports import SamplingAnswer, SamplingFailed
        from chatglass.tui.messages import SessionChanged
        from chatglass.tui.servers.sampling_dialog import SamplingDialog

        session = self._asking_session(question.server)
        if session is None or session.engine.state not in ("idle", "working"):
            return SamplingFailed("No session is open that can send a request.")
        name = one_line(question.server, 60)
        sampler = session.engine.sampler
        try:
            plan = sampler.plan(question.request)
            dialog = SamplingDialog(question.server, plan, question.request)
            if not await self._ask(dialog, f"{name} asks for an answer of your model."):
                session.view.notice(f"{name} asked for an answer of {plan.model}: declined.")
                return None
            answer = await sampler.answer(plan)
        except (SamplingRefused, StoreError) as error:
            session.view.notice(f"{name} asked for an answer of the model: {error}", "", "warning")
            return SamplingFailed(str(error))
        finally:
            self._app.post_message(SessionChanged(session.id))
        usage = answer.row.usage
        about = usage is not None and usage.source == "estimated"
        mark = f"{figures.ABOUT} " if about else ""
        tokens = f"{mark}{usage.total_tokens:,} tokens" if usage else "unknown tokens"
        cost = figures.cost(answer.row.cost, about=about)
        words = f"{name} got an answer of {plan.model}: {tokens}, {cost}."
        session.view.notice(words, one_line(answer.text, 300))
        reason = "maxTokens" if answer.finish_reason == "length" else "endTurn"
        return SamplingAnswer(text=answer.text, model=answer.model, stop_reason=reason)

    def _asking_session(self, server: str) -> OpenSession | None:
        """The one whose call to that server runs; else the one on screen."""
        if self.running is None:
            return None
        prefix = f"{self.running.snapshot(server).slug}__"
        calling = [
            session
            for session in self._app.sessions.values()
            if any(
                call.state == "running" and call.name.startswith(prefix)
                for call in session.view.calls.values()
            )
        ]
        return calling[0] if len(calling) == 1 else self._app.current

    async def _sign_in(self, question: SignInQuestion) -> bool:
        message = f"The MCP server {question.server} wants you to sign in. Check the address:"
        return bool(await self._visit(f"Sign in to {question.server}", message, question.url))

    async def _visit(self, title: str, message: str, url: str) -> bool | None:
        import webbrowser

        from chatglass.tui.servers.visit_dialog import VisitDialog

        agreed = await self._ask(VisitDialog(title, message, url), f"{title}.")
        if agreed and not await asyncio.to_thread(webbrowser.open, url):
            self._app.chat.say(f"No browser could be started. Open it yourself: {url}", "warning")
        return agreed

    async def _ask(self, dialog: QuestionDialog[Any], words: str) -> Any:
        """The answer, when there is one; None where the dialog was closed without."""
        waiting = _Waiting(dialog, asyncio.get_running_loop().create_future(), words)
        self._waiting.append(waiting)
        # Servers ask from tasks of their own; a dialog needs the app's.
        self._app.call_later(self.look)
        try:
            return await waiting.answer
        finally:
            self._waiting.remove(waiting)
            self._app.call_later(self._withdraw, waiting)

    def look(self) -> None:
        """Show the first question that waits, unless the user is at something else. The chat screen
        calls it when that may have ended."""
        if self._shown is not None or not self._waiting:
            return
        if self._may_show():
            self._show(self._waiting[0])
            return
        for waiting in self._waiting:
            if not waiting.told:
                waiting.told = True
                self._app.chat.say(f"{waiting.words} /mcp shows the question.", "warning")

    def _may_show(self) -> bool:
        chat, screen = self._app.chat, self._app.screen
        if screen is chat:
            return chat.composer.is_empty
        return getattr(screen, "ACTION_PLACE", "") == "servers"

    def _show(self, waiting: _Waiting) -> None:
        self._shown = waiting

        def answered(answer: Any) -> None:
            if not waiting.answer.done():
                waiting.answer.set_result(answer)

        self._app.push_screen(waiting.dialog, answered)

    def _withdraw(self, waiting: _Waiting) -> None:
        """It is answered, or no longer stands."""
        if self._shown is waiting:
            self._shown = None
            if waiting.dialog.is_current:
                waiting.dialog.dismiss(None)
        self.look()

    # -- what is said

    def _take(self, event: McpEvent) -> None:
        from chatglass.tools.mcp.events import ConfigFaulty, ProjectIgnored, ServerChanged

        match event:
            case ServerChanged(server) if server.state != self._states.get(server.name):
                before, self._states[server.name] = self._states.get(server.name), server.state
                self._state_changed(server, before)
            case ConfigFaulty(problems=problems):
                more = f" (and {len(problems) - 1} more: /mcp)" if len(problems) > 1 else ""
                self._say(f"{next(iter(problems))}{more}", "warning")
            case ProjectIgnored(question=question, reason=reason) if question is None:
                self._say(f"The project's MCP servers are not started: {reason}.", "information")
            case _:
                pass

    def _state_changed(self, server: ServerSnapshot, before: str | None) -> None:
        name = one_line(server.name, 60)
        match server.state:
            case "failed":
                self._say(f"MCP server {name} failed: {server.error} /mcp shows more.", "error")
            case "restarting" if before in (None, "ready") or server.attempt <= 1:
                words = f"MCP server {name} went away and is started again: {server.error}"
                self._say(words, "warning")
            case "untrusted" if before is not None:
                self._say(f"MCP server {name}: {server.error} /mcp, then r, asks.", "warning")
            case "ready" if server.attempt > 1 or (server.start_ms or 0) > LATE_MS:
                self._say(
                    f"MCP server {name} is ready: {counted(len(server.tools), 'tool')}.",
                    "information",
                )
            case _:
                pass

    def _say(self, text: str, severity: SeverityLevel) -> None:
        self._app.chat.say(one_line(text, 400), severity)

    # -- prompts and resources, for the composer

    def _ready(self) -> Sequence[ServerSnapshot]:
        if self.running is None:
            return ()
        return [server for server in self.running.snapshots() if server.state == "ready"]

    def prompts(self) -> Sequence[Completion]:
        return [
            Completion(
                f"/{server.slug}:{prompt.name}",
                one_line(f"/{server.slug}:{prompt.name}", 200),
                prompt.description or "A prompt of an MCP server",
            )
            for server in self._ready()
            for prompt in server.prompts
        ]

    def resources(self) -> Sequence[Completion]:
        return [
            Completion(
                f"{server.slug}:{resource.uri}",
                one_line(f"{server.slug}:{resource.uri}", 200),
                resource.description or resource.name,
            )
            for server in self._ready()
            for resource in server.resources
            if not resource.template
        ]

    def templates(self, query: str) -> Sequence[Completion]:
        return self._templates.at_once(query) if self._templates else ()

    async def proposals(self, query: str) -> Sequence[Completion]:
        return await self._templates.asked(query) if self._templates else ()

    def is_resource(self, name: str) -> bool:
        whole = self._templates is not None and self._templates.is_whole(name)
        return whole or any(name == one.value for one in self.resources())

    def find_prompt(self, text: str) -> tuple[str, str] | None:
        names = [completion.value[1:] for completion in self.prompts()]
        fitting = [name for name in names if text == name or text.startswith(f"{name} ")]
        if not fitting:
            return None
        name = max(fitting, key=len)
        return name, text[len(name) :].strip()

    async def insert_prompt(self, name: str, argument: str) -> None:
        """Put what `server:prompt` gives into the composer. What it needs beside `argument` (its
        first argument) is asked."""
        from chatglass.tools.mcp.errors import ServerError
        from chatglass.tui.servers.prompts import asked_fields, prompt_text

        slug, _, own = name.partition(":")
        server = next((one for one in self._ready() if one.slug == slug), None)
        prompt = server and next((one for one in server.prompts if one.name == own), None)
        if self.running is None or prompt is None:
            self._say(f"There is no prompt {name} any more.", "warning")
            return
        given = {prompt.arguments[0].name: argument} if argument and prompt.arguments else {}
        fields = asked_fields(prompt)
        if any(field.name not in given for field in fields):
            from chatglass.tui.servers.form_dialog import FormDialog

            dialog = FormDialog(f"/{name}", prompt.description, fields, given=given)
            answer = await self._ask(dialog, f"/{name} needs arguments.")
            if answer is None or answer.action != "accept":
                return
            given = {key: value for key, value in answer.content.items() if value}
        try:
            messages = await self.running.get_prompt(slug, own, given)
        except ServerError as error:
            self._say(f"/{name}: {error}", "error")
            return
        self._app.chat.composer.insert(prompt_text(messages))
        self._app.chat.composer.focus()

    async def attach(self, name: str) -> None:
        """Read the resource `server:uri` for the composer."""
        from chatglass.tools.mcp.errors import ServerError

        composer = self._app.chat.composer
        slug, _, uri = name.partition(":")
        try:
            if self.running is None:
                raise ServerError("no MCP servers run")
            content = await self.running.read_resource(slug, uri)
        except ServerError as error:
            composer.resource_read(name, None, f"{name} can't be attached: {error}")
            return
        if content.is_error:
            composer.resource_read(name, None, f"{name} can't be attached: {content.seen}")
        else:
            composer.resource_read(name, content.seen)
