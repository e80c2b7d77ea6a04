"""Models: the endpoints and models there are, and what is known of each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from chatglass.models import discovery, estimates, prices
from chatglass.models.client import OpenAIClient, Timeouts
from chatglass.models.endpoints import (
    ConfiguredEndpoint,
    EndpointEntry,
    configured_endpoints,
    local_address,
    table_of,
)
from chatglass.models.exchange import private_values
from chatglass.models.retries import RetryPolicy
from chatglass.models.wire import Endpoint, ModelError, ModelRef
from chatglass.values.usage import UNPRICED, Cost, Usage

_ASK_AGAIN_S = 30.0
"""A window that is not known yet is asked for again after so long: a model may be loaded late."""

_LISTED_WITHIN_S = 2.0
"""The longest that a prompt with an image waits for what the endpoint says of its models."""


class Models:
    """ModelManager over OpenAIClient; one client per endpoint.

    `default` is the endpoint and model to start with: a model is empty where none is named yet
    and the endpoint's list has to say; None where no endpoint is there at all.
    """

    def __init__(
        self,
        endpoints: Mapping[str, ConfiguredEndpoint],
        *,
        default: ModelRef | None = None,
        price_settings: Mapping[str, prices.Price] | None = None,
        timeouts: Timeouts | None = None,
        retries: RetryPolicy | None = None,
    ) -> None:
        self.default = default
        self._configured = dict(endpoints)
        self._prices = dict(price_settings or {})
        self._timeouts = timeouts
        self._retries = retries
        self._clients: dict[str, OpenAIClient] = {}
        self._calibrations: dict[ModelRef, estimates.Calibration] = {}
        self._windows: dict[ModelRef, int] = {}
        self._answered: dict[ModelRef, str] = {}
        self._learned_windows: dict[ModelRef, int] = {}
        """What they turned out to be when a request was refused as too long."""
        self._images: dict[ModelRef, bool | None] = {}
        """What servers said of it, once they were asked."""
        self._unknown_since: dict[ModelRef, float] = {}
        self._asking: dict[ModelRef, asyncio.Lock] = {}
        self._unrecognised: set[str] = set()
        """Endpoints on this machine that answered, and not as any kind that is known."""

    @classmethod
    def configured(
        cls,
        environment: Mapping[str, str],
        *,
        base_url: str | None = None,
        model: str | None = None,
        settings: Mapping[str, EndpointEntry] | None = None,
        preferred_endpoint: str | None = None,
        preferred_model: str | None = None,
        price_settings: Mapping[str, prices.Price] | None = None,
        timeouts: Timeouts | None = None,
        demo: Endpoint | None = None,
        use_demo: bool = False,
    ) -> Models:
        """From flags (`base_url`, `model`, `use_demo`), environment and settings.

        `demo`, where it runs, is an endpoint like any other, and the default where no other is
        configured. Raises ConfigError.
        """
        choice = configured_endpoints(
            environment, base_url=base_url, settings=settings, preferred=preferred_endpoint
        )
        endpoints = dict(choice.endpoints)
        chosen = choice.chosen
        if demo is not None:
            endpoints[demo.name] = ConfiguredEndpoint(endpoint=demo)
            if use_demo or chosen is None or (preferred_endpoint == demo.name and not base_url):
                chosen = demo.name
        default = None
        if chosen is not None:
            offered = endpoints[chosen].endpoint.models
            # The settings' model belongs to the settings' endpoint.
            fits = preferred_model if chosen == (preferred_endpoint or chosen) else None
            if endpoints[chosen].endpoint.is_demo:
                fits = None
            default = ModelRef(chosen, model or fits or (offered[0] if offered else ""))
        return cls(endpoints, default=default, price_settings=price_settings, timeouts=timeouts)

    @property
    def endpoints(self) -> Mapping[str, Endpoint]:
        """All endpoints by name."""
        return MappingProxyType({name: c.endpoint for name, c in self._configured.items()})

    def add(self, endpoint: Endpoint) -> None:
        """Add an endpoint that was found or started after the start. One that is there already,
        by its name or its address, stays as it is."""
        address = local_address(endpoint.base_url)
        known = (local_address(c.endpoint.base_url) for c in self._configured.values())
        if endpoint.name not in self._configured and (address is None or address not in known):
            self._configured[endpoint.name] = ConfiguredEndpoint(endpoint=endpoint)

    def client(self, endpoint: str) -> OpenAIClient:
        """The one client of that endpoint. Raises ModelError for an unknown name."""
        if (known := self._clients.get(endpoint)) is not None:
            return known
        configured = self._find(endpoint)
        if configured is None:
            names = ", ".join(sorted(self._configured)) or "none"
            raise ModelError(
                "not_found",
                f"There is no endpoint {endpoint!r}.",
                f"Choose another model{{model}}, or add {table_of(endpoint)} to config.toml."
                f" Configured: {names}.",
            )
        client = OpenAIClient(
            configured.endpoint,
            key_command=configured.key_command,
            timeouts=self._timeouts,
            retries=self._retries,
        )
        self._clients[endpoint] = client
        return client

    async def list_models(self, endpoint: str) -> list[str]:
        """The models to offer: those of the settings first, then those the server lists. Raises
        ModelError where the server does not answer and the settings name none."""
        client = self.client(endpoint)
        named = list(client.endpoint.models)
        try:
            listed = await client.list_models()
        except ModelError:
            if not named:
                raise
            listed = []
        return list(dict.fromkeys([*named, *listed]))

    async def recognise(self, endpoint: str) -> None:
        """Learn what a server on this machine is, where that is not known yet: prices depend on
        it. Takes up to 1 s; does nothing for other endpoints. Never raises."""
        configured = self._find(endpoint)
        if configured is None or endpoint in self._unrecognised:
            return
        known = configured.endpoint
        if not known.is_local or known.kind != "other" or known.free is not None:
            return
        kind = await discovery.local_kind(known)
        if kind == "other":
            self._unrecognised.add(endpoint)
        elif kind is not None:
            recognised = replace(known, kind=kind)
            self._configured[endpoint] = replace(configured, endpoint=recognised)
            if (client := self._clients.get(endpoint)) is not None:
                client.endpoint = recognised

    async def context_window(self, ref: ModelRef) -> int | None:
        """The most tokens the model takes, from settings, server or genai-prices, or as refusals have
        told; else None."""
        known, learned = await self._stated_window(ref), self._learned_windows.get(ref)
        if known is None or learned is None:
            return known or learned
        return min(known, learned)

    def learn_window(self, ref: ModelRef, window: int) -> None:
        """A request was refused since the model takes no more than that: it holds from now on, whatever
        settings, server or price list say."""
        self._learned_windows[ref] = min(window, self._learned_windows.get(ref, window))

    async def _stated_window(self, ref: ModelRef) -> int | None:
        configured = self._find(ref.endpoint)
        if configured is None:
            return None
        if configured.context_window is not None:
            return configured.context_window
        async with self._asking.setdefault(ref, asyncio.Lock()):
            if (known := self._windows.get(ref)) is not None:
                return known
            since = self._unknown_since.get(ref)
            if since is not None and time.monotonic() - since < _ASK_AGAIN_S:
                return None
            window = await self._ask_window(configured.endpoint, ref.model)
            if window is None:
                self._unknown_since[ref] = time.monotonic()
            else:
                self._windows[ref] = window
            return window

    async def takes_images(self, ref: ModelRef) -> bool | None:
        """Whether the model takes images, by settings, server, or what it has refused; None where
        nothing says so, and it has to be tried. Takes up to 2 s."""
        configured = self._find(ref.endpoint)
        if configured is None:
            return None
        if isinstance(configured.images, bool):
            return configured.images
        if configured.images is not None:
            return ref.model in configured.images
        client = self._clients.get(ref.endpoint)
        if client is not None and client.refuses_images(ref.model):
            return False
        if ref not in self._images:
            self._images[ref] = await self._ask_images(configured.endpoint, ref.model)
        return self._images[ref]

    def price(self, ref: ModelRef, usage: Usage, at: int | None = None) -> Cost:
        """What `usage` costs there in a request that began at `at` (milliseconds, None: now). Never
        raises; unknown is `Cost(None, "unknown")`."""
        configured = self._find(ref.endpoint)
        if configured is None:
            return UNPRICED
        costs = (
            prices.price(configured.endpoint, name, usage, self._prices, at)
            for name in self._names_of(ref)
        )
        return next((cost for cost in costs if cost.usd is not None), UNPRICED)

    def learn_name(self, ref: ModelRef, answered: str) -> None:
        """By its own word, the endpoint answers for that model with the one of this name: a deployment
        of Azure, an alias. Prices are looked up by it where the first name has none."""
        if answered and answered != ref.model:
            self._answered[ref] = answered
        else:
            self._answered.pop(ref, None)

    def _names_of(self, ref: ModelRef) -> list[str]:
        answered = self._answered.get(ref)
        return [ref.model, answered] if answered else [ref.model]

    def price_at_hand(self, ref: ModelRef, usage: Usage) -> Cost:
        """The same; unknown too while the price list is not imported, which would take 0.1 s."""
        configured = self._find(ref.endpoint)
        if configured is None:
            return UNPRICED
        return prices.price_at_hand(configured.endpoint, ref.model, usage, self._prices)

    @property
    def own_prices(self) -> list[str]:
        """The models that the settings give a price."""
        return list(self._prices)

    def prompt_cost(
        self, ref: ModelRef, usage: Usage, cost: Cost, at: int | None = None
    ) -> Decimal | None:
        """What of `cost` the prompt took, by the price list; None where it has no such model."""
        configured = self._find(ref.endpoint)
        if configured is None:
            return None
        costs = (
            prices.prompt_cost(configured.endpoint, name, usage, self._prices, cost, at)
            for name in self._names_of(ref)
        )
        return next((cost for cost in costs if cost is not None), None)

    def estimate_tokens(self, ref: ModelRef, text: str) -> int:
        """Tokens of `text` for that model, by character class."""
        return self._calibration(ref).apply(estimates.estimate_text(text))

    def calibrated(self, ref: ModelRef, tokens: int) -> int:
        """`tokens` of `estimates`, which know no model, as that model would count them."""
        return self._calibration(ref).apply(tokens)

    def estimate_request(
        self,
        ref: ModelRef,
        messages: Sequence[Mapping[str, Any]],
        tools: Sequence[Mapping[str, Any]] = (),
    ) -> int:
        """Prompt tokens of a whole request for that model."""
        return self._calibration(ref).apply(estimates.estimate_request(messages, tools))

    def calibrate(self, ref: ModelRef, estimated: int, reported: int) -> None:
        """Learn from one request whose prompt was estimated and then reported."""
        self._calibration(ref).learn(estimated, reported)

    def key_values(self) -> frozenset[str]:
        """Every key that is known now, to be redacted wherever it turns up."""
        found = {c.endpoint.key for c in self._configured.values()}
        found |= {c.key_command.known for c in self._configured.values() if c.key_command}
        for endpoint in (c.endpoint for c in self._configured.values()):
            found |= set(private_values(endpoint.base_url, endpoint.headers))
        return frozenset(key for key in found if key)

    async def close(self) -> None:
        """Close every client."""
        clients, self._clients = self._clients, {}
        for client in clients.values():
            await client.close()

    def _find(self, name: str) -> ConfiguredEndpoint | None:
        """An endpoint by name. A session that was held with a server on one of the usual ports
        finds it again, without a search and also when it does not run."""
        if name not in self._configured and (usual := discovery.usual_endpoint(name)) is not None:
            self._configured[name] = ConfiguredEndpoint(endpoint=usual)
        return self._configured.get(name)

    def _calibration(self, ref: ModelRef) -> estimates.Calibration:
        return self._calibrations.setdefault(ref, estimates.Calibration())

    async def _ask_window(self, endpoint: Endpoint, model: str) -> int | None:
        if endpoint.is_demo:
            return await self._listed_window(endpoint, model)
        if endpoint.is_local:
            return await discovery.local_window(endpoint, model)
        if endpoint.kind != "openai":  # whose list says nothing of windows
            window = await self._listed_window(endpoint, model)
            if window is not None:
                return window
        # The import of genai-prices, where `preload()` has not run, is not for the event loop.
        return await asyncio.to_thread(prices.context_window, endpoint.base_url, model)

    async def _ask_images(self, endpoint: Endpoint, model: str) -> bool | None:
        if endpoint.is_demo or endpoint.kind == "openai":  # whose list says nothing of it
            return None
        if endpoint.is_local:
            return await discovery.local_images(endpoint, model)
        try:
            async with asyncio.timeout(_LISTED_WITHIN_S):
                entries = await self.client(endpoint.name).model_entries()
        except (ModelError, TimeoutError):
            return None
        found = (e for e in entries if e.get("id") == model)
        return discovery.images_of_entry(next(found, None) or {})

    async def _listed_window(self, endpoint: Endpoint, model: str) -> int | None:
        try:
            entries = await self.client(endpoint.name).model_entries()
        except ModelError:
            return None
        return next((discovery.window_of_entry(e) for e in entries if e.get("id") == model), None)
