"""All sections of a call, in the order in which they are shown and numbered."""

from __future__ import annotations

from chatglass.tui.inspector.sections.arguments import Arguments
from chatglass.tui.inspector.sections.call_facts import CallFacts
from chatglass.tui.inspector.sections.error import Error
from chatglass.tui.inspector.sections.result import Result
from chatglass.tui.inspector.sections.schema import Schema
from chatglass.tui.inspector.sections.section import Section
from chatglass.tui.inspector.sections.seen import Seen
from chatglass.tui.inspector.sections.times import Times
from chatglass.tui.inspector.sections.tokens import Tokens

SECTIONS: tuple[Section[CallFacts], ...] = (
    Arguments(),
    Result(),
    Seen(),
    Error(),
    Times(),
    Schema(),
    Tokens(),
)
NAMES = tuple(section.name for section in SECTIONS)
