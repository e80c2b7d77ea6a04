"""Workspace: what all sessions of one start share: settings, store, models and tools."""

from __future__ import annotations

import asyncio
import difflib
import logging
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from chatglass.chat.approvals import SessionPolicy, by_assessment
from chatglass.chat.budget_guard import BudgetGuard
from chatglass.chat.chat_context import ChatContext, new_session
from chatglass.chat.compaction.log import CompactionChoice
from chatglass.chat.compaction.strategies import UnknownStrategy, check_name
from chatglass.chat.debug_log import close_log, open_log
from chatglass.chat.engine import Engine, TurnRules
from chatglass.chat.ports import AskToGoOn, DecideTool, JudgeCall
from chatglass.chat.saved_rules import SavedRules
from chatglass.config.errors import ConfigError
from chatglass.config.options import Options
from chatglass.config.paths import Paths, find_paths
from chatglass.config.settings import Settings, load_settings
from chatglass.models import price_list, prices
from chatglass.models.model_manager import Models
from chatglass.models.transport import Timeouts
from chatglass.models.wire import Endpoint, ModelError, ModelRef
from chatglass.spending.budgets import Budgets, Limits
from chatglass.store.open_store import in_file, make_store
from chatglass.store.protocol import SessionGone, SessionStore, StoreError
from chatglass.store.records import Parameters, SessionRow
from chatglass.tools.environment import tool_environment
from chatglass.tools.mcp.configured import any_configured
from chatglass.tools.places import Surroundings
from chatglass.tools.policy import read_place, usual_verdict
from chatglass.tools.tool import InvalidArguments, ToolSpec, Verdict
from chatglass.tools.tool_manager import ToolManager
from chatglass.values.ways import NameWay, unnamed

if TYPE_CHECKING:
    from chatglass.chat.turn_events import Observe
    from chatglass.models.demo import DemoServer
    from chatglass.spending.budgets import AskBudget
    from chatglass.tools.mcp.ports import McpPorts
    from chatglass.tools.mcp.servers import McpServers
    from chatglass.tools.own.own_tools import OwnTools

DEMO = "demo"


class Telemetry(Protocol):
    """What watches the turns of all sessions, such as `telemetry.opened`."""

    def observer(self, context: ChatContext) -> Observe:
        """What sees the events of that session's turns."""
        ...

    async def close(self) -> None:
        """Send what is left, within a bounded time. Never raises."""
        ...


