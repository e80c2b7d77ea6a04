"""The list of genai-prices to look into, by names of models; and a newer one of it, when asked.

Imports genai-prices at the first call, which takes about 0.3 s.
"""

from __future__ import annotations

import json
import logging
import os
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chatglass.models import prices
from chatglass.values.usage import UNPRICED, Cost, Usage

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, Provider

_log = logging.getLogger(__name__)

FILE_NAME = "prices.json"
"""Of the kept list, in the data folder."""


class UpdateFailed(Exception):
    """The newest list could not be had. `str()` says why, and what stays in force."""


@dataclass(frozen=True, slots=True)
class ListedModel:
    """A model at a provider, with its prices now in USD per million tokens; None: no such price.

    Where a price depends on the length of the prompt, it is that of short ones, and `tiers` says
    the others in words.
    """

    provider: str
    provider_name: str
    model: str
    context_window: int | None
    input: Decimal | None
    cached_input: Decimal | None
    cache_write: Decimal | None
    output: Decimal | None
    tiers: str = ""

    @property
    def name(self) -> str:
        """`provider/model`, which finds it again."""
        return f"{self.provider}/{self.model}"


def find(name: str) -> list[ListedModel]:
    """The models of that name, at every provider that has one: its own maker first, where the list
    knows that. `openai/gpt-5` is that of one provider."""
    found = [_listed(provider, info) for provider, info in _matches(name)]
    return list({model.name: model for model in found}.values())


def near(name: str, limit: int = 5) -> list[str]:
    """Names like `name`, for an error text."""
    import difflib

    known = {info.id for provider in _providers() for info in provider.models}
    wanted = name.rpartition("/")[2].lower()
    holding = sorted(each for each in known if wanted in each.lower())
    return (holding or difflib.get_close_matches(wanted, known, n=limit, cutoff=0.5))[:limit]


def price(listed: ListedModel, usage: Usage, at: int | None = None) -> Cost:
    """What `usage` would cost there, by the list alone; `at` as in `prices.price`."""
    for provider, info in _matches(listed.name):
        if (provider.id, info.id) == (listed.provider, listed.model):
            return prices.by_model(provider, info, usage, at)
    return UNPRICED


def version() -> str:
    """Which list is in force: `genai-prices 0.2.3`, with the day where it was updated."""
    return prices.list_version()


def _providers() -> list[Provider]:
    return prices.in_force().providers


def _matches(name: str) -> Iterator[tuple[Provider, ModelInfo]]:
    wanted = name.strip().lower()
    providers = _providers()
    # OpenRouter's own names hold a slash too: first as one provider's model, then as a whole.
    first, slash, rest = wanted.partition("/")
    if slash and (provider := next((p for p in providers if p.id == first), None)):
        if (info := _model_of(provider, rest)) is not None:
            yield provider, info
        return
    makers = [p for p in providers if p.model_match is not None and p.model_match.is_match(wanted)]
    for provider in [*makers, *(p for p in providers if p not in makers)]:
        if (info := _model_of(provider, wanted)) is not None:
            yield provider, info


def _model_of(provider: Provider, name: str) -> ModelInfo | None:
    exact = next((info for info in provider.models if info.id.lower() == name), None)
    return exact or provider.find_model(name, all_providers=_providers())


def _listed(provider: Provider, info: ModelInfo) -> ListedModel:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        now = info.get_prices(datetime.now(tz=UTC))
    values = {name: getattr(now, f"{name}_mtok", None) for name in _FIELDS}
    tiers = [
        f"{_FIELDS[name]} {' then '.join(_tier(tier) for tier in value.tiers)}"
        for name, value in values.items()
        if value is not None and not isinstance(value, Decimal)
    ]
    base = {
        name: value if value is None or isinstance(value, Decimal) else value.base
        for name, value in values.items()
    }
    return ListedModel(
        provider=provider.id,
        provider_name=provider.name,
        model=info.id,
        context_window=info.context_window,
        input=base["input"],
        cached_input=base["cache_read"],
        cache_write=base["cache_write"],
        output=base["output"],
        tiers="; ".join(tiers),
    )


_FIELDS = {
    "input": "input",
    "cache_read": "cached",
    "cache_write": "cache write",
    "output": "output",
}


def _tier(tier: Any) -> str:
    return f"{tier.price:f} from {tier.start:,} tokens"


# -- a newer list


def update(target: Path, *, url: str | None = None) -> int:
    """Fetch the newest list by genai-prices' own updater, keep it in `target`, and use it from now
    on. Returns how many models it has. Raises UpdateFailed; what was in force then stays.

    `url` is where the updater asks, by default its own address.
    """
    import httpx2
    from genai_prices import UpdatePrices

    updater = UpdatePrices() if url is None else UpdatePrices(url=url)
    host = httpx2.URL(updater.url).host
    stays = f"{version()} stays in force"
    try:
        answer = httpx2.get(updater.url, timeout=updater.request_timeout)
        answer.raise_for_status()
        raw = json.loads(answer.content)
        models = _use(raw, datetime.now(tz=UTC).date().isoformat())
    except httpx2.HTTPStatusError as error:
        raise UpdateFailed(
            f"The list of prices could not be had: {host} answered {error.response.status_code}. "
            f"{stays}; try again later."
        ) from error
    except (httpx2.HTTPError, OSError) as error:
        raise UpdateFailed(
            f"The list of prices could not be had: {host} can't be reached ({error or 'no answer'}). "
            f"{stays}; try again where there is a network."
        ) from error
    except (ValueError, TypeError, LookupError) as error:
        raise UpdateFailed(
            f"What {host} sent is no list of prices that this version of genai-prices can read. "
            f"{stays}; a newer chatglass may read it."
        ) from error
    _keep(target, raw)
    return models


def use_updated(path: Path) -> None:
    """Use the list that `update` kept in `path`, if there is one. One that another version of
    genai-prices kept is older than the list of the installed one, and left alone."""
    import genai_prices

    try:
        kept = json.loads(path.read_bytes())
        if kept["genai_prices"] == genai_prices.__version__:
            _use(kept["providers"], kept["day"])
    except FileNotFoundError:
        return
    except (OSError, ValueError, TypeError, LookupError) as error:
        _log.warning("%s: the updated list of prices can't be used: %s", path, error)


def _use(raw: Any, day: str) -> int:
    """Raises ValueError, TypeError or LookupError where `raw` is no such list."""
    from genai_prices.data_snapshot import DataSnapshot, set_custom_snapshot

    # The package has no public way from its JSON to its types.
    from genai_prices.types import (
        _providers_from_raw,  # pyright: ignore[reportPrivateUsage]
    )

    if not isinstance(raw, list) or not raw:
        raise ValueError("it is no list of providers")
    providers = _providers_from_raw(raw)
    set_custom_snapshot(DataSnapshot(providers, from_auto_update=True))
    prices.list_changed(day)
    return sum(len(provider.models) for provider in providers)


def _keep(target: Path, raw: Any) -> None:
    import genai_prices

    kept = {
        "genai_prices": genai_prices.__version__,
        "day": datetime.now(tz=UTC).date().isoformat(),
        "providers": raw,
    }
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=target.name)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(kept, file, ensure_ascii=False)
    Path(name).replace(target)
