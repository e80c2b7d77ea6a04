"""Options: what the command line said, as a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from decimal import Decimal

OutputFormat = Literal["text", "json", "stream-json"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Flags of one start. None: the flag was not given."""

    prompt: str | None = None
    """The text of `-p`; None starts the full screen."""
    text: str = ""
    """What the full screen, or the talk in lines, sends first."""
    output_format: OutputFormat = "text"
    plain: bool = False
    """Talk in lines instead of the full screen."""
    demo: bool = False
    base_url: str | None = None
    model: str | None = None
    system_prompt: str | None = None
    timeout: float | None = None
    """Seconds that a server may take to begin its answer."""
    max_requests: int | None = None
    max_cost: Decimal | None = None
    """USD that this start may spend before it asks, or with `-p` ends."""
    no_tools: bool = False
    allow_tools: tuple[str, ...] = ()
    mcp_config: tuple[str, ...] = ()
    """Files that name MCP servers, beside the user's and the project's."""
    tools: tuple[str, ...] = ()
    """Python files with the user's own tools."""
    yolo: bool = False
    continue_newest: bool = False
    resume: str | None = None
    """The id (or its start or end) of `-r`; empty for `-r` alone, which opens the list."""
    no_save: bool = False
    data_dir: str | None = None
    config: str | None = None
    reduced_motion: bool = False
    debug: bool = False
