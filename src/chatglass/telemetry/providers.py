"""Which value of `gen_ai.provider.name` an endpoint has."""

from __future__ import annotations

from urllib.parse import urlsplit

from chatglass.models.wire import Endpoint

# The well-known values, by the domain they answer at.
_BY_DOMAIN = {
    "openai.com": "openai",
    "openai.azure.com": "azure.ai.openai",
    "services.ai.azure.com": "azure.ai.inference",
    "anthropic.com": "anthropic",
    "generativelanguage.googleapis.com": "gcp.gemini",
    "aiplatform.googleapis.com": "gcp.vertex_ai",
    "amazonaws.com": "aws.bedrock",
    "cohere.com": "cohere",
    "cohere.ai": "cohere",
    "deepseek.com": "deepseek",
    "groq.com": "groq",
    "mistral.ai": "mistral_ai",
    "perplexity.ai": "perplexity",
    "x.ai": "x_ai",
}


def provider_name(endpoint: Endpoint | None) -> str:
    """By the address, else by the kind of server, else the flavour of the protocol: `openai`."""
    if endpoint is None:
        return "openai"
    host = urlsplit(endpoint.base_url).hostname or ""
    for domain, name in _BY_DOMAIN.items():
        if host == domain or host.endswith(f".{domain}"):
            return name
    return "openai" if endpoint.kind == "other" else endpoint.kind
