"""`chatglass prices show MODEL|update`: the prices that are known, and a newer list of them."""

from __future__ import annotations

import argparse
import asyncio
from decimal import Decimal
from typing import Any

from chatglass.commands.printing import complain, emit, emit_json, note
from chatglass.config.paths import find_paths
from chatglass.config.settings import PriceSettings, load_settings
from chatglass.models import price_list, prices
from chatglass.models.price_list import ListedModel
from chatglass.values.figures import UNKNOWN, tokens

_SHOWN = 12


async def run_prices(found: argparse.Namespace) -> int:
    """Raises ConfigError."""
    paths = find_paths(found.data_dir, found.config)
    prices.use_file(paths.data / price_list.FILE_NAME)
    if found.action == "update":
        return await _update(paths.data / price_list.FILE_NAME)
    own = load_settings(paths.config_file).prices.get(found.model)
    listed = await asyncio.to_thread(price_list.find, found.model)
    if own is None and not listed:
        near = price_list.near(found.model)
        hint = f" There are: {', '.join(near)}." if near else ""
        complain(
            f"No price is known for {found.model}.{hint} "
            f'[prices."{found.model}"] in {paths.config_file} sets one.'
        )
        return 1
    if found.json:
        emit_json(_as_json(found.model, own, listed))
    else:
        _tell(found.model, own, listed)
    return 0


async def _update(target: Any) -> int:
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        models = await asyncio.to_thread(price_list.update, target)
    except price_list.UpdateFailed as error:
        complain(str(error))
        return 1
    note(f"{price_list.version()}: prices of {models:,} models, kept in {target}.")
    return 0


def _tell(name: str, own: PriceSettings | None, listed: list[ListedModel]) -> None:
    rows: list[tuple[str, ...]] = [("", "input", "cached", "cache write", "output", "window")]
    if own is not None:
        written = (own.input, own.cached_input, own.cache_write, own.output)
        rows.append((f"settings: {name}", *map(_usd, written), ""))
    for one in listed[:_SHOWN]:
        listed_prices = (one.input, one.cached_input, one.cache_write, one.output)
        rows.append((one.name, *map(_usd, listed_prices), tokens(one.context_window)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for place, (first, *rest) in enumerate(rows):
        cells = [f"{cell:>{width}}" for cell, width in zip(rest, widths[1:], strict=True)]
        emit("  ".join([f"{first:<{widths[0]}}", *cells]).rstrip() + "\n")
        number = place - 1 - (own is not None)
        tiers = listed[number].tiers if number >= 0 else ""
        if tiers:
            emit(f"    {tiers}\n")
    if len(listed) > _SHOWN:
        note(f"and {len(listed) - _SHOWN} more; --json has all.")
    note(f"USD per million tokens, by {price_list.version()}.")
    if own is not None:
        note("Those of the settings are used, whatever the endpoint.")


def _usd(price: Decimal | None) -> str:
    return UNKNOWN if price is None else f"{price.normalize():f}"


def _as_json(name: str, own: PriceSettings | None, listed: list[ListedModel]) -> dict[str, Any]:
    return {
        "model": name,
        "list": price_list.version(),
        "settings": None
        if own is None
        else {key: _number(value) for key, value in own.model_dump().items()},
        "listed": [
            {
                "provider": one.provider,
                "model": one.model,
                "context_window": one.context_window,
                "input": _number(one.input),
                "cached_input": _number(one.cached_input),
                "cache_write": _number(one.cache_write),
                "output": _number(one.output),
                "tiers": one.tiers or None,
            }
            for one in listed
        ],
    }


def _number(price: Decimal | None) -> float | None:
    return None if price is None else float(price)