class Workspace:
    """Opened once, closed at the end. In `-p` (`may_demo` false) only `--demo` starts the demo."""

    def __init__(self, options: Options, *, may_demo: bool = True) -> None:
        """Reads the settings. Raises ConfigError."""
        self.options = options
        self.paths: Paths = find_paths(options.data_dir, options.config)
        self.settings: Settings = load_settings(self.paths.config_file)
        try:
            check_name(self.settings.context.strategy)
        except UnknownStrategy as error:
            raise ConfigError(f"{self.paths.config_file}: context.strategy: {error}") from error
        self.store = self._make_store()
        self._check_endpoint()
        self.timeouts = self._timeouts()
        self.models = self._make_models()
        wants_demo = self.settings.endpoint == DEMO and not options.base_url
        self.uses_demo = options.demo or wants_demo or self.models.default is None
        if self.uses_demo and not may_demo and not options.demo:
            raise ConfigError(
                "No endpoint is configured. Set OPENAI_API_KEY or OPENAI_BASE_URL, give --base-url, "
                f"or write [endpoints.NAME] into {self.paths.config_file}; "
                "--demo talks to the built-in demo."
            )
        prices.use_file(self.paths.data / price_list.FILE_NAME)
        budget = self.settings.budget
        self.budgets = Budgets(
            session=Limits(budget.session_soft, budget.session_hard),
            day=Limits(budget.day_soft, budget.day_hard),
            start=options.max_cost,
        )
        self.name_way: NameWay = unnamed
        """What the front end calls the actions that an advice offers; it sets that before `engine`."""
        self.telemetry: Telemetry | None = None
        """Set after `open` where it is configured; `close` ends it."""
        self._demo: DemoServer | None = None
        self._log: logging.Handler | None = None
        self.surroundings = Surroundings.of_user([self.paths.data, self.paths.config_file])
        self.rules = SavedRules(self.settings.approval, self.paths.config_file, self.surroundings)
        self.tools = self._make_tools()
        self.root = Path.cwd()
        """Where it was started: the root of MCP servers, and where a project's are named."""
        self.servers: McpServers | None = None
        """The MCP servers, after `make_servers` where any are configured."""
        self.own_tools: OwnTools | None = None
        """The user's own tools, after `make_own_tools` where there are any."""

    def _make_models(self) -> Models:
        return Models.configured(
            os.environ,
            base_url=self.options.base_url,
            model=self.options.model,
            settings=self.settings.endpoints,
            preferred_endpoint=None if self.options.demo else self.settings.endpoint,
            preferred_model=self.settings.model,
            price_settings=self.settings.prices,
            timeouts=self.timeouts,
        )

    def _timeouts(self) -> Timeouts:
        wanted, flag = self.settings.timeouts, self.options.timeout
        return Timeouts(
            connect=min(wanted.connect, flag or wanted.connect),
            first_byte=flag or wanted.first_byte,
            between_chunks=wanted.between_chunks,
        )

    def _check_endpoint(self) -> None:
        """A name that is written wrongly must not send prompts to another provider. Raises
        ConfigError."""
        name, options = self.settings.endpoint, self.options
        known = {*self.settings.endpoints, "openai", DEMO}
        if name is None or name in known or options.demo or options.base_url:
            return
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise ConfigError(
            f"{self.paths.config_file}: endpoint: there is no endpoint {name!r}.{hint} "
            f"There are: {', '.join(sorted(known))}."
        )

    def _make_store(self) -> SessionStore:
        if self.options.no_save:
            return in_file(None)
        wanted = self.settings.store
        try:
            return make_store(wanted.url, self.paths.data, password_env=wanted.password_env)
        except StoreError as error:
            raise ConfigError(f"{self.paths.config_file}: {error}") from error

    def _make_tools(self) -> ToolManager:
        if self.options.no_tools:
            return ToolManager()
        return ToolManager.with_builtins(
            known_keys=self.models.key_values,
            key_variables=self._key_variables(),
            surroundings=self.surroundings,
        )

    def _key_variables(self) -> list[str]:
        variables = [entry.api_key_env for entry in self.settings.endpoints.values()]
        variables.append(self.settings.store.password_env)
        return [variable for variable in variables if variable]

    def missing_key(self, endpoint: str) -> str | None:
        """The variable in which the settings expect the key of that endpoint, where it holds none."""
        entry = self.settings.endpoints.get(endpoint)
        if entry is None or entry.api_key_cmd or self.models.endpoints[endpoint].key:
            return None
        return entry.api_key_env

    @property
    def has_servers(self) -> bool:
        """Whether a file names MCP servers, and tools are wanted."""
        flags = [Path(path) for path in self.options.mcp_config]
        return not self.options.no_tools and any_configured(self.paths, self.root, flags)

    def make_servers(self, ports: McpPorts | None = None) -> McpServers:
        """The configured MCP servers, not yet started; `close` ends them. Imports for a moment,
        and reads a few small files. Raises ConfigError."""
        from chatglass.tools.mcp.assembly import configured_servers

        self.servers = configured_servers(
            self.paths,
            self.root,
            replace_tools=self.tools.replace_source,
            known_keys=self.models.key_values,
            key_variables=self._key_variables(),
            flag_files=[Path(path) for path in self.options.mcp_config],
            ports=ports,
            sampling=self.settings.mcp.sampling,
            keep=not self.options.no_save,
        )
        return self.servers

    def make_own_tools(self) -> OwnTools | None:
        """The user's own tools, not yet started; `close` ends them. None where there are none.
        Looks through the metadata of all that is installed: for a thread."""
        if self.options.no_tools:
            return None
        from chatglass.tools.own.sources import find_sources

        sources = find_sources(self.options.tools)
        if not sources:
            return None
        from chatglass.tools.own.own_tools import OwnTools

        self.own_tools = OwnTools(
            sources,
            root=self.root,
            environment=lambda: tool_environment(
                os.environ,
                known_keys=self.models.key_values(),
                key_variables=self._key_variables(),
                other_keys=True,
            ),
            replace_tools=self.tools.replace_own,
        )
        return self.own_tools

    def usual_verdict(self, spec: ToolSpec) -> Verdict:
        """What holds of a tool's calls where no rule speaks of one: the settings', or the tool's own."""
        return self.rules.tools.get(spec.name) or usual_verdict(spec)

    def rules_of(self, tool: str) -> list[str]:
        """The rules that speak of calls of a tool here, as `deny: run_command(rm)`."""
        rules = self.rules.book(str(self.root)).rules
        return [f"{saved.verdict}: {saved.rule}" for saved in rules if saved.rule.tool == tool]

    def objection_to_reading(self, path: Path, root: Path) -> str | None:
        """Why a file must not be read unasked from the working directory `root`; None: it may.
        Resolves links: for a thread."""
        try:
            assessment = read_place(self.surroundings.place(str(path), root), self.surroundings)
        except InvalidArguments as error:
            return str(error)
        return None if assessment.verdict == "allow" else assessment.why

    async def open(self) -> None:
        """Open the store, and the demo endpoint where it is used. Raises StoreError, ConfigError."""
        if not self.options.no_save:
            self.paths.make()
            self._log = open_log(
                self.paths.log, debug=self.options.debug, known_keys=self.models.key_values
            )
        await self.store.open()
        if self.uses_demo:
            await self.start_demo()

    async def start_demo(self) -> Endpoint:
        """The demo endpoint, started if it is not running."""
        from chatglass.models.demo import DemoServer

        if self._demo is None:
            self._demo = DemoServer()
            await self._demo.start()
            self.models.add(
                Endpoint(
                    name=DEMO,
                    base_url=self._demo.base_url,
                    kind="demo",
                    key=self._demo.token,
                    models=("demo", "demo-fast", "demo-reasoning"),
                    is_local=True,
                )
            )
        return self.models.endpoints[DEMO]

    async def close(self) -> None:
        # Each may take its time to end processes.
        await asyncio.gather(
            *(each.close() for each in (self.own_tools, self.servers) if each is not None)
        )
        if self.telemetry is not None:
            await self.telemetry.close()
        await self.models.close()
        if self._demo is not None:
            await self._demo.stop()
        await self.store.close()
        if self._log is not None:
            close_log(self._log)

    # -- sessions

    async def start_model(self) -> ModelRef:
        """The endpoint and model that a new session starts with."""
        if self.uses_demo or self.models.default is None:
            offered = self.models.endpoints[DEMO].models
            return ModelRef(DEMO, self.options.model or offered[0])
        default = self.models.default
        return default if default.model else await self._listed_first(default.endpoint)

    async def _listed_first(self, endpoint: str) -> ModelRef:
        try:
            listed = await self.models.list_models(endpoint)
        except ModelError:
            # The first request says what is wrong with the endpoint; here only a name is missing.
            listed = []
        return ModelRef(endpoint, listed[0] if listed else "")

    def parameters(self) -> Parameters:
        """What a new session sends beside its messages."""
        return Parameters(
            system_prompt=self.options.system_prompt or self.settings.system_prompt,
            temperature=self.settings.temperature,
            max_output_tokens=self.settings.max_output_tokens,
            reasoning_effort=self.settings.reasoning_effort,
        )

    async def new_session(self) -> SessionRow:
        return new_session(Path.cwd(), await self.start_model(), self.parameters())

    def like(self, session: SessionRow, shown: SessionRow) -> SessionRow:
        """A new session with the model and the parameters of the one on screen."""
        return replace(
            session, endpoint=shown.endpoint, model=shown.model, parameters=shown.parameters
        )

    async def session_to_open(self) -> SessionRow:
        """The session that the flags name, else a new one. Raises ConfigError if there is none."""
        row: SessionRow | None = None
        if self.options.resume:
            try:
                row = await self.store.find_session(self.options.resume)
            except SessionGone as error:
                raise ConfigError(f"--resume {self.options.resume}: {error}") from error
        elif self.options.continue_newest:
            row = await self.store.newest_session(str(Path.cwd()))
            if row is None:
                raise ConfigError(f"--continue: there is no session of {Path.cwd()} yet.")
        if row is None:
            return await self.new_session()
        try:
            return await self._with_flags(row)
        except StoreError:
            # Opening it says what is wrong with it, and shows what can be read.
            return row

    async def _with_flags(self, row: SessionRow) -> SessionRow:
        """A session that is resumed, with the model and system prompt that the flags name stored in
        it; as it is where another process runs it."""
        flags = self.options
        if not (flags.model or flags.base_url or flags.demo or flags.system_prompt):
            return row
        if await self.store.claim(row.id) is not None:
            return row
        ref = ModelRef(row.endpoint, flags.model or row.model)
        started = await self.start_model()
        if (flags.base_url or flags.demo) and started.endpoint != row.endpoint:
            ref = started
        if ref != ModelRef(row.endpoint, row.model):
            await self.store.set_model(row.id, ref.endpoint, ref.model)
        if flags.system_prompt:
            parameters = replace(row.parameters, system_prompt=flags.system_prompt)
            await self.store.set_parameters(row.id, parameters)
        return await self.store.get_session(row.id)

    async def engine(
        self,
        session: SessionRow,
        *,
        decide_tool: DecideTool,
        judge: JudgeCall = by_assessment,
        ask_to_go_on: AskToGoOn | None = None,
        ask_budget: AskBudget | None = None,
        store: SessionStore | None = None,
    ) -> Engine:
        """An engine for that session, not yet started. `ask_budget` is asked before a request that
        would pass a budget; without it the turn ends there. `store`: where it is kept, if not in
        the workspace's."""
        context = ChatContext(
            tool_manager=self.tools,
            model_manager=self.models,
            token_threshold=self.settings.context.token_threshold,
            enable_infinite_context=self.settings.context.infinite,
            store=store or self.store,
            session=session,
            compaction=CompactionChoice(
                strategy=self.settings.context.strategy,
                summary_model=self.settings.context.summary_model or "",
            ),
        )
        rules = TurnRules(
            max_requests=self.options.max_requests or self.settings.turn.max_requests,
            loop_after=self.settings.turn.loop_after,
        )
        guard = BudgetGuard(context, self.budgets, ask_budget)
        return Engine(
            context,
            decide_tool=decide_tool,
            judge=judge,
            ask_to_go_on=ask_to_go_on,
            before_request=guard.before_request,
            rules=rules,
            observe=self.telemetry.observer(context) if self.telemetry else None,
            name_way=self.name_way,
        )

    def session_policy(self, root: str) -> SessionPolicy:
        """What decides about the tool calls of a session in `root`, as it begins."""
        return SessionPolicy(
            root,
            rules=self.rules.book,
            mode=self.settings.approval.mode,
            allowed=frozenset(self.options.allow_tools),
            by_yolo=self.options.yolo,
        )
