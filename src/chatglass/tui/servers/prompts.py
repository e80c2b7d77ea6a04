"""A server's prompt: what it asks for, and what it becomes in the composer."""

from __future__ import annotations

from collections.abc import Sequence

from chatglass.tools.mcp.forms import FormField
from chatglass.tools.mcp.values import PromptMessage, ServerPrompt


def asked_fields(prompt: ServerPrompt) -> tuple[FormField, ...]:
    """Its arguments as fields of a form; they are texts, all of them."""
    return tuple(
        FormField(name=one.name, label=one.name, description=one.description, required=one.required)
        for one in prompt.arguments
    )


def prompt_text(messages: Sequence[PromptMessage]) -> str:
    """The messages as one text. Where the model's own are among them, each says whose it is."""
    if all(message.role == "user" for message in messages):
        return "\n\n".join(message.text for message in messages)
    return "\n\n".join(f"{message.role.capitalize()}: {message.text}" for message in messages)
