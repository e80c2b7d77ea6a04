"""The openai SDK's client, made so that it sends nothing of its own accord."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from chatglass.models.wire import Endpoint

if TYPE_CHECKING:
    from openai import AsyncOpenAI


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Seconds. A local model may think for minutes over a long prompt before its first byte."""

    connect: float = 10.0
    first_byte: float = 300.0
    between_chunks: float = 180.0
    listing: float = 15.0
    """Of the list of models, over which nobody thinks."""


def build_sdk_client(endpoint: Endpoint, timeouts: Timeouts) -> AsyncOpenAI:
    """The SDK's client of an endpoint. Loads certificates for https (20–100 ms): call in a thread.

    Nothing of the environment reaches it: the SDK would send OPENAI_API_KEY, OPENAI_ADMIN_KEY,
    OPENAI_ORG_ID and OPENAI_CUSTOM_HEADERS to every base URL. Redirects are not followed, or
    headers with keys would go along.
    """
    import httpx2
    import openai

    url = httpx2.URL(endpoint.base_url)
    http_client = httpx2.AsyncClient(
        # Without TLS there is nothing to verify, and no certificates need loading.
        verify=url.scheme == "https",
        trust_env=not endpoint.is_local,  # no proxy stands before this machine itself
        follow_redirects=False,
        timeout=httpx2.Timeout(
            connect=timeouts.connect,
            read=timeouts.first_byte,
            write=timeouts.between_chunks,
            pool=timeouts.connect,
        ),
        limits=httpx2.Limits(max_connections=64, max_keepalive_connections=8, keepalive_expiry=60),
    )
    headers = _without_ambient(endpoint.headers)
    client = openai.AsyncOpenAI(
        api_key="-",
        admin_api_key="-",
        organization="",
        project="",
        webhook_secret="",
        base_url=endpoint.base_url,
        max_retries=0,
        default_headers=cast("Mapping[str, str]", headers),
        http_client=http_client,
    )
    client.admin_api_key = None
    client.organization = None
    client.project = None
    return client


def _without_ambient(headers: Mapping[str, str]) -> dict[str, object]:
    """`headers`, and for each one of OPENAI_CUSTOM_HEADERS that is not among them its omission."""
    import openai

    found: dict[str, object] = {}
    for line in os.environ.get("OPENAI_CUSTOM_HEADERS", "").split("\n"):
        name = line.partition(":")[0].strip()
        if name:
            found[name] = openai.Omit()
    chosen = {name.lower() for name in headers}
    return {**{n: v for n, v in found.items() if n.lower() not in chosen}, **headers}
